"""Thousands of open streams, a connection each: they cost no threads, little memory, no CPU."""

import os
import pathlib
import resource
import select
import time

import pyarrow as pa
import pytest
from testbed import http2
from testbed.raw_flight import batch_message, schema_message
from testbed.server import eventually

STREAMS = 2_000
SCHEMA = pa.schema([("id", pa.int64())])
OPENING = http2.open_exchange() + http2.frame(
    http2.DATA, 0, 1, http2.grpc_message(schema_message(SCHEMA, "idle")))
WRITE = http2.frame(http2.DATA, 0, 1, http2.grpc_message(
    batch_message(pa.record_batch([pa.array([1])], schema=SCHEMA))))


@pytest.fixture
def open_files():
    """Room for the streams' sockets on this side; the server makes its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < STREAMS + 500:
        pytest.skip(f"only {hard} open files are allowed here (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, STREAMS + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy(server, seconds=1):
    """The share of a core that the server uses."""
    before = cpu_seconds(server)
    time.sleep(seconds)
    return (cpu_seconds(server) - before) / seconds


class Crowd:
    """Many connections and what each of them was sent."""

    def __init__(self):
        self._poll = select.epoll()
        self._sockets = {}
        self.received = {}

    def add(self, connection):
        connection.setblocking(False)
        self._sockets[connection.fileno()] = connection
        self.received[connection.fileno()] = 0
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def send(self, data):
        for connection in self._sockets.values():
            connection.sendall(data)

    def await_all(self, size, timeout=30):
        """Reads until everybody was sent `size` more bytes."""
        wanted = {fd: got + size for fd, got in self.received.items()}
        missing, until = set(wanted), time.monotonic() + timeout
        while missing:
            assert time.monotonic() < until, f"{len(missing)} of {len(wanted)} got no answer"
            for fd, _ in self._poll.poll(0.2):
                part = self._sockets[fd].recv(1 << 16)
                assert part, "the server closed a stream"
                self.received[fd] += len(part)
                if self.received[fd] >= wanted[fd]:
                    missing.discard(fd)

    def close(self):
        for connection in self._sockets.values():
            connection.close()


def test_two_thousand_idle_streams_cost_no_threads_and_little_memory(start_server, open_files):
    server = start_server()
    threads, memory = server.threads, server.resident_mb
    crowd = Crowd()
    try:
        for _ in range(STREAMS):
            connection = http2.connect(server)
            connection.sendall(OPENING)
            crowd.add(connection)
        crowd.await_all(300)  # the ack schema
        assert server.threads == threads
        grown = server.resident_mb - memory
        assert grown < 80, f"{grown:.0f} MB for {STREAMS} streams"

        # What opening them brought with it ends; then they are quiet.
        eventually(lambda: busy(server) < 0.05, timeout=20, every=0)

        crowd.send(WRITE)
        crowd.await_all(100)
        assert server.threads == threads
    finally:
        crowd.close()
