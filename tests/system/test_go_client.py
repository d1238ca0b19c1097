"""Go's client libraries (arrow-go on grpc-go, ADBC's driver) against the real server: every RPC, every
action, every error that a client can provoke, SQL, and many writes, in the clear and over TLS."""

import json
import re
import subprocess

import pytest
from testbed import golang, lake
from testbed.credentials import CredentialsFile
from testbed.server import ROOT
from testbed.write_stream import TIERS

WRITES = 1_000
# The first run in a checkout fetches and compiles the libraries.
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(golang.find_go() is None, reason="no Go toolchain: ./dev setup brings one"),
]
PASSWORD, READER = "correct horse battery staple", "reader-token-0123456789abcdef"


@pytest.fixture(scope="module")
def program():
    return golang.build("clients_go")


def run(program, server, *options):
    """The lines of JSON that the client prints."""
    done = subprocess.run(
        [program, f"-address=localhost:{server.port}", *options],
        capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def write(program, server, *options):
    """Runs the client; checks that every write was acknowledged at every level and is there."""
    (told,) = run(program, server, f"-writes={WRITES}", *options)
    assert told["acks"] == {tier: WRITES for tier in TIERS}
    assert told["lsns"] == list(range(1000, 1000 + WRITES))
    table = lake.read_with_pyiceberg(server, "arka.from_go").to_pylist()
    assert sorted((row["number"], row["text"]) for row in table) == [
        (i, f"row {i}") for i in range(WRITES)]


def test_go_writes_and_counts_its_acks(program, server):
    write(program, server)


def test_go_writes_over_tls(program, tls_server, certificate):
    write(program, tls_server, f"-certificate={certificate[0]}")


@pytest.fixture
def start_auth_server(start_server, tmp_path):
    credentials = CredentialsFile(tmp_path / "credentials.yaml")
    credentials.user("gopher", password=PASSWORD).grant("gopher", "*", "read", "write", "admin")
    credentials.user("reader", tokens=[READER]).grant("reader", "*", "read").save()
    return lambda settings: start_server({"auth.credentials": str(credentials.path), **settings})


@pytest.fixture
def auth_server(start_auth_server):
    """Commits nothing by itself."""
    return start_auth_server({})


def ask(program, server, what):
    """{name: answer} of one of the client's programs, as a user who has logged in by password."""
    return {line["name"]: line["answer"] for line in run(
        program, server, f"-do={what}", "-user=gopher", f"-password={PASSWORD}",
        f"-reader={READER}")}


def test_go_makes_every_call(program, auth_server):
    told = ask(program, auth_server, "calls")
    assert told["Handshake"]["token"] > 20 and told["Handshake"]["status"] > 100
    assert told["DoPut"] == [
        {"lsn": lsn, "durability_level": "LOCAL_DISK"} for lsn in (1000, 1001, 1002)]
    assert told["DoExchange"] == {"acks": {"MEMORY": 2, "LOCAL_DISK": 2}, "lsns": [1003, 1004]}
    orders = [["sales", "orders"]]
    assert [told[f"ListFlights{which}"] for which in ("", " sales.", " *.ord?rs", " none")] == [
        orders, orders, orders, []]
    columns = ["number int64", "text utf8"]
    described = {"columns": columns, "endpoints": 2, "tickets": 2, "expiring": 2, "records": -1}
    assert told["GetFlightInfo"] == described
    assert told["PollFlightInfo"] == {**described, "progress": 1, "again": False}
    assert told["GetSchema"] == columns
    assert told["DoGet"] == [0, 0, 1, 1, 2], "the rows of DoPut and those of DoExchange"
    assert told["DoGet of SQL"] == [1, 1, 2]
    assert told["CancelFlightInfo"] == ["CANCEL_STATUS_CANCELLED", "NOT_FOUND"]
    assert told["RenewFlightEndpoint"] == {"later": True, "rows": 2}
    assert told["session options"] == {
        "refused": {"catalog": "INVALID_VALUE", "color": "INVALID_NAME"},
        "values": {"schema": "sales", "catalog": "lake"}, "columns": 2, "closed": "CLOSED",
        "again": "NOT_FOUND"}
    assert len(told["ListActions"]) >= 20


def test_go_does_every_action(program, auth_server):
    told = ask(program, auth_server, "actions")
    done = {action for names in told for action in names.split(", ")} - {"ListActions", "DoPut"}
    assert done == set(told["ListActions"])
    assert told["create_table"]["table"] == "sales.orders"
    assert told["last_seq"] == {"producer": "go", "table": "sales.orders", "last_seq": 0, "lsn": None}
    assert told["claim_producer"].pop("epoch") > 1 << 32
    assert told["claim_producer"] == told["last_seq"]
    assert told["flush"] == {"lsn": 1002, "level": "OBJECT_STORAGE"}
    (committed,) = told["commit"]["tables"]
    assert committed["committed_lsn"] == 1002 and committed["snapshot_id"] > 0
    assert [level["durability_level"] for level in told["durability_status"]["levels"]] == [
        "COMMITTED"] * 3
    assert told["status"]["committed_lsn"] == 1002
    assert [session["session"] for session in told["list_sessions"]["sessions"]] == ["go"]
    assert told["cancel"] == {"cancelled": True}
    assert told["CancelFlightInfo"] == ["CANCEL_STATUS_CANCELLED", "NOT_FOUND"]
    assert told["RenewFlightEndpoint"]["later"]
    assert told["SetSessionOptions, GetSessionOptions, CloseSession"]["closed"] == "CLOSED"
    assert told["CreatePreparedStatement, ClosePreparedStatement"] == ["number", "int64", "NOT_FOUND"]
    assert told["CancelQuery"] is True
    assert [column["name"] for column in told["alter_table"]["columns"]] == ["number", "text", "note"]
    assert told["seal"] == {"table": "sales.orders", "last_lsn": 1002}
    assert told["unseal"] == {"table": "sales.orders"}
    assert told["drop_table"]["uuid"] == told["create_table"]["uuid"]


# How a client comes by each of the errors that wire.md lists. INTERNAL is a defect of the server, and has
# a unit test: src/arka/flight/status_mapping_test.cc.
ERRORS = {
    "a call without credentials": ("UNAUTHENTICATED", "false", "authorization"),
    "a write by who may only read": ("PERMISSION_DENIED", "false", "'reader' has no"),
    "a header that is none": ("INVALID_ARGUMENT", "false", "PAPER"),
    "a table that is not there": ("NOT_FOUND", "false", "sales.nowhere"),
    "a table that is there already": ("ALREADY_EXISTS", "false", "sales.sealed"),
    "a write to a sealed table": ("FAILED_PRECONDITION", "false", "sealed"),
    "a purge": ("UNIMPLEMENTED", "false", "purge"),
    "a batch that is too large": ("RESOURCE_EXHAUSTED", "false", "262144 bytes (server.max_batch_bytes)"),
    "a stream that says nothing": ("UNAVAILABLE", "true", "server.stream_idle_timeout"),
    "a query without end": ("DEADLINE_EXCEEDED", "true", "query.timeout"),
    "a query that is cancelled": ("CANCELLED", "false", "cancelled"),
}


def test_go_provokes_every_error(program, start_auth_server):
    listed = re.findall(r"^\| ([A-Z_]+) \| [0-9]", (ROOT / "docs/spec/wire.md").read_text(), re.M)
    assert {code for code, _, _ in ERRORS.values()} == set(listed) - {"INTERNAL"}
    server = start_auth_server({"server.max_batch_bytes": "256KB", "query.timeout": "10s",
                                "server.stream_idle_timeout": "2s"})
    told = ask(program, server, "errors")
    assert {what: (answer["code"], answer["retryable"]) for what, answer in told.items()} == {
        what: (code, retryable) for what, (code, retryable, _) in ERRORS.items()}
    for what, (_, _, words) in ERRORS.items():
        assert words in told[what]["message"], told[what]


def test_go_asks_what_there_is(program, auth_server):
    told = {name: [row for batch in batches for row in batch]
            for name, batches in ask(program, auth_server, "catalog").items()}
    assert told["catalogs"] == [{"catalog_name": "lake"}]
    assert [row["db_schema_name"] for row in told["schemas"]] == ["arka", "sales"]
    assert told["tables"] == [{"catalog_name": "lake", "db_schema_name": "sales",
                               "table_name": "orders", "table_type": "TABLE"}]
    assert told["table types"] == [{"table_type": "TABLE"}]
    assert told["info"] == [{"info_name": 0, "value": [0, "Arka"]}]
    assert {"BIGINT", "VARCHAR", "DECIMAL", "TIMESTAMP"} < {row["type_name"] for row in told["types"]}
    assert all(row["nullable"] == 1 and row["searchable"] == 3 for row in told["types"])
    order = [row["data_type"] for row in told["types"]]
    assert order == sorted(order)
    assert [row["type_name"] for row in told["type"]] == ["BIGINT"]
    for keys in ("primary keys", "exported keys", "imported keys", "cross reference"):
        assert told[keys] == []


def test_go_asks_in_sql_by_adbc(program, auth_server):
    told = ask(program, auth_server, "adbc")
    assert told["ingest"] == 5 and told["ingest more"] == 2 and told["update"] == 2
    assert told["query"] == [[{"n": 9, "last": 11}]]
    assert told["parameters"] == [[{"text": "ten"}]]
    ((catalog,),) = told["objects"]
    assert catalog["catalog_name"] == "lake"
    assert {schema["db_schema_name"]: {
        table["table_name"]: [(column["column_name"], column["xdbc_type_name"])
                              for column in table["table_columns"]]
        for table in schema["db_schema_tables"]} for schema in catalog["catalog_db_schemas"]} == {
            "arka": {}, "sales": {"orders": [("number", "BIGINT"), ("text", "VARCHAR")]}}
