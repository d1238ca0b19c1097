"""A call of every kind, by the bytes that a client would send, and the right on `sales.orders` that it
needs: for tests of who may call. The actions are held against ListActions by the tests themselves.
"""

import base64
import json
from typing import NamedTuple, Optional

import grpc
import pyarrow as pa
from testbed.raw_flight import (
    SERVICE, batch_message, bytes_field, command_descriptor, flight_data, path_descriptor,
    schema_message, split)

SCHEMA = pa.schema([("id", pa.int64())])
BATCH = pa.record_batch([pa.array([1, 2, 3])], schema=SCHEMA)
SCHEMA_HEADER, _ = split(SCHEMA.serialize())


class Call(NamedTuple):
    method: str
    requests: tuple = (b"",)
    right: Optional[str] = None  # None: whoever has logged in


class Answer(NamedTuple):
    code: grpc.StatusCode
    details: str
    messages: list
    trailers: dict


def make(server, call, headers=()):
    """Makes the call, with headers as pyarrow takes them, and waits for its end."""
    metadata = [(name.decode(), value.decode()) for name, value in headers]
    with grpc.insecure_channel(f"{server.host}:{server.port}") as channel:
        running = channel.stream_stream(SERVICE + call.method)(
            iter(call.requests), metadata=metadata, timeout=30)
        messages = []
        try:
            messages += running
        except grpc.RpcError:
            pass
        return Answer(running.code(), running.details() or "", messages,
                      dict(running.trailing_metadata() or ()))


def sql_command(name, *fields):
    """A message of Flight SQL in its Any."""
    url = f"type.googleapis.com/arrow.flight.protocol.sql.{name}"
    return bytes_field(1, url.encode()) + bytes_field(2, b"".join(fields))


def sql_get(name, *fields):
    return command_descriptor(sql_command(name, *fields))


def sql_put(name, *fields):
    return flight_data(SCHEMA_HEADER, descriptor=sql_get(name, *fields)), batch_message(BATCH)


def action(kind, body=b"", right=None):
    body = json.dumps(body).encode() if isinstance(body, dict) else body
    return Call("DoAction", (bytes_field(1, kind.encode()) + bytes_field(2, body),), right)


ORDERS = path_descriptor("sales", "orders")
QUERY = bytes_field(1, b"SELECT id FROM sales.orders")
INSERT = bytes_field(1, b"INSERT INTO sales.orders VALUES (4)")
APPEND = bytes_field(1, b"\x08\x02\x10\x02") + bytes_field(2, b"orders") + bytes_field(3, b"sales")
CREATE = bytes_field(1, b"\x08\x01\x10\x01") + bytes_field(2, b"new") + bytes_field(3, b"sales")
NO_TICKET = bytes_field(1, b"no ticket")
TABLE = {"table": "sales.orders"}

# In an order in which all of them can be made one after the other.
ACTIONS = {
    "last_seq": action("last_seq", {"producer": "p", **TABLE}, "write"),
    "claim_producer": action("claim_producer", {"producer": "p", **TABLE}, "write"),
    "durability_status": action("durability_status", {"lsns": [1000]}),
    "flush": action("flush", {"level": "LOCAL_DISK", **TABLE}, "write"),
    "commit": action("commit", TABLE, "write"),
    "status": action("status"),
    "list_sessions": action("list_sessions"),
    "create_table": action("create_table", {"table": "sales.new", "schema_ipc": base64.b64encode(
        SCHEMA.serialize().to_pybytes()).decode()}, "admin"),
    "alter_table": action("alter_table", {**TABLE, "changes": [
        {"change": "add_column", "name": "note", "type": "string"}]}, "admin"),
    "seal": action("seal", TABLE, "admin"),
    "unseal": action("unseal", TABLE, "admin"),
    "cancel": action("cancel", {"ticket": ""}),
    "CancelFlightInfo": action("CancelFlightInfo", bytes_field(1, bytes_field(3, NO_TICKET))),
    "RenewFlightEndpoint": action("RenewFlightEndpoint", bytes_field(1, bytes_field(1, NO_TICKET))),
    "SetSessionOptions": action("SetSessionOptions"),
    "GetSessionOptions": action("GetSessionOptions"),
    "CloseSession": action("CloseSession"),
    "CreatePreparedStatement": action(
        "CreatePreparedStatement", sql_command("ActionCreatePreparedStatementRequest", QUERY), "read"),
    "ClosePreparedStatement": action(
        "ClosePreparedStatement",
        sql_command("ActionClosePreparedStatementRequest", bytes_field(1, b"none"))),
    "CancelQuery": action("CancelQuery", sql_command("ActionCancelQueryRequest", bytes_field(1, b""))),
    "drop_table": action("drop_table", TABLE, "admin"),  # last: the others want the table
}

EVERY_CALL = {
    "ListFlights": Call("ListFlights"),
    "ListActions": Call("ListActions"),
    **{f"{method} of {what}": Call(method, (descriptor,), right)
       for method in ("GetFlightInfo", "PollFlightInfo", "GetSchema")
       for what, descriptor, right in (
           ("a table", ORDERS, "read"), ("the status", path_descriptor("status"), None),
           ("a query", command_descriptor(b"SELECT id FROM sales.orders"), "read"),
           ("a statement", sql_get("CommandStatementQuery", QUERY), "read"),
           ("an INSERT", sql_get("CommandStatementQuery", INSERT), "write"),
           ("a prepared statement", sql_get("CommandPreparedStatementQuery",
                                            bytes_field(1, b"none")), None))},
    **{f"GetFlightInfo of {name}": Call("GetFlightInfo", (sql_get(name),))
       for name in ("CommandGetCatalogs", "CommandGetDbSchemas", "CommandGetTables",
                    "CommandGetTableTypes", "CommandGetSqlInfo", "CommandGetXdbcTypeInfo",
                    "CommandGetPrimaryKeys", "CommandGetExportedKeys", "CommandGetImportedKeys",
                    "CommandGetCrossReference")},
    "DoGet of the status": Call("DoGet", (bytes_field(1, b"status"),)),
    "DoGet of no ticket": Call("DoGet", (NO_TICKET,)),
    "DoPut of rows": Call("DoPut", (
        flight_data(SCHEMA_HEADER, descriptor=ORDERS), batch_message(BATCH)), "write"),
    "DoPut of an ingest": Call("DoPut", sql_put("CommandStatementIngest", APPEND), "write"),
    "DoPut of an ingest that makes a table": Call(
        "DoPut", sql_put("CommandStatementIngest", CREATE), "write and admin"),
    "DoPut of an update": Call("DoPut", sql_put("CommandStatementUpdate", INSERT), "write"),
    "DoPut of a prepared update": Call(
        "DoPut", sql_put("CommandPreparedStatementUpdate", bytes_field(1, b"none"))),
    "DoPut of parameters": Call(
        "DoPut", sql_put("CommandPreparedStatementQuery", bytes_field(1, b"none"))),
    "DoExchange": Call("DoExchange", (
        schema_message(SCHEMA, "sales", "orders"), batch_message(BATCH)), "write"),
    **{f"DoAction {kind}": call for kind, call in ACTIONS.items()},
    "DoAction that is none": action("no such action"),
}
