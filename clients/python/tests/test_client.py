"""The client in its own idiom; what all clients share is tested in clients/conformance."""

import asyncio
import contextlib
import threading
import time

import pyarrow as pa
import pytest

import arka

SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False), ("name", pa.string())])


def batch(first=0, rows=10):
    ids = range(first, first + rows)
    return pa.record_batch([pa.array(ids, pa.int64()), pa.array([f"name {i}" for i in ids])],
                           schema=SCHEMA)


def count(client, table):
    return client.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()


@contextlib.contextmanager
def held_up(stream):
    """No ack is taken meanwhile."""
    outbox, go = stream._outbox, threading.Event()
    take = outbox.take
    outbox.take = lambda acks: (go.wait(30), take(acks))
    yield
    go.set()


def test_a_write_is_a_handle_whose_lsn_and_level_come_later(client, table):
    with client.open(table, SCHEMA) as stream:
        first, second = stream.write(batch()), stream.write(batch(10))
        assert (first.seq, second.seq, first.rows) == (1, 2, 10)
        assert second.result(30) > first.result(30)
        assert second.wait("COMMITTED", 30) == second.lsn
        assert first.level is arka.Level.COMMITTED
        assert client.level_of(first.lsn) is arka.Level.COMMITTED
        assert stream.wait_for_durability(first.lsn, arka.Level.OBJECT_STORAGE) is None
        assert stream.held_bytes == 0 and stream.pending == []
        with pytest.raises(ValueError, match="none of this stream"):
            stream.wait_for_durability(second.lsn + 1000)
        with pytest.raises(ValueError, match="no durability level 'PAPER'; there are MEMORY"):
            first.wait("PAPER")


def test_the_first_write_brings_the_schema_where_none_was_given(client, table):
    with client.open(table) as stream:
        assert stream.schema is None
        stream.write_durable(batch())
        assert stream.schema == SCHEMA
        with pytest.raises(arka.ArkaError, match="does not fit the stream.s schema") as refused:
            stream.write(pa.record_batch([pa.array([1])], names=["x"]))
        assert (refused.value.code, refused.value.retryable) == ("INVALID_ARGUMENT", False)
        stream.write_durable(batch(10))  # the stream is none the worse for it
    assert count(client, table) == 20


def test_tables_and_frames_are_written_in_batches(client, table):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    with client.open(table, SCHEMA) as stream:
        writes = stream.write_all(pa.Table.from_batches([batch(0, 1000)]), max_rows=300)
        assert [write.rows for write in writes] == [300, 300, 300, 100]
        stream.write(pandas.DataFrame({"name": ["a", None], "id": [1000, 1001]})[["id", "name"]])
        stream.write(polars.DataFrame({"name": ["a", None], "id": [1002, 1003]}))
        stream.write([{"id": 1004}, {"id": 1005, "name": "e"}])
        stream.write_all((batch(first, 5) for first in (1006, 1011)), progress=True)
        with pytest.raises(arka.ArkaError, match="does not fit the stream's schema"):
            stream.write(polars.DataFrame({"id": ["one"], "name": ["a"]}))
    assert count(client, table) == 1016


def test_on_ack_may_be_slow_and_may_write(client, table):
    heard, done = [], threading.Event()

    def on_ack(ack):
        heard.append(ack)
        if len(heard) == 1:
            time.sleep(0.2)
            stream.write(batch(100))
        if ack.level is arka.Level.COMMITTED and ack.seq == 4:
            done.set()

    with client.open(table, SCHEMA, on_ack=on_ack) as stream:
        for first in (0, 10, 20):
            stream.write(batch(first))
        assert done.wait(30)
    last = [ack for ack in heard if ack.seq == 4]
    assert [ack.level for ack in last] == list(arka.Level)
    assert last[3].snapshot_id is not None and last[3].timestamp >= last[0].timestamp


def test_acks_can_be_iterated(client, table):
    with client.open(table, SCHEMA, keep_acks=True) as stream:
        stream.write_durable(batch(), "COMMITTED")
        acks = stream.acks()
        assert [next(acks).level for _ in range(4)] == list(arka.Level)
    assert list(acks) == []


def test_a_full_budget_blocks_or_raises_as_asked(client, table):
    size = batch(100).nbytes
    with client.open(table, SCHEMA, budget=size) as stream:
        for n in range(10, 30):  # each waits for the one before
            write = stream.write(batch(n * 10))
            assert 0 <= stream.held_bytes <= size
        write.wait()
        with held_up(stream):
            stream.write(batch(300))
            with pytest.raises(arka.BudgetExceeded) as full:
                stream.write(batch(310), block=False)
            assert (full.value.code, full.value.retryable) == ("RESOURCE_EXHAUSTED", True)
            with pytest.raises(arka.DeadlineExceeded, match="no room"):
                stream.write(batch(310), timeout=0.05)
    assert count(client, table) == 210


