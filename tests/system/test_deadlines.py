"""Deadlines, cancels and half-closes: the call ends as gRPC has it, what was written stays."""

import time

import grpc
import pyarrow as pa
import pyarrow.flight as flight
from testbed import lake
from testbed.raw_flight import RawExchange, batch_message, schema_message
from testbed.server import eventually
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])
BATCH = pa.record_batch([pa.array([1])], schema=SCHEMA)


def test_a_deadline_ends_the_stream(slow_server):
    with slow_server.connect() as client:
        started = time.monotonic()
        stream = WriteStream(client, SCHEMA, timeout=0.5)
        stream.write(BATCH)
        error = stream.join(10)
        assert isinstance(error, flight.FlightTimedOutError), repr(error)
        assert 0.3 < time.monotonic() - started < 5
        assert stream.counts["LOCAL_DISK"] == 1


def test_a_cancelled_stream_keeps_what_it_wrote(server, client):
    exchange = RawExchange(server).send(schema_message(SCHEMA, "t"), *[batch_message(BATCH)] * 5)
    eventually(lambda: len(exchange.acks) >= 5)
    exchange.call.cancel()
    assert exchange.end().code == grpc.StatusCode.CANCELLED

    def committed():
        try:
            return lake.read_with_pyiceberg(server, "arka.t").num_rows == 5
        except Exception:  # not there yet
            return False

    eventually(committed)


def test_a_half_close_without_batches_ends_with_ok(server):
    exchange = RawExchange(server).send(schema_message(SCHEMA, "t")).half_close().end()
    assert exchange.code == grpc.StatusCode.OK
    assert exchange.acks == []


def test_the_stream_stays_open_while_the_client_has_not_half_closed(slow_server):
    with slow_server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(BATCH)
        stream.wait("OBJECT_STORAGE")
        assert not stream.ended
        stream.write(BATCH)
        stream.wait("OBJECT_STORAGE")
        stream.finish()
        assert stream.lsns() == [1000, 1001]


def test_an_idle_stream_is_ended_after_the_configured_time(start_server):
    server = start_server({"server.stream_idle_timeout": "300ms"})
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(BATCH)
        stream.wait("OBJECT_STORAGE")
        stream.join(10)
