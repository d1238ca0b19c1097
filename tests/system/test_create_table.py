"""The action create_table."""

import base64
import json

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False), ("text", pa.string()),
                    ("at", pa.timestamp("us", tz="UTC")), ("tags", pa.list_(pa.string()))])


def create(client, table, schema_bytes):
    body = {"table": table, "schema_ipc": base64.b64encode(schema_bytes).decode()}
    (result,) = client.do_action(flight.Action("create_table", json.dumps(body).encode()))
    return json.loads(result.body.to_pybytes())


def test_a_table_is_made_once_and_takes_writes(start_server):
    server = start_server({"tables.auto_create": "false",
                           "durability.iceberg_commit_interval": "200ms"})
    with server.connect() as client:
        answer = create(client, "sales.orders", SCHEMA.serialize().to_pybytes())
        table = lake.load_table(server, "sales.orders")
        assert answer == {"table": "sales.orders", "uuid": str(table.metadata.table_uuid)}
        assert table.scan().to_arrow().num_rows == 0
        assert [field.name for field in table.schema().fields if field.required] == ["id"]
        with pytest.raises(pa.ArrowException, match="sales.orders"):
            create(client, "sales.orders", SCHEMA.serialize().to_pybytes())

        stream = WriteStream(client, SCHEMA, "sales", "orders")
        stream.write(pa.RecordBatch.from_pylist([{"id": 1, "tags": ["a"]}], schema=SCHEMA))
        stream.wait("COMMITTED")
        stream.finish()
    assert lake.read_with_pyiceberg(server, "sales.orders").column("id").to_pylist() == [1]


def test_a_whole_ipc_stream_will_do(server):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA):
        pass
    with server.connect() as client:
        create(client, "t", sink.getvalue().to_pybytes())
    assert lake.load_table(server, "arka.t").schema().find_field("tags").field_type.is_primitive is False


def test_what_cannot_be_made_is_refused(server):
    with server.connect() as client:
        for wrong, match in ((b"x", "schema_ipc"),
                             (pa.schema([("d", pa.month_day_nano_interval())]).serialize().to_pybytes(), "d")):
            with pytest.raises(pa.ArrowInvalid, match=match):
                create(client, "t", wrong)
