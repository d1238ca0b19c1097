"""An issuer of JSON Web Tokens, by the openssl command: RS256, keys as PEM or at a JWKS URL."""

import base64
import http.server
import json
import subprocess
import threading
import time


def _encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class JwtIssuer:
    """Signs claims with an RSA key of its own; rotate() makes another one."""

    name, audience = "https://issuer.example", "arka"

    def __init__(self, directory):
        self._directory, self._serial = directory, 0
        self.rotate()

    def rotate(self):
        self._serial += 1
        self.key_id = f"key-{self._serial}"
        self._key = self._directory / f"{self.key_id}.pem"
        self._openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                      "-out", self._key)

    @staticmethod
    def _openssl(*words, given=None):
        return subprocess.run(["openssl", *words], input=given, check=True,
                              capture_output=True).stdout

    def pem(self):
        return self._openssl("pkey", "-in", self._key, "-pubout").decode()

    def jwks(self):
        modulus = self._openssl("rsa", "-in", self._key, "-noout", "-modulus").decode()
        return {"keys": [{"kty": "RSA", "use": "sig", "kid": self.key_id, "e": "AQAB",
                          "n": _encode(bytes.fromhex(modulus.strip().split("=")[1]))}]}

    def token(self, subject="alice", *, header=None, **claims):
        now = int(time.time())
        claims = {"iss": self.name, "aud": self.audience, "sub": subject, "iat": now,
                  "exp": now + 600, **claims}
        text = ".".join(_encode(json.dumps(part).encode()) for part in (
            {"alg": "RS256", "kid": self.key_id, **(header or {})}, claims))
        signature = self._openssl("dgst", "-sha256", "-sign", self._key, given=text.encode())
        return f"{text}.{_encode(signature)}"


class JwksServer:
    """The issuer's keys over HTTP on loopback."""

    def __init__(self, issuer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(issuer.jwks()).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks.json"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
