"""Arka over plain HTTP, with nothing but the standard library."""

import http.client
import io
import json
import socket
import threading

import pyarrow as pa

ARROW = "application/vnd.apache.arrow.stream"
NDJSON = "application/x-ndjson"
CSV = "text/csv"


def stream_of(*batches, schema=None, **options):
    """The batches as one Arrow IPC stream."""
    out = io.BytesIO()
    with pa.ipc.new_stream(out, schema or batches[0].schema, **options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return out.getvalue()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]


def request(server, method, path, body=None, timeout=60, **headers):
    """arka_acks="COMMITTED" becomes the header arka-acks. A generator is sent in chunks."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def post_rows(server, table, body, kind=ARROW, **headers):
    """POSTs rows to "namespace.table"."""
    namespace, _, name = table.rpartition(".")
    return request(server, "POST", f"/api/v1/tables/{namespace}/{name}", body,
                   content_type=kind, **headers)


class AckListener:
    """Reads the server-sent events of a session on a thread of its own."""

    def __init__(self, server, session, **headers):
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        self._connection.request("GET", f"/api/v1/acks/{session}", headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        self._socket = self._connection.sock
        self.response = self._connection.getresponse()
        self.events, self.ids, self.comments, self.ended = [], [], 0, False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            for line in self.response:
                line = line.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line.startswith("id: "):
                    self.ids.append(line[4:])
                elif line.startswith("data: "):
                    self.events += json.loads(line[6:])["events"]
            self.ended = True
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed by close(), or cut off

    def told(self):
        """(lsn, level) of every event so far."""
        return [(event["lsn"], event["durability_level"]) for event in list(self.events)]

    def close(self):
        """Goes, without reading on."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()
