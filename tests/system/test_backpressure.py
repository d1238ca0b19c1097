"""More writes than memory, disk or patience: who waits, who is refused, and what is told of it."""

import threading
import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from crash.shim import Shim
from soak.ack_order import problems_of
from soak.outages import catalog_is_away, store_is_away
from testbed.server import ArkaServer
from testbed.status import status
from testbed.write_stream import WriteStream

BIG = pa.schema([("value", pa.int64())])
TINY = pa.schema([("id", pa.int64())])
BIG_ROWS = 1 << 20  # 8 MB


def test_a_greedy_stream_starves_no_other(tmp_path):
    """Twenty small writers beside one that sends 8 MB batches as fast as they are taken."""
    server = ArkaServer(tmp_path, {"write_buffer.max_unflushed_bytes": "64MB",
                                   "write_buffer.max_buffer_size": "32MB"})
    try:
        stop = time.monotonic() + 6
        batch = pa.record_batch([pa.array(range(BIG_ROWS))], schema=BIG)
        greedy = WriteStream(flight.connect(server.location), BIG, "greedy", headers={
            "arka-acks": "MEMORY,LOCAL_DISK"})

        def send_greedily():
            while time.monotonic() < stop:
                greedy.write(batch)

        latencies = []
        finished = []

        def write_tiny(number):
            stream = WriteStream(flight.connect(server.location), TINY, f"tiny{number}",
                                 headers={"arka-acks": "LOCAL_DISK"})
            count = 0
            while time.monotonic() < stop:
                begun = time.monotonic()
                stream.write(pa.record_batch([pa.array([count])], schema=TINY))
                count += 1
                stream.wait("LOCAL_DISK", count, timeout=25)
                latencies.append(time.monotonic() - begun)
            finished.append(count)

        threads = [threading.Thread(target=send_greedily)]
        threads += [threading.Thread(target=write_tiny, args=(i,)) for i in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(finished) == 20 and min(finished) >= 3, finished
        latencies.sort()
        assert latencies[len(latencies) * 99 // 100] < 5, latencies[-10:]
        assert greedy.counts["MEMORY"] >= 3
        assert status(server)["refused_writes"] == 0
    finally:
        server.kill()


def test_a_full_log_refuses_what_has_waited_and_says_why(tmp_path):
    """Nothing is committed here, so a log of four files is soon full; earlier acks still come."""
    server = ArkaServer(tmp_path, {"wal.max_bytes": "16MB", "wal.segment_size": "4MB",
                                   "server.max_batch_bytes": "4MB",
                                   "durability.iceberg_commit_interval": "1h",
                                   "write_buffer.admission_timeout": "1s"})
    try:
        stream = WriteStream(flight.connect(server.location), TINY, "t")
        batch = pa.record_batch([pa.array(range(128 << 10))], schema=TINY)  # 1 MB
        try:
            for _ in range(100):
                stream.write(batch)
        except (pa.ArrowException, flight.FlightError):
            pass  # the stream has ended: how, is seen below
        deadline = time.monotonic() + 30
        while not stream.ended and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "wal.max_bytes" in str(stream.error), stream.error
        assert stream.counts["LOCAL_DISK"] == stream.counts["MEMORY"] > 4
        seen = status(server)
        assert seen["refused_writes"] == 1
        assert seen["log_bytes"] <= seen["log_limit_bytes"] == 16 << 20
        assert 0 < seen["process_memory_bytes"] < seen["process_memory_limit_bytes"]
    finally:
        server.kill()


@pytest.mark.parametrize("is_away", [store_is_away, catalog_is_away])
def test_what_is_away_fills_the_disk_and_not_the_memory_and_all_is_committed_when_it_is_back(
        tmp_path, is_away):
    """160 MB of writes, while the server may hold 32 MB of them in memory."""
    server = ArkaServer(tmp_path, {"write_buffer.max_unflushed_bytes": "32MB",
                                   "write_buffer.max_buffer_size": "8MB",
                                   "durability.iceberg_commit_interval": "1s"})
    try:
        stream = WriteStream(flight.connect(server.location), TINY, "t")
        batch = pa.record_batch([pa.array(range(128 << 10))], schema=TINY)  # 1 MB
        stream.write(batch)
        stream.wait("COMMITTED", 1)
        with is_away(server):
            most = 0
            for _ in range(160):
                stream.write(batch)
                most = max(most, status(server)["write_memory_bytes"])
            stream.wait("LOCAL_DISK", timeout=60)
            seen = status(server)
            # What is read back while others write may exceed it by an eighth.
            assert most <= 36 << 20 and seen["write_memory_limit_bytes"] == 32 << 20
            assert seen["log_bytes"] > 160 << 20
            if is_away is store_is_away:  # no data file can be written, so nobody else has the rows
                assert seen["backlog_bytes"] > 100 << 20
        stream.wait("COMMITTED", 161, timeout=60)
        assert problems_of(stream.acks) is None
        assert status(server)["refused_writes"] == 0
    finally:
        server.kill()


def test_a_client_faster_than_the_disk_is_held_back_and_not_refused(tmp_path):
    """The log's disk takes 8 MB/s; the client would send all of its 60 MB at once."""
    shim = Shim(tmp_path)
    server = ArkaServer(tmp_path / "data", {"write_buffer.max_unflushed_bytes": "16MB",
                                            "write_buffer.max_buffer_size": "8MB",
                                            "wal.segment_size": "64MB"}, env=shim.environment)
    try:
        stream = WriteStream(flight.connect(server.location), TINY, "t", headers={
            "arka-acks": "MEMORY,LOCAL_DISK"})
        batch = pa.record_batch([pa.array(range(128 << 10))], schema=TINY)  # 1 MB
        stream.write(batch)
        stream.wait("LOCAL_DISK", 1)
        shim.set("log_bytes_per_second", 8 << 20)
        begun = time.monotonic()
        looks = []
        for i in range(60):
            stream.write(batch)
            if i % 5 == 0:
                looks.append(status(server))
        stream.wait("LOCAL_DISK", timeout=60)
        assert time.monotonic() - begun > 2, "the disk was not slow"
        # What is read back while others write may exceed it by an eighth.
        assert max(seen["write_memory_bytes"] for seen in looks) <= 18 << 20
        assert max(seen["undurable_bytes"] for seen in looks) > 4 << 20, "nothing waited"
        assert status(server)["waited_writes"] > 0
        assert status(server)["refused_writes"] == 0
        assert problems_of(stream.acks) is None
    finally:
        server.kill()
