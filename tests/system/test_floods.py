"""Peers that abuse HTTP/2 are cut off, and a client that writes beside them hardly notices.

Every flood is bounded, in bytes and in seconds, and goes to a server of the test's own.
"""

import struct
import threading
import time

import pyarrow as pa
import pytest
from testbed import http2
from testbed.server import eventually
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])
ROW = pa.record_batch([pa.array([1])], schema=SCHEMA)
SECONDS = 2  # how long a flood goes on


class Prober:
    """Writes one row after the other, each when the one before is on disk; keeps the times."""

    def __init__(self, server):
        self._server = server
        self._stop = threading.Event()
        self.seconds = []
        self.error = None
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            with self._server.connect() as client:
                stream = WriteStream(client, SCHEMA, "probe")
                while not self._stop.is_set():
                    started = time.monotonic()
                    stream.write(ROW)
                    stream.wait("LOCAL_DISK", timeout=10)
                    self.seconds.append(time.monotonic() - started)
                stream.finish()
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def __enter__(self):
        self._thread.start()
        eventually(lambda: len(self.seconds) >= 20 or self.error)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)


def flood(server, opening, pieces):
    """One connection: sends the pieces as long as the server takes them and reads nothing meanwhile.

    Returns (whether the server ended the connection, what it had said).
    """
    said, ended = bytearray(), False
    with http2.connect(server, timeout=2) as connection:
        try:
            connection.sendall(opening)
            for piece in pieces:
                connection.sendall(piece)
        except TimeoutError:
            pass  # the server does not read any more
        except OSError:
            ended = True
        try:
            while not ended and (part := connection.recv(1 << 16)):
                said += part
            ended = True
        except TimeoutError:
            pass
        except OSError:
            ended = True
    return ended, bytes(said)


def rapid_resets():
    for first in range(1, 200_000, 200):
        yield b"".join(
            http2.open_exchange(stream)
            + http2.frame(http2.RST_STREAM, 0, stream, struct.pack(">I", http2.CANCEL))
            for stream in range(first, first + 200, 2))


def continuations():
    block = b"".join(http2.header(f"x-{i:04}", "a" * 100) for i in range(145))
    return [http2.frame(http2.CONTINUATION, 0, 1, block)] * 2_000


def one_huge_header():
    size = 16 << 20
    block = b"\0\x05x-big" + http2.hpack_number(size, 7) + b"a" * size
    for at in range(0, len(block), 16_000):
        yield http2.frame(http2.CONTINUATION, 0, 1, block[at : at + 16_000])


OPEN_HEADERS = http2.frame(http2.HEADERS, 0, 1, http2.DO_EXCHANGE)
FLOODS = {  # name: (what comes first, what is sent then)
    "rapid resets": (b"", rapid_resets),
    "endless continuations": (OPEN_HEADERS, continuations),
    "one header of 16 MB": (OPEN_HEADERS, one_huge_header),
    "pings whose answers are not read": (
        b"", lambda: [http2.frame(http2.PING, 0, 0, b"12345678") * 500] * 20_000),
    "settings": (
        b"", lambda: [http2.frame(http2.SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)) * 500] * 20_000),
    "empty DATA": (
        http2.open_exchange(), lambda: [http2.frame(http2.DATA, 0, 1) * 500] * 20_000),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_that_comes_back_whenever_it_is_cut_off_disturbs_nobody(server, name):
    opening, pieces = FLOODS[name]
    with Prober(server) as prober:
        memory, threads, before = server.resident_mb, server.threads, len(prober.seconds)
        connections, until = 0, time.monotonic() + SECONDS
        while time.monotonic() < until:
            ended, said = flood(server, opening, pieces())
            connections += 1
            assert ended, f"not cut off; it said {[f[:3] for f in http2.frames(said)][:10]}"
        grown = server.resident_mb - memory
        during = prober.seconds[before:]
    assert prober.error is None, repr(prober.error)
    print(f"{connections} connections cut off, {len(during)} writes beside them, the slowest "
          f"{max(during) * 1000:.0f} ms; memory grew by {grown:.1f} MB")
    assert len(during) >= 30, f"only {len(during)} writes beside the flood"
    assert max(during) < 2, f"a write took {max(during):.1f} s"
    assert grown < 40, f"grew by {grown:.0f} MB"
    assert server.threads == threads
