"""Load that the server cannot serve, for as long as wanted: `./dev soak --minutes 10`.

Thousands of open streams, and writers that send 4 MB batches as fast as they are taken, which is
faster than Parquet files are written. Every second the server's memory and status are noted; at the
end: memory and pace as minimum, median and maximum. Fails where memory passes the limit, where acks
come out of order or a tier before the one below it, where a stream ends, or where nothing moves.
"""

import argparse
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
from testbed import http2
from testbed.raw_flight import schema_message
from testbed.server import ArkaServer
from testbed.status import status
from testbed.write_stream import TIERS, WriteStream

SCHEMA = pa.schema([("value", pa.int64())])
ROWS = 512 << 10  # 4 MB
STREAMS_PER_CONNECTION = 100


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
    while not stop.is_set():
        stream.write(batch)


def problems_of(acks):
    """What is wrong with the order of one stream's acks."""
    last = {}
    for ack in acks:
        if ack.is_watermark_update:
            continue
        tier = TIERS.index(ack.durability_level)
        if ack.lsn <= last.get(tier, 0):
            return f"{ack.durability_level} of LSN {ack.lsn} after that of {last[tier]}"
        if tier and ack.lsn > last.get(tier - 1, 0):
            return f"{ack.durability_level} of LSN {ack.lsn} before {TIERS[tier - 1]}"
        last[tier] = ack.lsn
    return None


def spread(values):
    return f"{min(values):.0f} / {statistics.median(values):.0f} / {max(values):.0f}"


def main():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--memory-limit", type=int, default=2048, help="MB")
    parser.add_argument("--disk", type=int, default=8192, help="MB for the log")
    options = parser.parse_args()

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="arka-soak-"))
    server = ArkaServer(directory, {"server.memory_limit": f"{options.memory_limit}MB",
                                    "wal.max_bytes": f"{options.disk}MB",
                                    "durability.iceberg_commit_interval": "5s",
                                    "write_buffer.admission_timeout": "10m"})
    stop = threading.Event()
    wrong = []
    try:
        idle = open_idle_streams(server, options.streams)
        streams = [WriteStream(flight.connect(server.location), SCHEMA, f"busy{i}")
                   for i in range(options.writers)]
        writers = [threading.Thread(target=write_until, args=(stop, s), daemon=True)
                   for s in streams]
        for writer in writers:
            writer.start()
        memory, pace, backlog = [], [], []
        last_lsn = 0
        quiet = 0
        until = time.monotonic() + 60 * options.minutes
        while time.monotonic() < until:
            time.sleep(1)
            seen = status(server)
            memory.append(server.resident_mb)
            pace.append((seen["last_lsn"] - last_lsn) * ROWS * 8 / 1e6 if last_lsn else 0)
            backlog.append(seen["backlog_bytes"] / 1e6)
            quiet = quiet + 1 if seen["last_lsn"] == last_lsn else 0
            if quiet == 120:
                wrong.append("no write was taken for two minutes")
            last_lsn = seen["last_lsn"]
        stop.set()
        if max(memory) > options.memory_limit:
            wrong.append(f"{max(memory):.0f} MB of memory, more than {options.memory_limit}")
        for stream in streams:
            if stream.ended:
                wrong.append(f"a stream ended: {stream.error}")
            problem = problems_of(list(stream.acks))
            if problem:
                wrong.append(problem)
        print(f"{options.streams} idle streams, {options.writers} writers, {len(memory)} s")
        print(f"memory, MB:           {spread(memory)}   (limit {options.memory_limit})")
        print(f"taken, MB/s:          {spread(pace)}")
        print(f"backlog, MB:          {spread(backlog)}")
        counts = {tier: sum(s.counts[tier] for s in streams) for tier in TIERS}
        print("writes acknowledged:  " + ", ".join(f"{t} {n}" for t, n in counts.items()))
        for connection in idle:
            connection.close()
    finally:
        stop.set()
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)
    for problem in wrong:
        print("WRONG: " + problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
