"""Self-signed certificates for loopback."""

import subprocess


def make(directory):
    """(certificate, key), both PEM files in `directory`, for localhost and the loopback addresses."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "basicConstraints=critical,CA:FALSE",  # rustls takes no authority for a server
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"],
        check=True, capture_output=True)
    return cert, key


class Authority:
    """One that signs clients' certificates; its own is `cert`."""

    def __init__(self, directory):
        directory.mkdir()
        self._directory = directory
        self.cert, self._key = directory / "ca.pem", directory / "ca-key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self._key, "-out", self.cert, "-days", "2",
             "-subj", f"/CN=authority {directory.name}"],
            check=True, capture_output=True)

    def issue(self, name):
        """(certificate, key) for a client of that common name."""
        cert, key = self._directory / f"{name}.pem", self._directory / f"{name}-key.pem"
        extensions = self._directory / "extensions"  # without any it is a certificate of version 1
        extensions.write_text("basicConstraints = critical, CA:FALSE\n")
        request = subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", key, "-subj", f"/CN={name}"],
            check=True, capture_output=True).stdout
        subprocess.run(
            ["openssl", "x509", "-req", "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
             "-days", "2", "-extfile", extensions, "-out", cert],
            input=request, check=True, capture_output=True)
        return cert, key
