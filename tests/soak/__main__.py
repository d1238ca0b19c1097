"""Load that the server cannot serve, for as long as wanted: `./dev soak --minutes 10`.

Thousands of open streams, and writers that send 4 MB batches as fast as they are taken, which is
faster than Parquet files are written. In the second fifth of the time the log's disk is slow, in the
third the object store is away, in the fourth the catalog. At the end the writers stop, and everything
must be committed by itself. Once a second the server's memory and status are noted. Fails where memory passes the
limit, where the log passes its bound, where acks come out of order or a tier before the one below it,
where a stream ends, where nothing moves although there is room, or where something is not committed
in the end.
"""

import argparse
import contextlib
import os
import pathlib
import resource
import shutil
import statistics
import sys
import tempfile
import threading
import time

import pyarrow as pa
import pyarrow.flight as flight
from crash.shim import Shim
from testbed import http2
from testbed.raw_flight import schema_message
from testbed.server import ArkaServer
from testbed.status import status
from testbed.write_stream import TIERS, WriteStream

from soak.ack_order import problems_of
from soak.outages import catalog_is_away, store_is_away

SCHEMA = pa.schema([("value", pa.int64())])
ROWS = 512 << 10  # 4 MB
STREAMS_PER_CONNECTION = 100
PATIENCE_SECONDS = 300  # for everything to be committed in the end


def disk_rate(directory, megabytes=512):
    """MB/s of writing and syncing, a megabyte at a time over blocks that are there already."""
    block = os.urandom(1 << 20)
    path = directory / "probe"
    path.write_bytes(block * megabytes)
    with open(path, "r+b", buffering=0) as file:
        os.fsync(file)
        begun = time.monotonic()
        for _ in range(megabytes):
            file.write(block)
            os.fdatasync(file)
        seconds = time.monotonic() - begun
    path.unlink()
    return megabytes * 1.048576 / seconds


def open_idle_streams(server, count):
    """Connections that hold `count` streams together, each with its table open."""
    opening = http2.grpc_message(schema_message(SCHEMA, "idle"))
    connections = []
    for first in range(0, count, STREAMS_PER_CONNECTION):
        connection = http2.connect(server)
        for i in range(min(STREAMS_PER_CONNECTION, count - first)):
            stream = 2 * i + 1
            connection.sendall(http2.open_exchange(stream)
                               + http2.frame(http2.DATA, 0, stream, opening))
        connections.append(connection)
    return connections


def write_until(stop, stream):
    batch = pa.record_batch([pa.array(range(ROWS))], schema=SCHEMA)
    with contextlib.suppress(pa.ArrowException, flight.FlightError):  # seen as `ended`
        while not stop.is_set():
            stream.write(batch)


class Watch:
    """Notes once a second how the server is, and what is wrong."""

    def __init__(self, server, memory_limit):
        self.server, self.memory_limit = server, memory_limit
        self.wrong = []
        self._last = status(server)
        self._moved_at = time.monotonic()

    def look(self):
        time.sleep(1)
        seen = status(self.server)
        seen["resident"] = self.server.resident_mb
        seen["taken"] = (seen["last_lsn"] - self._last["last_lsn"]) * ROWS * 8 / 1e6
        seen["committed"] = (seen["committed_lsn"] - self._last["committed_lsn"]) * ROWS * 8 / 1e6
        if seen["resident"] > self.memory_limit:
            self.wrong.append(f"{seen['resident']:.0f} MB of memory")
        if seen["log_bytes"] > seen["log_limit_bytes"]:
            self.wrong.append(f"{seen['log_bytes']} bytes of log")
        if any(seen[key] != self._last[key] for key in ("last_lsn", "committed_lsn")):
            self._moved_at = time.monotonic()
        self._last = seen
        return seen

    @property
    def quiet_seconds(self):
        return time.monotonic() - self._moved_at

    def phase(self, name, seconds, may_be_full):
        """Watches for a while and prints a line of it."""
        self._moved_at = time.monotonic()
        until = time.monotonic() + seconds
        looks = []
        while time.monotonic() < until:
            looks.append(self.look())
            if not may_be_full and self.quiet_seconds > 60:
                self.wrong.append(f"{name}: nothing moved for a minute")
                self._moved_at = time.monotonic()

        def spread(key, unit=1.0):
            values = [look[key] / unit for look in looks]
            return f"{min(values):6.0f} {statistics.median(values):6.0f} {max(values):6.0f}"

        print(f"{name:<18} {spread('resident')}  {spread('taken')}  {spread('committed')}  "
              f"{spread('backlog_bytes', 1e6)}  {spread('log_bytes', 1e6)}", flush=True)


