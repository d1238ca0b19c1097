"""A server that acknowledges what it cannot have is not believed."""

import json

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from driver import DriverError

ACKS = pa.schema([
    pa.field("lsn", pa.int64(), nullable=False),
    pa.field("durability_level", pa.string(), nullable=False),
    pa.field("is_durability_update", pa.bool_(), nullable=False),
    pa.field("timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("is_watermark_update", pa.bool_(), nullable=False),
    ("disk_lsn", pa.int64()), ("s3_lsn", pa.int64()), ("committed_lsn", pa.int64()),
    ("snapshot_id", pa.int64())])

# What it answers to the stream's first batch.
LIES = {
    "an ack of what was not sent": [(1000, "MEMORY"), (1001, "MEMORY")],
    "a level that is skipped": [(1000, "MEMORY"), (1000, "OBJECT_STORAGE")],
    "a level without the first ack": [(1000, "LOCAL_DISK")],
    "a level of another write": [(1000, "MEMORY"), (999, "LOCAL_DISK")],
    "a level twice": [(1000, "MEMORY"), (1000, "LOCAL_DISK"), (1000, "LOCAL_DISK")],
    "a level that there is not": [(1000, "MEMORY"), (1000, "PAPER")],
}


class Liar(flight.FlightServerBase):
    def __init__(self, acks):
        super().__init__("grpc://127.0.0.1:0")
        self._acks = acks

    def do_action(self, context, action):
        body = json.loads(action.body.to_pybytes())
        yield json.dumps({**body, "last_seq": 0, "lsn": None}).encode()

    def do_exchange(self, context, descriptor, reader, writer):
        writer.begin(ACKS)
        reader.read_chunk()
        count = len(self._acks)
        lsns, levels = zip(*self._acks)
        writer.write_batch(pa.record_batch([
            pa.array(lsns), pa.array(levels), pa.array([level != "MEMORY" for level in levels]),
            pa.array([0] * count, ACKS.field(3).type), pa.array([False] * count),
            *[pa.nulls(count, pa.int64())] * 4], schema=ACKS))
        for _ in reader:
            pass


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_a_typed_error(lie, driver):
    with Liar(LIES[lie]) as server:
        driver.connect(url=f"grpc://127.0.0.1:{server.port}", options={"deadline_ms": 20_000})
        try:
            with pytest.raises(DriverError) as refused:
                driver.open(table="sales.orders")
                driver.write(first=0, batches=1, rows=5)
                driver.wait(level="COMMITTED", timeout_ms=20_000)
        finally:
            driver.kill()  # the server's end waits for its stream's
        assert (refused.value.code, refused.value.retryable) == ("INTERNAL", False)
