"""pyarrow against the real server: every action that ListActions has, and every error that wire.md lists
and a client can provoke. Every RPC is in the files named after them; Go's client: test_go_client.py."""

import base64
import json
import re

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed.credentials import CredentialsFile, bearer
from testbed.every_call import ACTIONS, BATCH, SCHEMA, sql_command
from testbed.raw_flight import bytes_field, fields
from testbed.server import ROOT

TOKENS = {name: f"{name}-token-0123456789abcdef" for name in ("all", "reader")}
ORDERS = flight.FlightDescriptor.for_path("sales", "orders")
COOKIE = b"arrow_flight_session_id"


@pytest.fixture
def server(start_server, tmp_path):
    """Commits nothing by itself; streams and queries end soon."""
    credentials = CredentialsFile(tmp_path / "credentials.yaml")
    for name, token in TOKENS.items():
        credentials.user(name, tokens=[token])
    credentials.grant("all", "*", "read", "write", "admin").grant("reader", "*", "read").save()
    return start_server({"auth.credentials": str(credentials.path), "query.timeout": "10s",
                         "server.max_batch_bytes": "256KB", "server.stream_idle_timeout": "2s"})


def options(token="all", *headers):
    return flight.FlightCallOptions(headers=[*(bearer(TOKENS[token]) if token else ()), *headers],
                                    timeout=60)


def put(client, table="orders", batch=BATCH, wait=False, token="all", headers=()):
    """One DoPut of one batch; with `wait` it ends when the server ends it."""
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("sales", table), batch.schema,
                                   options(token, *headers))
    with writer:
        writer.write_batch(batch)
        if not wait:
            writer.done_writing()
        results = []
        while (result := reader.read()) is not None:
            results.append(json.loads(result.to_pybytes()))
        return results


def test_every_action_is_done(server):
    headers = [(b"cookie", COOKIE + b"=none")]
    with server.connect() as client:
        listed = {kind.type for kind in client.list_actions(options())}
        assert listed == set(ACTIONS)
        put(client)
        info = client.get_flight_info(ORDERS, options())
        prepared = b""
        told = {}
        for kind, call in ACTIONS.items():
            body = fields(call.requests[0]).get(2, b"")
            if kind == "cancel":
                ticket = client.get_flight_info(ORDERS, options()).endpoints[0].ticket.ticket
                body = json.dumps({"ticket": base64.b64encode(ticket).decode()}).encode()
            elif kind == "RenewFlightEndpoint":
                body = bytes_field(1, client.get_flight_info(ORDERS, options()).endpoints[0].serialize())
            elif kind == "CancelFlightInfo":
                body = bytes_field(1, info.serialize())
            elif kind == "CancelQuery":
                query = flight.FlightDescriptor.for_command("select 1")
                body = sql_command("ActionCancelQueryRequest", bytes_field(
                    1, client.get_flight_info(query, options()).serialize()))
            elif kind == "ClosePreparedStatement":
                body = sql_command("ActionClosePreparedStatementRequest", bytes_field(1, prepared))
            try:
                told[kind] = [result.body.to_pybytes() for result in client.do_action(
                    flight.Action(kind, body), options("all", *headers))]
            except pa.ArrowKeyError as error:
                told[kind] = str(error)
            if kind == "CreatePreparedStatement":
                prepared = fields(fields(told[kind][0])[2])[1]
    assert "no cookie" in told.pop("CloseSession"), "sessions by pyarrow's ADBC: test_flight_sql_statements.py"
    assert told.pop("ClosePreparedStatement") == []
    assert all(len(answers) == 1 for answers in told.values()), told
    assert told["CancelFlightInfo"] == [b"\x08\x01"]
    assert fields(fields(told["CancelQuery"][0])[2]) == {1: 1}
    assert flight.FlightEndpoint.deserialize(told["RenewFlightEndpoint"][0]).ticket.ticket
    parsed = {kind: json.loads(answer[0]) for kind, answer in told.items() if answer[0][:1] == b"{"}
    assert parsed["last_seq"]["last_seq"] == 0 and parsed["claim_producer"]["epoch"] > 0
    assert parsed["durability_status"]["levels"][0]["lsn"] == 1000
    assert parsed["flush"] == {"lsn": 1000, "level": "LOCAL_DISK"}
    assert parsed["commit"]["tables"][0]["committed_lsn"] == 1000
    assert parsed["status"]["last_lsn"] == 1000 and len(parsed["list_sessions"]["sessions"]) == 1
    assert parsed["create_table"]["table"] == "sales.new"
    assert [column["name"] for column in parsed["alter_table"]["columns"]] == ["id", "note"]
    assert parsed["seal"]["last_lsn"] == 1000 and parsed["unseal"] == {"table": "sales.orders"}
    assert parsed["cancel"] == {"cancelled": True} and parsed["drop_table"]["uuid"]