def soak(options, server, shim, wrong):
    watch = Watch(server, options.memory_limit)
    idle = open_idle_streams(server, options.streams)
    stop = threading.Event()
    streams = [WriteStream(flight.connect(server.location), SCHEMA, f"busy{i}")
               for i in range(options.writers)]
    writers = [threading.Thread(target=write_until, args=(stop, s), daemon=True) for s in streams]
    for writer in writers:
        writer.start()
    print(f"{options.streams} idle streams, {options.writers} writers; memory limit "
          f"{options.memory_limit} MB, log limit {options.disk} MB\n"
          "each: least, median, most   memory, MB            taken, MB/s"
          "          committed, MB/s       backlog, MB           log, MB")
    seconds = 60 * options.minutes / 5
    watch.phase("all is well", seconds, False)
    shim.set("log_bytes_per_second", options.slow_disk << 20)
    watch.phase("a slow disk", seconds, False)
    shim.set("log_bytes_per_second", 0)
    with store_is_away(server):
        watch.phase("no object store", seconds, True)
    with catalog_is_away(server):
        watch.phase("no catalog", seconds, True)
    watch.phase("all is well again", seconds, False)
    ended = [f"a stream ended: {stream.error}" for stream in streams if stream.ended]
    stop.set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        seen = watch.look()
        if seen["committed_lsn"] == seen["last_lsn"] and not any(w.is_alive() for w in writers):
            break
        if time.monotonic() > deadline:
            ended.append(f"not committed: {seen}")
            break
    for stream in streams:
        if not ended:
            stream.wait("COMMITTED", timeout=60)
        problem = problems_of(list(stream.acks))
        if problem:
            ended.append(problem)
    counts = {tier: sum(s.counts[tier] for s in streams) for tier in TIERS}
    print(f"written: {sum(s.written for s in streams)}; acknowledged: "
          + ", ".join(f"{tier} {count}" for tier, count in counts.items())
          + f"; refused: {seen['refused_writes']}; all committed "
          f"{time.monotonic() - deadline + PATIENCE_SECONDS:.0f} s after the last write")
    wrong += watch.wrong + ended
    for connection in idle:
        connection.close()


def main():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--memory-limit", type=int, default=1536, help="MB")
    parser.add_argument("--disk", type=int, default=8192, help="MB for the log")
    parser.add_argument("--slow-disk", type=int, default=50, help="MB/s, where it is slow")
    parser.add_argument("--dir", type=pathlib.Path, help="where the data goes (a temporary place)")
    options = parser.parse_args()

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="arka-soak-", dir=options.dir))
    print(f"disk: {disk_rate(directory):.0f} MB/s, synced megabyte by megabyte")
    shim = Shim(directory)
    server = ArkaServer(directory / "data", {"server.memory_limit": f"{options.memory_limit}MB",
                                             "wal.max_bytes": f"{options.disk}MB",
                                             "durability.iceberg_commit_interval": "5s",
                                             "write_buffer.admission_timeout": "10m"},
                        env=shim.environment)
    wrong = []
    try:
        soak(options, server, shim, wrong)
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)
    for problem in wrong:
        print("WRONG: " + problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