def test_a_closed_stream_takes_no_writes_and_answers_for_what_it_wrote(client, table):
    stream = client.open(table, SCHEMA)
    write = stream.write(batch())
    stream.close()
    stream.close()
    assert write.level >= arka.Level.LOCAL_DISK and write.lsn is not None
    with pytest.raises(arka.StreamClosed):
        stream.write(batch())


def test_a_stream_whose_name_is_claimed_by_another_fails_and_has_what_it_keeps(client, url, table):
    first = arka.connect(url, deadline=30)
    elder = first.open(table, SCHEMA, producer="till 4")
    elder.write_durable(batch())
    with client.open(table, SCHEMA, producer="till 4") as younger:
        write = elder.write(batch(100))
        for fenced in (write.wait, lambda: elder.write(batch(110)), elder.flush, first.close):
            with pytest.raises(arka.ArkaError, match="till 4") as refused:
                fenced()
            assert (refused.value.code, refused.value.retryable) == ("FAILED_PRECONDITION", False)
        assert elder.pending == [write] and write.batch == batch(100)
        assert younger.write(batch(10)).seq == 2
    assert count(client, table) == 20


def test_threads_share_a_stream(client, table):
    with client.open(table, SCHEMA) as stream:
        threads = [threading.Thread(target=lambda n=n: [stream.write(batch(n * 1000 + i * 10))
                                                        for i in range(100)]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    answer = client.query(f"SELECT count(*) AS n, count(DISTINCT id) AS d FROM {table}").to_pylist()
    assert answer == [{"n": 4000, "d": 4000}]


def test_the_sessions_events_and_the_servers_watermarks_can_be_asked(client, table):
    with client.open(table, SCHEMA) as stream:
        lsn = stream.write_durable(batch(), "COMMITTED")
        marks = client.watermarks()
        assert marks.last_lsn >= marks.disk_lsn >= lsn and marks.s3_lsn >= marks.committed_lsn
        events = client.get_durability_status(lsn - 1, until="COMMITTED").events
        assert [event.level for event in events if event.lsn == lsn] == list(arka.Level)
    assert client.flush("LOCAL_DISK", table) >= lsn
    with pytest.raises(arka.ArkaError) as unknown:
        client.get_durability_status(session="nobody's")
    assert unknown.value.code == "NOT_FOUND"


def test_tracker_cache_and_lag_follow_a_stream(client, table):
    tracker, cache = arka.AckTracker(), arka.LocalCache()
    with client.open(table, SCHEMA, on_ack=tracker.on_ack) as stream:
        lag = arka.DurabilityLag(stream)
        assert (lag.writes, lag.seconds) == (0, 0.0)
        writes = [stream.write(batch(n * 10)) for n in range(5)]
        for number, write in enumerate(writes):
            cache.put(write, number)
        tracker.wait_all_durable([write.result(30) for write in writes], "OBJECT_STORAGE", 30)
        assert tracker.level_of(writes[-1].lsn) >= arka.Level.OBJECT_STORAGE
        stream.wait_for_durability(level="OBJECT_STORAGE")
        assert cache.clean(client.watermarks()) == [0, 1, 2, 3, 4] and len(cache) == 0
        assert (lag.writes, lag.seconds) == (0, 0.0)
        with pytest.raises(arka.DeadlineExceeded):
            tracker.wait_all_durable([writes[-1].lsn + 1], timeout=0.05)


def test_the_same_with_asyncio(url, table):
    async def run():
        async with arka.aio.connect(url, budget=batch().nbytes * 3) as client:
            async with await client.open(table, SCHEMA, keep_acks=True) as stream:
                writes = [await stream.write(batch(n * 10)) for n in range(50)]
                lsns = [await write for write in writes]
                assert lsns == sorted(lsns)
                await stream.wait_for_durability(writes[-1], "COMMITTED")
                assert await stream.write_durable(batch(500)) > lsns[-1]
                seen = 0
                async for ack in stream.acks():
                    seen += ack.level is arka.Level.LOCAL_DISK
                    if seen == 51:
                        break
                await stream.flush("OBJECT_STORAGE")
            return (await client.query(f"SELECT count(*) AS n FROM {table}"))["n"][0].as_py()

    assert asyncio.run(run()) == 510
