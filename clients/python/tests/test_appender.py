"""Rows that fit are written, rows that do not are told."""

import collections
import threading
import time
import types

import pyarrow as pa
import pytest

import arka

SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False), ("name", pa.string()),
                    ("tags", pa.list_(pa.string()))])


class Kept:
    """Stands in for a stream: keeps the batches, of which there is room for so many."""

    table = "kept"

    def __init__(self):
        self.batches = []
        self.room = 1000

    def write(self, batch, timeout, block):
        if len(self.batches) >= self.room:
            if not block:
                raise arka.BudgetExceeded("no room")
            time.sleep(0.05 if timeout is None else timeout)
            raise arka.DeadlineExceeded("no room in time")
        self.batches.append(batch)

    def flush(self, level, timeout):
        pass

    close = flush

    def seconds(self, timeout):
        return 30 if timeout is None else timeout

    @property
    def sizes(self):
        return [batch.num_rows for batch in self.batches]


@pytest.fixture
def kept():
    return Kept()


def appender(kept, **options):
    return arka.Appender(kept, SCHEMA, **{"max_rows": 1000, "max_bytes": 1 << 20, "linger": 60,
                                          **options})


def test_rows_are_gathered_by_number(kept):
    with appender(kept, max_rows=3) as rows:
        rows.extend({"id": number} for number in range(7))
        assert kept.sizes == [3, 3]
    assert kept.sizes == [3, 3, 1]
    assert pa.Table.from_batches(kept.batches)["id"].to_pylist() == list(range(7))


def test_rows_are_gathered_by_size(kept):
    with appender(kept, max_bytes=1000) as rows:
        rows.append({"id": 1, "name": "x" * 2000})
        rows.append({"id": 2, "tags": ["x" * 600, "y" * 600]})
        rows.append({"id": 3})
        assert kept.sizes == [1, 1]


def test_a_row_does_not_linger(kept):
    with appender(kept, linger=0.01) as rows:
        rows.append({"id": 1})
        until = time.monotonic() + 20
        while not kept.sizes and time.monotonic() < until:
            time.sleep(0.005)
        assert kept.sizes == [1]


@pytest.mark.parametrize("row, words", [({"id": 1, "nmae": "x"}, "no column 'nmae'"),
                                        ({"name": "x"}, "required column 'id' is missing")])
def test_a_row_with_other_columns_is_refused_at_once(kept, row, words):
    with appender(kept) as rows:
        with pytest.raises(arka.RowError, match=words) as refused:
            rows.append(row)
        assert (refused.value.code, refused.value.retryable) == ("INVALID_ARGUMENT", False)
        rows.append({"id": 1})
    assert kept.sizes == [1]


def test_one_mapping_serves_for_many_rows(kept):
    with appender(kept) as rows:
        row = {}
        for number in range(5):
            row["id"] = number
            rows.append(row)
    assert kept.batches[0]["id"].to_pylist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("row", [{"id": 7, "name": "x", "tags": ["a"]}, {"tags": ["a"], "id": 7},
                                 collections.defaultdict(str, id=7, name="x", tags=["a"]),
                                 types.MappingProxyType({"id": 7})])
def test_any_mapping_is_a_row(kept, row):
    with appender(kept) as rows:
        rows.append(row)
    assert kept.batches[0].to_pylist() == [{"id": 7, "name": row.get("name"), "tags": row.get("tags")}]


def test_a_mapping_with_defaults_may_not_stand_in_for_a_column(kept):
    with appender(kept) as rows, pytest.raises(arka.RowError, match="no column 'nmae'"):
        rows.append(collections.defaultdict(int, id=7, nmae="x", tags=[]))


def test_rows_of_one_column(kept):
    with arka.Appender(kept, pa.schema([("id", pa.int64())]), max_rows=10, max_bytes=1 << 20,
                       linger=60) as rows:
        rows.extend([{"id": 1}, {}, {"id": 3}])
    assert kept.batches[0]["id"].to_pylist() == [1, None, 3]


