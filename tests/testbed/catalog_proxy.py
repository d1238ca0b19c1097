"""A way to a REST catalog on which chosen commits go wrong in a chosen manner.

toxiproxy does not know requests; this one does, and so can lose exactly the answers to commits.
"""

import http.client
import http.server
import re
import socket
import struct
import threading

COMMIT = re.compile(r"POST .*/namespaces/[^/]+/tables/[^/]+$")
LATE_SECONDS = 0.7


class CatalogProxy:
    """Forwards to the catalog on `port`; the next `times` commits go as `fault` says.

    A fault is (what becomes of the request, what is answered): the request is "applied", "dropped"
    or applied "late"; the answer is a status, with the body `body`, or "reset" or "silence".
    """

    def __init__(self, port):
        self._port = port
        self._lock = threading.Lock()
        self._fault, self._left, self._body = None, 0, b""
        self.hit = 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy.fault_of(f"{self.command} {self.path}")
                if fault is None:
                    self._answer(*proxy.forward(self.command, self.path, self.headers, body))
                    return
                fate, answer, text = fault
                if fate == "applied":
                    proxy.forward(self.command, self.path, self.headers, body)
                elif fate == "late":
                    threading.Timer(LATE_SECONDS, proxy.forward,
                                    (self.command, self.path, self.headers, body)).start()
                if answer == "silence":
                    self.connection.recv(1)  # until the client gives up
                elif answer == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))
                    self.connection.close()
                else:
                    self._answer(answer, text)

            def _answer(self, status, body):
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the client has given up

            do_GET = do_POST = do_DELETE = _serve

            def log_message(self, format, *arguments):
                pass

            def finish(self):
                try:
                    super().finish()
                except (OSError, ValueError):
                    pass  # reset

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def spoil_commits(self, fate, answer, *, times, body=b""):
        with self._lock:
            self._fault, self._left, self.hit = (fate, answer, body), times, 0

    def fault_of(self, request):
        with self._lock:
            if self._left == 0 or not COMMIT.match(request):
                return None
            self._left -= 1
            self.hit += 1
            return self._fault

    def forward(self, method, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            kept = {k: v for k, v in headers.items() if k.lower() not in ("host", "connection")}
            connection.request(method, path, body or None, kept)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 502, b""
        finally:
            connection.close()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
