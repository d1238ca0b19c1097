"""The actions that change tables: alter_table, seal, unseal, drop_table."""

import json

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.status import status
from testbed.write_stream import WriteStream, refusal

IDS = pa.schema([pa.field("id", pa.int64(), nullable=False)])


def act(client, action, **body):
    (result,) = client.do_action(flight.Action(action, json.dumps(body).encode()))
    return json.loads(result.body.to_pybytes())


def write(client, *numbers, until="LOCAL_DISK", schema=IDS):
    stream = WriteStream(client, schema, "sales", "orders")
    for number in numbers:
        stream.write(pa.RecordBatch.from_pylist([{"id": number, "note": "n"}], schema=schema))
    stream.wait(until)
    stream.finish()


def refused(client, number):
    """What the server says to a write that it does not take."""
    stream = WriteStream(client, IDS, "sales", "orders")
    stream.write(pa.record_batch([pa.array([number])], schema=IDS))
    return str(stream.join())


def ids(server):
    return sorted(lake.read_with_pyiceberg(server, "sales.orders")["id"].to_pylist())


def test_an_altered_table_is_read_by_others_and_written_by_its_new_schema(server, client):
    write(client, 1, until="COMMITTED")
    altered = act(client, "alter_table", table="sales.orders", changes=[
        {"change": "add_column", "name": "note", "type": "string", "doc": "why"},
        {"change": "make_optional", "name": "id"}])
    assert [(c["name"], c["type"]) for c in altered["columns"]] == [("id", "long"), ("note", "string")]
    assert "'note' is missing" in str(refusal(client, IDS, "sales", "orders"))
    both = pa.schema([("id", pa.int64()), ("note", pa.string())])
    write(client, 2, until="COMMITTED", schema=both)
    act(client, "alter_table", table="sales.orders",
        changes=[{"change": "rename_column", "name": "note", "to": "remark"}])
    expected = [{"id": 1, "remark": None}, {"id": 2, "remark": "n"}]
    for table in (lake.read_with_pyiceberg(server, "sales.orders"),
                  lake.read_with_duckdb(server, "sales.orders")):
        assert table.sort_by("id").to_pylist() == expected
    with pytest.raises(pa.ArrowInvalid, match="no column 'note'"):
        act(client, "alter_table", table="sales.orders",
            changes=[{"change": "drop_column", "name": "note"}])


def test_a_sealed_table_is_closed_to_writes_also_after_a_crash(slow_server):
    server = slow_server
    with server.connect() as client:
        write(client, 1, 2)
        assert act(client, "seal", table="sales.orders") == {"table": "sales.orders",
                                                             "last_lsn": 1001}
        assert "is sealed" in refused(client, 3)
        assert lake.load_table(server, "sales.orders").properties["arka.sealed"] == "true"
    server.kill()
    server.restart()
    with server.connect() as client:
        assert "is sealed" in refused(client, 3)
        act(client, "commit", table="sales.orders")
        assert ids(server) == [1, 2]
        act(client, "unseal", table="sales.orders")
        write(client, 3)
        act(client, "commit", table="sales.orders")
    assert ids(server) == [1, 2, 3]


def test_a_dropped_table_has_landed_first_and_leaves_nothing_in_the_log(slow_server):
    server = slow_server
    with server.connect() as client:
        write(client, 1, 2)
        location = lake.load_table(server, "sales.orders").location()
        uuid = str(lake.load_table(server, "sales.orders").metadata.table_uuid)
        assert act(client, "drop_table", table="sales.orders")["uuid"] == uuid
        assert not lake.catalog(server).table_exists("sales.orders")
        assert status(server)["committed_lsn"] == 1001
        assert list((server.data_dir.parent / location.split("file://")[1]).rglob("*.parquet"))
        with pytest.raises(pa.ArrowKeyError, match="sales.orders"):
            act(client, "drop_table", table="sales.orders")
        write(client, 7)
        act(client, "commit", table="sales.orders")
    assert ids(server) == [7]
    assert str(lake.load_table(server, "sales.orders").metadata.table_uuid) != uuid


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_stream_that_was_open_when_its_table_was_dropped_ends_with_not_found(client, made_anew):
    """It never writes to a table that takes the old one's place, though this server would make one."""
    stream = WriteStream(client, IDS, "sales", "orders")
    stream.write(pa.record_batch([pa.array([1])], schema=IDS))
    stream.wait("COMMITTED")
    act(client, "drop_table", table="sales.orders")
    if made_anew:
        write(client, 7)
    stream.write(pa.record_batch([pa.array([2])], schema=IDS))
    error = stream.join()
    assert isinstance(error, pa.ArrowKeyError) and "sales.orders" in str(error), repr(error)
    assert stream.lsns() == [1000]
