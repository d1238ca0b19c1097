"""Apache Arrow's JDBC driver: the tree that tools such as DBeaver ask for, queries, parameters, INSERT;
how it and ADBC's driver log in."""

import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa
import pytest
from testbed.credentials import CredentialsFile
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
    # The driver (18.3.0) answers this by itself, always so. What it could ask for is there: test_go_client.py.
    assert jdbc.run("types") == []


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


PASSWORD, TOKEN = "correct horse battery staple", "reader-token-0123456789abcdef"
RIGHT = [{"user": "alice", "password": PASSWORD}, {"token": TOKEN}]
WRONG = [{"user": "alice", "password": "wrong"}, {"user": "nobody", "password": PASSWORD},
         {"token": TOKEN[:-1]}, {}]


@pytest.fixture
def auth_server(start_server, tmp_path):
    credentials = CredentialsFile(tmp_path / "credentials.yaml")
    credentials.user("alice", password=PASSWORD).grant("alice", "*", "read", "write")
    credentials.user("reader", tokens=[TOKEN]).grant("reader", "*", "read").save()
    return start_server({"auth.credentials": str(credentials.path)})


def test_jdbc_logs_in_by_password_and_by_token(auth_server, tmp_path):
    def run(credentials, *words):
        session = JdbcSession(auth_server.port, tmp_path / "jdbc.log", **credentials)
        try:
            return session.run(*words)
        finally:
            session.close()
    for credentials in RIGHT:
        assert run(credentials, "query", "select 42") == [["42"]]
    for credentials in WRONG:
        with pytest.raises(JdbcError, match="(?i)credentials|unauthenticated"):
            run(credentials, "query", "select 42")


def test_adbc_logs_in_by_password_and_by_token(auth_server):
    def run(credentials):
        options = {"username": credentials.get("user"), "password": credentials.get("password"),
                   "adbc.flight.sql.authorization_header":
                       f"Bearer {credentials['token']}" if "token" in credentials else None}
        with adbc.connect(f"grpc://127.0.0.1:{auth_server.port}", autocommit=True, db_kwargs={
                name: value for name, value in options.items() if value}) as connection:
            with connection.cursor() as cursor:
                return cursor.execute("select 42 as n").fetchall()
    for credentials in RIGHT:
        assert run(credentials) == [(42,)]
    for credentials in WRONG:
        with pytest.raises(adbc.Error, match="(?i)unauthenticated"):
            run(credentials)
