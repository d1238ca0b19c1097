"""Apache Arrow's JDBC driver: the tree that tools such as DBeaver ask for, queries, parameters, INSERT."""

import pyarrow as pa
import pytest
from testbed.jdbc_session import JdbcError, JdbcSession
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False), ("note", pa.string())])


@pytest.fixture
def jdbc(server, client, tmp_path):
    stream = WriteStream(client, SCHEMA, "sales", "orders")
    stream.write(pa.record_batch([pa.array([1, 2, 3]), pa.array(["a", None, "c"])], schema=SCHEMA))
    stream.wait("LOCAL_DISK")
    stream.finish()
    session = JdbcSession(server.port, tmp_path / "jdbc.log")
    yield session
    session.close()


def test_the_tree_of_a_database_tool(jdbc):
    assert jdbc.run("product") == [["Arka"]]
    assert jdbc.run("catalogs") == [["lake"]]
    assert jdbc.run("schemas") == [["arka", "lake"], ["sales", "lake"]]
    assert jdbc.run("table_types") == [["TABLE"]]
    assert jdbc.run("tables", "sales", "%") == [["lake", "sales", "orders", "TABLE"]]
    assert jdbc.run("columns", "sales", "orders") == [
        ["orders", "id", "-5", "BIGINT"], ["orders", "note", "12", "VARCHAR"]]
    assert jdbc.run("primary_keys", "sales", "orders") == []


def test_statements_and_prepared_statements(jdbc):
    assert jdbc.run("query", "select id, note from sales.orders order by id") == [
        ["1", "a"], ["2", "null"], ["3", "c"]]
    assert jdbc.run("prepared", "select note from sales.orders where id = ?", 3) == [["c"]]
    assert jdbc.run("prepared", "select id from sales.orders where note = ? and id < ?", "a", 9) == [["1"]]
    assert jdbc.run("update", "insert into sales.orders values (4, 'd'), (5, 'e')") == [["2"]]
    assert jdbc.run("prepared_update", "insert into sales.orders values (?, ?)", 6, "f") == [["1"]]
    assert jdbc.run("query", "select count(*), max(note) from sales.orders") == [["6", "f"]]
    with pytest.raises(JdbcError, match="nonsense"):
        jdbc.run("query", "select nonsense from sales.orders")
