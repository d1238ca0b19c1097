"""Rows that fit are written, rows that do not are told."""

import time

import pyarrow as pa
import pytest

import arka

SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False), ("name", pa.string()),
                    ("tags", pa.list_(pa.string()))])


class Kept:
    """Stands in for a stream: keeps the batches."""

    table = "kept"

    def __init__(self):
        self.batches = []

    def write(self, batch):
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


def test_rows_with_values_that_do_not_fit_are_left_out_and_told(kept):
    with appender(kept) as rows:
        rows.extend([{"id": 1}, {"id": "two"}, {"id": None}, {"id": 4, "name": "x"}, {"id": 2**63}])
        with pytest.raises(arka.RowError, match="3 of 5 rows do not fit; the first: column 'id'") as told:
            rows.flush()
        assert [row["id"] for row, _ in told.value.rows] == ["two", None, 2**63]
    assert kept.batches[0]["id"].to_pylist() == [1, 4]


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
