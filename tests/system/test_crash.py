"""kill -9 at random moments under load. The oracle is this process: it knows what was acknowledged.

After every crash the server starts again on what is on the disk; in the end every write that was
acknowledged at LOCAL_DISK is in the table exactly once, no write is there twice, and no LSN was
given to two writes. A run is repeated with ARKA_CRASH_SEED, its length set by ARKA_CRASH_CYCLES.
"""

import collections
import os
import random
import threading
import time

import pyarrow as pa
import pytest
from testbed import lake
from testbed.server import eventually
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("writer", pa.int32()), ("number", pa.int64()), ("pad", pa.string())])
WRITERS = 3
CYCLES = int(os.environ.get("ARKA_CRASH_CYCLES", "20"))


class Writer:
    """Sends numbered one-row writes until its server dies; remembers what was acknowledged."""

    def __init__(self, number):
        self.number = number
        self.next = 0
        self.lsn_of = {}  # row number -> LSN, for every write that got one
        self.durable = set()  # row numbers acknowledged at LOCAL_DISK or above

    def run(self, location_of, seed):
        rng = random.Random(seed)
        first, stream = self.next, None
        try:
            with location_of() as client:
                stream = WriteStream(client, SCHEMA)
                while True:
                    pad = "p" * rng.choice((0, 10, 1_000, 20_000))
                    stream.write(pa.record_batch(
                        [pa.array([self.number], pa.int32()), pa.array([self.next]), pa.array([pad])],
                        schema=SCHEMA))
                    self.next += 1
                    if stream.ended:
                        break
        except Exception:  # the server is gone: that is the point
            pass
        if stream is None:
            return
        stream.join(20)
        # A stream's acks come in the order of its writes, so the n-th MEMORY ack is the n-th write.
        numbers = {}
        for place, ack in enumerate(stream.of("MEMORY")):
            numbers[ack.lsn] = first + place
            self.lsn_of[first + place] = ack.lsn
        self.durable |= {numbers[a.lsn] for a in stream.of("LOCAL_DISK")}


@pytest.mark.timeout(900)
def test_kill_9_loses_nothing_acknowledged_and_repeats_nothing(start_server):
    seed = int(os.environ.get("ARKA_CRASH_SEED", time.time_ns() % 1_000_000))
    print(f"ARKA_CRASH_SEED={seed}")
    rng = random.Random(seed)
    server = start_server({
        "durability.s3_upload_interval": "10ms",
        "durability.iceberg_commit_interval": "50ms",
        "write_buffer.max_buffer_size": "256KB",
    })
    writers = [Writer(number) for number in range(WRITERS)]
    for cycle in range(CYCLES):
        threads = [threading.Thread(target=w.run, args=(server.connect, rng.random()))
                   for w in writers]
        for thread in threads:
            thread.start()
        time.sleep(rng.choice((0.05, 0.1, 0.3, 0.6)) * (0.5 + rng.random()))
        server.kill()
        print(f"cycle {cycle}: killed")
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        server.restart()

    lsns = [lsn for writer in writers for lsn in writer.lsn_of.values()]
    assert len(lsns) == len(set(lsns)), "an LSN was given to two writes"
    for writer in writers:
        in_order = [writer.lsn_of[n] for n in sorted(writer.lsn_of)]
        assert in_order == sorted(in_order), "a later write got a lower LSN"

    durable = {(w.number, n) for w in writers for n in w.durable}
    assert len(durable) > CYCLES, "too little was written for this to say anything"

    def rows():
        table = lake.read_with_pyiceberg(server).select(["writer", "number"])
        return [(r["writer"], r["number"]) for r in table.to_pylist()]

    def all_there():
        return durable <= set(rows())

    try:
        eventually(all_there, timeout=30, every=0.2)
    except AssertionError:
        lost = sorted((writers[w].lsn_of[n], w, n) for w, n in durable - set(rows()))
        raise AssertionError(
            f"seed {seed}: {len(lost)} acknowledged writes are lost, (LSN, writer, number): "
            f"{lost[:5]} to {lost[-1]}") from None
    server.stop()
    found = rows()
    twice = sorted(row for row, count in collections.Counter(found).items() if count > 1)
    assert not twice, f"seed {seed}: written once, there twice: {twice[:10]}"
    sent = {(w.number, n) for w in writers for n in range(w.next)}
    assert set(found) <= sent, "rows that nobody wrote"
