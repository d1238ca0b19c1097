"""The same pipeline with the log objects and the warehouse on S3 (versitygw)."""

import pyarrow as pa
import pytest
from conftest import QUICK
from testbed import lake
from testbed.s3 import BUCKET
from testbed.server import eventually
from testbed.write_stream import WriteStream, check_order

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])


@pytest.fixture
def s3_server(start_server, s3):
    return start_server({**QUICK, **s3.settings})


def write(server, first, count):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(first, first + count):
            stream.write(pa.record_batch([pa.array([i]), pa.array([f"t{i}"])], schema=SCHEMA))
        stream.wait("COMMITTED", timeout=60)
        stream.finish()
    return stream


def test_writes_reach_the_table_on_s3(s3_server, s3):
    stream = write(s3_server, 0, 2_000)
    check_order(stream.acks)
    table = lake.load_table(s3_server, **s3.pyiceberg)
    assert table.location().startswith(f"s3://{BUCKET}/warehouse/")
    assert sorted(table.scan().to_arrow()["id"].to_pylist()) == list(range(2_000))
    duckdb = lake.duckdb_connection()
    duckdb.execute(s3.duckdb_secret)
    found = duckdb.sql(f"SELECT count(*), sum(id) FROM iceberg_scan('{table.metadata_location}')")
    assert found.fetchone() == (2_000, sum(range(2_000)))


def test_log_objects_are_deleted_when_their_writes_are_committed(s3_server, s3):
    write(s3_server, 0, 500)
    eventually(lambda: not [k for k in s3.keys("log") if not k.endswith("/")])


def test_a_crash_loses_nothing_with_s3(s3_server, s3):
    with s3_server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(300):
            stream.write(pa.record_batch([pa.array([i]), pa.array(["x"])], schema=SCHEMA))
        stream.wait("LOCAL_DISK")
        s3_server.kill()
        stream.join()
    s3_server.restart()
    write(s3_server, 300, 10)

    def all_there():
        table = lake.load_table(s3_server, **s3.pyiceberg).scan().to_arrow()
        return sorted(table["id"].to_pylist()) == list(range(310))

    eventually(all_there)
