"""SQL over tables whose data files lie on S3: workers read copies of them, on the server's disk."""

import random

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from conftest import QUICK
from testbed.write_stream import WriteStream

ROWS = 200_000  # of two columns of eight bytes: more than fresh_rows_memory below
NUMBERS = list(range(ROWS))
random.Random(7).shuffle(NUMBERS)  # so that they do not become small in a file


def write(client, table, batch):
    stream = WriteStream(client, batch.schema, *table)
    stream.write(batch)
    stream.wait("COMMITTED", timeout=60)
    stream.finish()


def write_orders(client, name="orders"):
    write(client, ("sales", name),
          pa.record_batch({"number": NUMBERS, "writer": [n % 3 for n in NUMBERS]}))


def query(client, sql):
    info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
    return client.do_get(info.endpoints[0].ticket).read_all().to_pydict()


def count(client, table):
    return query(client, f"SELECT count(number) AS n FROM {table}")["n"]


def copies(server):
    return [p for p in (server.data_dir / "query-files").iterdir() if p.name != "lock"]


def copied_bytes(server):
    return sum(p.stat().st_size for p in copies(server))


def data_files(s3):
    return [s3.objects / "lake" / key for key in s3.keys("warehouse") if key.endswith(".parquet")]


@pytest.fixture
def start(s3, start_server):
    def start_with(**settings):
        return start_server({**QUICK, **s3.settings, "query.fresh_rows_memory": "1MB", **settings})
    return start_with


def test_tables_are_joined_and_filtered_and_fetched_once(start, s3):
    server = start()
    sql = """SELECT name, count(*) AS n, min(number) AS least
             FROM sales.orders JOIN writers USING (writer)
             WHERE number >= 100000 GROUP BY name ORDER BY name"""
    expected = {"name": ["one", "two"], "n": [33_334, 33_333], "least": [100_000, 100_001]}
    with server.connect() as client:
        write_orders(client)
        write(client, ("arka", "writers"), pa.record_batch({"writer": [1, 2], "name": ["one", "two"]}))
        assert query(client, sql) == expected
        files = data_files(s3)
        assert copied_bytes(server) == sum(p.stat().st_size for p in files) > 0
        for path in files:
            path.unlink()  # whoever asks for it again gets an error
        assert query(client, sql) == expected
        # What is written since comes out of the log.
        late = pa.record_batch({"number": [ROWS], "writer": [1]})
        stream = WriteStream(client, late.schema, "sales", "orders")
        stream.write(late)
        stream.wait("LOCAL_DISK")
        assert query(client, sql)["n"] == [33_335, 33_333]
        stream.finish()


def test_copies_keep_within_their_bound(start, s3):
    server = start()
    with server.connect() as client:
        write_orders(client)
        assert count(client, "sales.orders") == [ROWS]
        one_table = copied_bytes(server)
    server.stop()
    bound = one_table * 3 // 2
    server.settings["query.file_cache_size"] = f"{bound // 1024}KB"
    server.start()
    assert copies(server) == []
    with server.connect() as client:
        write_orders(client, "other")
        for table in ("sales.orders", "sales.other", "sales.orders"):
            assert count(client, table) == [ROWS]
            assert 0 < copied_bytes(server) <= bound
        with pytest.raises(pa.ArrowException) as refused:
            query(client, "SELECT * FROM sales.orders JOIN sales.other USING (number)")
        for part in ("query.file_cache_size", str(bound // 1024 * 1024), "raise it"):
            assert part in str(refused.value)
        assert count(client, "sales.other") == [ROWS]


def test_a_data_file_that_is_gone_is_told_and_leaves_nothing(start, s3):
    server = start()
    with server.connect() as client:
        write_orders(client)
        (path,) = data_files(s3)
        path.rename(path.with_suffix(".away"))
        with pytest.raises(pa.ArrowException, match="copying the data file s3://"):
            count(client, "sales.orders")
        assert copies(server) == []
        path.with_suffix(".away").rename(path)
        assert count(client, "sales.orders") == [ROWS]


def test_without_copies_tables_on_s3_are_read_into_memory(start, s3):
    server = start(**{"query.file_cache_size": "0"})
    with server.connect() as client:
        write(client, ("arka", "writers"), pa.record_batch({"writer": [1, 2], "number": [1, 2]}))
        write_orders(client)
        assert count(client, "writers") == [2]
        with pytest.raises(pa.ArrowException, match="query.fresh_rows_memory"):
            count(client, "sales.orders")
    assert not (server.data_dir / "query-files").exists()