def test_rows_with_values_that_do_not_fit_are_left_out_and_told(kept):
    with appender(kept) as rows:
        rows.extend([{"id": 1}, {"id": "two"}, {"id": None}, {"id": 4, "name": "x"}, {"id": 2**63}])
        with pytest.raises(arka.RowError, match="3 of 5 rows do not fit; the first: column 'id'") as told:
            rows.flush()
        assert [row["id"] for row, _ in told.value.rows] == ["two", None, 2**63]
    assert kept.batches[0]["id"].to_pylist() == [1, 4]


def test_a_row_for_which_there_was_no_room_is_not_taken_and_no_other_is_lost(kept):
    kept.room = 1
    rows = appender(kept, max_rows=3)
    taken = []
    with pytest.raises(arka.DeadlineExceeded):
        for number in range(20):
            rows.append({"id": number})
            taken.append(number)
    assert len(taken) == 9  # a batch in the stream, one that waits for room, and one of rows
    with pytest.raises(arka.DeadlineExceeded):
        rows.flush(timeout=0.01)
    kept.room = 1000
    rows.append({"id": 9})
    rows.close()
    assert pa.Table.from_batches(kept.batches)["id"].to_pylist() == list(range(10))


def test_rows_that_lingered_without_room_are_written_when_there_is(kept):
    kept.room = 0
    with appender(kept, linger=0.01) as rows:
        rows.append({"id": 1})
        time.sleep(0.1)
        rows.append({"id": 2})
        kept.room = 1000
        until = time.monotonic() + 20
        while sum(kept.sizes) < 2 and time.monotonic() < until:
            time.sleep(0.005)
    assert pa.Table.from_batches(kept.batches)["id"].to_pylist() == [1, 2]


def test_rows_that_do_not_fit_are_told_when_the_others_find_no_room_as_well(kept):
    rows = appender(kept)
    rows.extend([{"id": 1}, {"id": "two"}])
    kept.room = 0
    with pytest.raises(arka.DeadlineExceeded):
        rows.flush(timeout=0.01)
    kept.room = 1000
    with pytest.raises(arka.RowError, match="1 of 2 rows do not fit"):
        rows.flush()
    rows.close()
    assert kept.batches[0]["id"].to_pylist() == [1]


def test_close_is_over_in_time_while_another_call_waits_for_room(kept):
    kept.room = 0
    rows = appender(kept, max_rows=1)
    write, waits, ended = kept.write, threading.Event(), threading.Event()

    def slow(batch, timeout, block):
        if block:
            waits.set()
            assert ended.wait(20)
        write(batch, 0, block)

    kept.write = slow
    kept.close = lambda level, timeout: ended.set()

    def fill():
        with pytest.raises(arka.DeadlineExceeded):
            rows.extend({"id": number} for number in range(10))

    other = threading.Thread(target=fill)
    other.start()
    assert waits.wait(20)
    began = time.monotonic()
    with pytest.raises(arka.DeadlineExceeded, match="another call"):
        rows.close(timeout=0.1)
    assert time.monotonic() - began < 5
    other.join()


def test_a_closed_appender_takes_no_rows(kept):
    rows = appender(kept)
    rows.close()
    with pytest.raises(arka.StreamClosed):
        rows.append({"id": 1})


def test_rows_reach_the_table_of_the_stream(client, table):
    with client.open(table, SCHEMA) as stream:
        stream.write_durable([{"id": 0}])
    with client.appender(table) as rows:  # with the table's own schema
        rows.extend({"id": number, "tags": ["a"] * (number % 3)} for number in range(1, 2500))
        rows.flush("COMMITTED")
        rows.append({"id": 2500})
    answer = client.query(f"SELECT count(*) AS n, sum(len(tags))::BIGINT AS t FROM {table}").to_pylist()
    assert answer == [{"n": 2501, "t": sum(number % 3 for number in range(1, 2500))}]


def test_a_client_that_is_closed_writes_what_its_appenders_have_gathered(url, client, table):
    with arka.connect(url) as other:
        rows = other.appender(table, SCHEMA, linger=60)
        rows.append({"id": 1})
    assert client.query(f"SELECT id FROM {table}").to_pylist() == [{"id": 1}]
    with pytest.raises(arka.StreamClosed):
        rows.append({"id": 2})
