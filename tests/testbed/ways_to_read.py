"""The four ways in which a client can count a table's numbered rows (numbered_writes.py). Each is a
context manager and holds a connection of its own."""

import contextlib
import json

import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa
import pyarrow.flight as flight

from testbed import http
from testbed.numbered_writes import summary_of, summary_query


def read_endpoints(client, descriptor):
    """All endpoints as one pyarrow.Table, last endpoint first: any order does."""
    info = client.get_flight_info(descriptor)
    parts = [client.do_get(endpoint.ticket).read_all() for endpoint in reversed(info.endpoints)]
    return pa.concat_tables(parts)


@contextlib.contextmanager
def do_get(server):
    """All rows, counted here."""
    with server.connect() as client:
        yield lambda table: summary_of(read_endpoints(
            client, flight.FlightDescriptor.for_path(*table.split("."))))


@contextlib.contextmanager
def sql(server):
    """A statement as the command of a descriptor."""
    with server.connect() as client:
        yield lambda table: read_endpoints(
            client, flight.FlightDescriptor.for_command(summary_query(table))).to_pylist()


@contextlib.contextmanager
def flight_sql(server):
    """A statement through ADBC's driver."""
    def ask(table):
        cursor.execute(summary_query(table))
        return cursor.fetch_arrow_table().to_pylist()

    with adbc.connect(server.location, autocommit=True) as connection, \
            connection.cursor() as cursor:
        yield ask


@contextlib.contextmanager
def plain_http(server):
    """A statement POSTed by a client that knows no Flight."""
    def ask(table):
        answer = http.request(server, "POST", "/api/v1/query",
                              json.dumps({"sql": summary_query(table)}).encode(),
                              content_type="application/json")
        assert answer.status == 200, answer.body
        return answer.json

    yield ask


WAYS = {"DoGet": do_get, "SQL": sql, "Flight SQL": flight_sql, "HTTP": plain_http}
