"""toxiproxy on loopback: a proxy between the server and what it talks to, which can be made bad."""

import json
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

from testbed.server import ROOT


class Toxiproxy:
    """The process; add() makes a proxy in it."""

    def __init__(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:  # it does not say which port the kernel picked
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        with open(directory / "toxiproxy.log", "w") as log:
            self.process = subprocess.Popen(
                [ROOT / ".deps/bin/toxiproxy", "-host", "127.0.0.1", "-port", str(port)],
                stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.call("GET", "/version")
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()!r}") from None
        return json.loads(text) if text.startswith(b"{") else text

    def add(self, name, upstream):
        return Proxy(self, name, upstream)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Proxy:
    """One way to `upstream` ("127.0.0.1:9000"); clients dial `address`."""

    def __init__(self, toxiproxy, name, upstream):
        self._toxiproxy, self.name = toxiproxy, name
        made = toxiproxy.call("POST", "/proxies", {
            "name": name, "listen": "127.0.0.1:0", "upstream": upstream, "enabled": True})
        self.address = made["listen"]
        self._toxics = []

    def poison(self, kind, *, stream="downstream", toxicity=1.0, **attributes):
        """Adds a toxic: latency, timeout, reset_peer, bandwidth, limit_data, slicer, slow_close."""
        name = f"{kind}-{stream}"
        self._toxiproxy.call("POST", f"/proxies/{self.name}/toxics", {
            "name": name, "type": kind, "stream": stream, "toxicity": toxicity,
            "attributes": attributes})
        self._toxics.append(name)

    @property
    def bytes_read(self):
        """By the process so far, from any socket: rises with what a toxic holds back, too."""
        counters = pathlib.Path(f"/proc/{self._toxiproxy.process.pid}/io").read_text()
        return int(re.search(r"rchar: (\d+)", counters)[1])

    def cut(self):
        """Closes every connection and refuses new ones."""
        self._toxiproxy.call("POST", f"/proxies/{self.name}", {"enabled": False})

    def mend(self):
        """Takes connections again; toxics stay."""
        self._toxiproxy.call("POST", f"/proxies/{self.name}", {"enabled": True})

    def heal(self):
        """As if nothing had been."""
        for name in self._toxics:
            self._toxiproxy.call("DELETE", f"/proxies/{self.name}/toxics/{name}")
        self._toxics.clear()
        self.mend()
