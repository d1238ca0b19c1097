"""SQL through Flight SQL: ADBC's driver, pandas and polars."""

import decimal

import adbc_driver_flightsql.dbapi as adbc
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed.every_call import sql_command
from testbed.raw_flight import bytes_field
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False), ("note", pa.string()),
                    ("price", pa.decimal128(9, 2))])


@pytest.fixture
def connection(server):
    with adbc.connect(f"grpc://127.0.0.1:{server.port}", autocommit=True) as connected:
        yield connected


@pytest.fixture
def orders(client):
    stream = WriteStream(client, SCHEMA, "sales", "orders")
    for ids in ([1, 2, 3], [4, 5]):
        stream.write(pa.RecordBatch.from_pylist([{"id": i, "note": f"n{i}"} for i in ids], SCHEMA))
    stream.wait("LOCAL_DISK", 2)
    stream.finish()


def query(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetch_arrow_table().to_pydict()


def test_queries_see_what_was_acknowledged(connection, orders):
    assert query(connection, "select count(*) c, sum(id) s from sales.orders") == {"c": [5], "s": [15]}
    assert query(connection, "select note from lake.sales.orders where id > 3 order by id") == {
        "note": ["n4", "n5"]}
    assert query(connection, "select id from sales.orders where false") == {"id": []}


def test_parameters_are_bound(connection, orders):
    for number in (2, 4):
        assert query(connection, "select note from sales.orders where id = ?", (number,)) == {
            "note": [f"n{number}"]}
    assert query(connection, "select count(*) c from sales.orders where note = ? or id = ?",
                 ("n1", 5)) == {"c": [2]}


def test_inserts_go_to_the_log_like_any_write(server, client, connection, orders):
    with connection.cursor() as cursor:
        cursor.execute("insert into sales.orders values (6, 'n6', 1.25), (7, null, null)")
        cursor.executemany("insert into sales.orders (note, id) values (?, ?)",
                           [("n8", 8), ("n9", 9)])
    assert query(connection, "select id, note, price from sales.orders where id > 5 order by id") == {
        "id": [6, 7, 8, 9], "note": ["n6", None, "n8", "n9"],
        "price": [decimal.Decimal("1.25"), None, None, None]}
    assert query(connection, "insert into sales.orders (id) select id + 100 from sales.orders") == {
        "Count": [9]}
    assert query(connection, "select count(*) c from sales.orders") == {"c": [18]}


def test_what_is_not_done_is_refused_with_a_reason(connection, orders):
    for sql, match in (("select nonsense", "nonsense"), ("select * from nowhere", "nowhere"),
                       ("delete from sales.orders", "SELECT"), ("drop table sales.orders", "SELECT"),
                       ("insert into sales.orders values (1)", "3 columns"),
                       ("insert into sales.orders (id, nope) values (1, 2)", "nope"),
                       ("insert into sales.orders (note) values ('x')", "id"),
                       ("insert into nowhere.orders values (1)", "nowhere.orders"),
                       ("insert into sales.orders (id) values ('x')", "x")):
        with pytest.raises(Exception, match=match):
            query(connection, sql)
    assert query(connection, "select count(*) c from sales.orders") == {"c": [5]}


def test_pandas_and_polars_read_queries(connection, orders):
    frame = pd.read_sql("select id, note from sales.orders order by id", connection)
    assert frame["id"].tolist() == [1, 2, 3, 4, 5]
    frame = pl.read_database("select id, note from sales.orders order by id", connection)
    assert frame["note"].to_list() == ["n1", "n2", "n3", "n4", "n5"]


def test_the_schema_option_says_where_tables_lie(server, client, connection, orders):
    with adbc.connect(f"grpc://127.0.0.1:{server.port}", autocommit=True, db_kwargs={
            "adbc.flight.sql.rpc.with_cookie_middleware": "true"}) as own:
        own.adbc_current_db_schema = "sales"
        assert own.adbc_current_db_schema == "sales"
        assert query(own, "select count(*) c from orders") == {"c": [5]}
    with pytest.raises(Exception, match="orders"):
        query(connection, "select count(*) c from orders")


def test_a_large_result_is_streamed(connection):
    with connection.cursor() as cursor:
        cursor.execute("select range i, range * 2 j from range(1000000)")
        assert cursor.fetch_arrow_table().num_rows == 1_000_000


def test_the_catalog_has_the_name_that_is_configured(start_server):
    server = start_server({"catalog.name": "pond"})
    with adbc.connect(f"grpc://127.0.0.1:{server.port}", autocommit=True) as own:
        with own.cursor() as cursor:
            assert cursor.adbc_ingest("orders", pa.table({"id": [1, 2]}), mode="create",
                                      catalog_name="pond", db_schema_name="sales") == 2
            with pytest.raises(Exception, match="no catalog 'lake'"):
                cursor.adbc_ingest("orders", pa.table({"id": [3]}), mode="append",
                                   catalog_name="lake", db_schema_name="sales")
        assert query(own, "insert into pond.sales.orders values (4)") == {"Count": [1]}
        for name in ("pond.sales.orders", "POND.sales.orders", "sales.orders"):
            assert query(own, f"select sum(id) s from {name}") == {"s": [7]}
        for sql in ("select * from lake.sales.orders", "insert into lake.sales.orders values (5)"):
            with pytest.raises(Exception, match="no catalog 'lake': tables are named pond"):
                query(own, sql)
        (catalog,) = own.adbc_get_objects(depth="tables").read_all().to_pylist()
        assert catalog["catalog_name"] == "pond"
        assert [schema["db_schema_name"] for schema in catalog["catalog_db_schemas"]] == ["arka", "sales"]


INSERT = "insert into sales.orders (id) values (7)"


def count(client):
    info = client.get_flight_info(flight.FlightDescriptor.for_command("select count(*) from sales.orders"))
    return client.do_get(info.endpoints[0].ticket).read_all()[0][0].as_py()


def test_an_insert_that_is_run_as_a_query_is_done_once_however_often_it_is_read(client, orders):
    command = flight.FlightDescriptor.for_command(
        sql_command("CommandStatementQuery", bytes_field(1, INSERT.encode())))
    assert client.get_schema(command).schema.names == ["Count"]
    assert count(client) == 5, "who asks for the schema has nothing written"
    info = client.get_flight_info(command)
    assert count(client) == 6, "drivers may never read on, and take the statement for done"
    for _ in range(2):
        assert client.do_get(info.endpoints[0].ticket).read_all().to_pydict() == {"Count": [1]}
    assert count(client) == 6


def test_an_insert_that_nobody_reads_the_answer_of_is_there(client, connection, orders):
    for _ in range(20):
        with connection.cursor() as cursor:
            cursor.execute(INSERT)
    assert count(client) == 25
