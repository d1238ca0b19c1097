"""Flight SQL as ADBC's driver speaks it: what there is, and rows written by adbc_ingest."""

import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa
import pytest
from testbed import lake
from testbed.write_stream import WriteStream

ORDERS = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "note": ["a", None, "c"]})


@pytest.fixture
def connection(server):
    with adbc.connect(f"grpc://127.0.0.1:{server.port}", autocommit=True) as connected:
        yield connected


def write(client, schema, table):
    stream = WriteStream(client, ORDERS.schema, schema, table)
    stream.write(ORDERS.to_batches()[0])
    stream.wait("LOCAL_DISK")
    stream.finish()


def objects(connection, **filters):
    """{schema: {table: [columns]}} of the one catalog."""
    (catalog,) = connection.adbc_get_objects(**filters).read_all().to_pylist()
    assert catalog["catalog_name"] == "lake"
    return {schema["db_schema_name"]: {
        table["table_name"]: [column["column_name"] for column in table["table_columns"] or ()]
        for table in schema["db_schema_tables"] or ()} for schema in catalog["catalog_db_schemas"]}


def test_the_tree_of_objects_is_listed(connection, client):
    write(client, "sales", "orders")
    write(client, "eu", "users")
    assert objects(connection) == {"arka": {}, "sales": {"orders": ["id", "note"]},
                                   "eu": {"users": ["id", "note"]}}
    assert objects(connection, db_schema_filter="s%", depth="tables") == {"sales": {"orders": []}}
    assert objects(connection, table_name_filter="us_rs", depth="tables")["eu"] == {"users": []}
    assert connection.adbc_get_table_types() == ["TABLE"]
    assert connection.adbc_get_table_schema("orders", db_schema_filter="sales").names == ["id", "note"]
    info = connection.adbc_get_info()
    assert info["vendor_name"] == "Arka"


def ids(server, table):
    return sorted(lake.read_with_pyiceberg(server, table)["id"].to_pylist())


def ingest(connection, mode, data=ORDERS, table="orders", schema="sales"):
    with connection.cursor() as cursor:
        return cursor.adbc_ingest(table, data, mode=mode, db_schema_name=schema)


def commit(client):
    import pyarrow.flight as flight
    list(client.do_action(flight.Action("commit", b"{}")))


def test_tables_are_ingested_in_every_mode(server, client, connection):
    with pytest.raises(Exception, match="sales.orders"):
        ingest(connection, "append")
    assert ingest(connection, "create") == 3
    with pytest.raises(Exception, match="sales.orders is there"):
        ingest(connection, "create")
    assert ingest(connection, "append") == 3
    assert ingest(connection, "create_append") == 3
    commit(client)
    assert ids(server, "sales.orders") == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    other = pa.table({"id": pa.array([7], pa.int64())})
    assert ingest(connection, "replace", other) == 1
    commit(client)
    assert lake.read_with_pyiceberg(server, "sales.orders").to_pydict() == {"id": [7]}
    assert ingest(connection, "create_append", table="fresh", schema=None) == 3
    commit(client)
    assert ids(server, "arka.fresh") == [1, 2, 3]


def test_ingested_rows_are_checked_like_any_other(server, connection):
    assert ingest(connection, "create") == 3
    with pytest.raises(Exception, match="the table has long"):
        ingest(connection, "append", pa.table({"id": ["x"], "note": ["y"]}))
    with pytest.raises(Exception, match="interval"):
        ingest(connection, "create", pa.table(
            {"d": pa.array([None], pa.month_day_nano_interval())}), table="t")
    many = pa.table({"id": pa.array(range(300_000), pa.int64()), "note": ["n"] * 300_000})
    assert ingest(connection, "append", many) == 300_000
