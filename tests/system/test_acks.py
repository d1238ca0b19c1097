"""What a writing client is told: levels, order, LSNs, snapshots, and the headers that filter them."""

import datetime
import json
import time

import pyarrow as pa
import pytest
from testbed import lake
from testbed.write_stream import TIERS, ResponseHeaders, WriteStream, check_order, refusal

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])


def rows(first, count):
    ids = range(first, first + count)
    return pa.record_batch([pa.array(ids), pa.array([f"n{i}" for i in ids])], schema=SCHEMA)


def test_a_write_is_acknowledged_at_all_four_levels_in_order(client):
    stream = WriteStream(client, SCHEMA)
    stream.write(rows(0, 3))
    stream.wait("COMMITTED")
    stream.finish()
    levels = check_order(stream.acks)
    assert list(levels) == [1000], "the first LSN of a new deployment"
    assert tuple(a.durability_level for a in levels[1000]) == TIERS
    now = datetime.datetime.now(datetime.timezone.utc)
    for ack in levels[1000]:
        assert abs(now - ack.timestamp) < datetime.timedelta(seconds=60)
        assert (ack.disk_lsn, ack.s3_lsn, ack.committed_lsn) == (None, None, None)


def test_ack_batches_have_the_documented_schema(client):
    stream = WriteStream(client, SCHEMA)
    stream.finish()
    assert stream.ack_schema == pa.schema([
        pa.field("lsn", pa.int64(), nullable=False),
        pa.field("durability_level", pa.string(), nullable=False),
        pa.field("is_durability_update", pa.bool_(), nullable=False),
        pa.field("timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("is_watermark_update", pa.bool_(), nullable=False),
        pa.field("disk_lsn", pa.int64()),
        pa.field("s3_lsn", pa.int64()),
        pa.field("committed_lsn", pa.int64()),
        pa.field("snapshot_id", pa.int64()),
    ])
    assert stream.acks == []


def test_the_ack_schema_comes_before_any_batch_was_sent(client):
    stream = WriteStream(client, SCHEMA, read_acks=False)
    assert stream.reader.schema.names[0] == "lsn"
    stream.writer.close()


def test_a_committed_ack_names_the_snapshot_that_holds_the_write(server, client):
    stream = WriteStream(client, SCHEMA)
    stream.write(rows(0, 2))
    first = stream.wait("COMMITTED")[0]
    stream.write(rows(2, 3))
    second = stream.wait("COMMITTED")[1]
    stream.finish()
    assert first.snapshot_id != second.snapshot_id
    assert all(a.snapshot_id is None for a in stream.acks if a.durability_level != "COMMITTED")
    table = lake.load_table(server)
    for ack, ids in ((first, [0, 1]), (second, [0, 1, 2, 3, 4])):
        found = table.scan(snapshot_id=ack.snapshot_id).to_arrow()["id"].to_pylist()
        assert sorted(found) == ids
        versioned = lake.scan(server)[:-1] + f", snapshot_from_id={ack.snapshot_id})"
        counted = lake.duckdb_connection().sql(f"SELECT id FROM {versioned} ORDER BY id")
        assert [row[0] for row in counted.fetchall()] == ids


def test_lsns_are_dense_and_increase_in_the_order_of_the_writes(client):
    stream = WriteStream(client, SCHEMA)
    for i in range(2_000):
        stream.write(rows(i, 1))
    stream.wait("OBJECT_STORAGE")
    stream.finish()
    check_order(stream.acks)
    assert stream.lsns() == list(range(1000, 3000))
    assert stream.ack_batches < len(stream.acks), "acks that are due together come together"


def test_at_every_level_the_nth_ack_is_of_the_nth_batch(client):
    """Clients count on it. LSNs of the streams interleave, and the tables are committed one after the
    other; a stream that sends all again is answered for what was committed, is on its way, and is new."""
    def write(stream, numbers):
        for number in numbers:
            stream.write(rows(number, 1), json.dumps({"seq": number}).encode())

    def opened(table):
        return WriteStream(client, SCHEMA, table, headers={"arka-producer": "p"})

    one, other = opened("one"), opened("other")
    for number in range(1, 501):
        write(one, [number])
        write(other, [number])
    one.wait("COMMITTED")
    for number in range(501, 1001):
        write(one, [number])
        write(other, [number])
    again = opened("one")
    one.wait("MEMORY")
    write(again, range(1, 1501))
    for stream in (one, other, again):
        stream.wait("COMMITTED")
        assert stream.lsns() == sorted(stream.lsns())
        for tier in TIERS[1:]:
            assert stream.lsns(tier) == stream.lsns()
        stream.finish()
    assert again.lsns()[:1000] == one.lsns() != list(range(1000, 2000))


def test_a_half_closed_stream_ends_when_its_writes_are_in_the_object_store(slow_server):
    with slow_server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(10):
            stream.write(rows(i, 1))
        stream.finish(timeout=10)
        assert len(stream.of("OBJECT_STORAGE")) == 10
        assert stream.of("COMMITTED") == [], "the commit interval is a minute"


@pytest.mark.parametrize("until", TIERS)
def test_ack_until_says_when_a_half_closed_stream_may_end(client, until):
    stream = WriteStream(client, SCHEMA, headers={"arka-ack-until": until})
    for i in range(5):
        stream.write(rows(i, 1))
    stream.finish()
    assert len(stream.of(until)) == 5
    check_order(stream.acks)


def test_acks_filters_the_levels(client):
    headers = {"arka-acks": "LOCAL_DISK,COMMITTED", "arka-ack-until": "COMMITTED"}
    stream = WriteStream(client, SCHEMA, headers=headers)
    for i in range(5):
        stream.write(rows(i, 1))
    stream.finish()
    assert {a.durability_level for a in stream.acks} == {"LOCAL_DISK", "COMMITTED"}
    assert stream.lsns("LOCAL_DISK") == stream.lsns("COMMITTED") == list(range(1000, 1005))


def test_watermarks_come_only_when_asked_for_and_never_fall(client):
    stream = WriteStream(client, SCHEMA)
    started = time.monotonic()
    asking = WriteStream(client, SCHEMA, headers={"arka-watermarks": "true"})
    for i in range(20):
        stream.write(rows(i, 1))
        asking.write(rows(i, 1))
        asking.wait("COMMITTED", i + 1)
    stream.finish()
    asking.finish()
    assert stream.watermarks == []
    marks = asking.watermarks
    assert marks, "twenty commits and not one watermark row"
    for mark in marks:
        assert mark.lsn >= mark.disk_lsn >= mark.s3_lsn >= mark.committed_lsn
    for column in ("disk_lsn", "s3_lsn", "committed_lsn"):
        values = [getattr(m, column) for m in marks]
        assert values == sorted(values)
    assert len(marks) <= 1 + 10 * (time.monotonic() - started), "at most one every 100 ms"


def test_the_session_is_echoed_or_made(server):
    headers = ResponseHeaders()
    with server.connect(middleware=[headers]) as client:
        WriteStream(client, SCHEMA, headers={"arka-session": "till 7"}).finish()
        assert headers.received["arka-session"] == ["till 7"]
        made = []
        for _ in range(2):
            WriteStream(client, SCHEMA).finish()
            made += headers.received["arka-session"]
    assert all(made) and made[0] != made[1]


@pytest.mark.parametrize("headers, word", [
    ({"arka-acks": "MEMORY,DISK"}, "DISK"),
    ({"arka-ack-until": "forever"}, "forever"),
    ({"arka-watermarks": "perhaps"}, "perhaps"),
    ({"arka-session": "x" * 129}, "arka-session"),
])
def test_a_bad_header_is_refused_by_name(client, headers, word):
    error = refusal(client, SCHEMA, headers=headers)
    assert isinstance(error, pa.ArrowInvalid), repr(error)
    assert word in str(error) and next(iter(headers)) in str(error)


def test_a_batch_without_rows_gets_an_lsn_and_moves_the_watermarks(server, client):
    stream = WriteStream(client, SCHEMA, headers={"arka-watermarks": "true"})
    stream.write(rows(0, 0))
    stream.write(rows(0, 1))
    stream.write(rows(0, 0))
    stream.wait("COMMITTED")
    levels = check_order(stream.acks)
    assert list(levels) == [1000, 1001, 1002]
    assert all(len(steps) == 4 for steps in levels.values())
    stream.finish()
    assert lake.read_with_pyiceberg(server).num_rows == 1