def action(kind, **body):
    return lambda client: list(client.do_action(flight.Action(kind, json.dumps(body).encode()), options()))


def reading(sql, first=None):
    """Reads what a statement answers, after `first` was done to it."""
    def read(client):
        info = client.get_flight_info(flight.FlightDescriptor.for_command(sql), options())
        reader = client.do_get(info.endpoints[0].ticket, options())
        if first is not None:
            reader.read_chunk()
            first(client, info)
        # Not read_all: pyarrow makes a KeyboardInterrupt of CANCELLED there.
        while reader.read_chunk():
            pass
    return read


def cancel(client, info):
    list(client.do_action(flight.Action("CancelFlightInfo", bytes_field(1, info.serialize())), options()))


LARGE = pa.record_batch([pa.array([1] * 100_000)], schema=SCHEMA)
ENDLESS = "select count(*) from range(10000000) a, range(10000000) b"
NEW = {"table": "sales.sealed", "schema_ipc": base64.b64encode(SCHEMA.serialize().to_pybytes()).decode()}
# By code: how it comes, the exception that pyarrow makes of it, and a word of the message.
ERRORS = {
    "UNAUTHENTICATED": (lambda c: put(c, token=None), flight.FlightUnauthenticatedError, "authorization"),
    "PERMISSION_DENIED": (lambda c: put(c, token="reader"), flight.FlightUnauthorizedError, "'reader' has no"),
    "INVALID_ARGUMENT": (lambda c: put(c, headers=[(b"arka-acks", b"PAPER")]), pa.ArrowInvalid, "PAPER"),
    "NOT_FOUND": (action("commit", table="sales.nowhere"), pa.ArrowKeyError, "sales.nowhere"),
    "ALREADY_EXISTS": (action("create_table", **NEW), pa.ArrowException, "sales.sealed"),
    "FAILED_PRECONDITION": (lambda c: put(c, "sealed"), pa.ArrowInvalid, "sealed"),
    "UNIMPLEMENTED": (action("drop_table", table="sales.orders", purge=True), NotImplementedError, "purge"),
    "RESOURCE_EXHAUSTED": (lambda c: put(c, batch=LARGE), pa.ArrowInvalid, "server.max_batch_bytes"),
    "UNAVAILABLE": (lambda c: put(c, wait=True), flight.FlightUnavailableError, "stream_idle_timeout"),
    "DEADLINE_EXCEEDED": (reading(ENDLESS), flight.FlightTimedOutError, "query.timeout"),
    "CANCELLED": (reading("select * from range(1000000000)", cancel), flight.FlightCancelledError, "cancelled"),
}


def test_every_error_reaches_the_client_as_what_it_is(server):
    listed = set(re.findall(r"^\| ([A-Z_]+) \| [0-9]", (ROOT / "docs/spec/wire.md").read_text(), re.M))
    assert set(ERRORS) == listed - {"INTERNAL"}
    with server.connect() as client:
        put(client)
        action("create_table", **NEW)(client)
        action("seal", table="sales.sealed")(client)
        for call, kind, words in ERRORS.values():
            with pytest.raises(kind, match=words):
                call(client)
