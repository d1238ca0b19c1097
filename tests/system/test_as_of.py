"""Reads of older states: of a snapshot, and of an LSN."""

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.write_stream import WriteStream

IDS = pa.schema([pa.field("id", pa.int64(), nullable=False)])
ORDERS = flight.FlightDescriptor.for_path("sales", "orders")


def as_of(header, value):
    return flight.FlightCallOptions(headers=[(header.encode(), str(value).encode())])


def read(client, options):
    info = client.get_flight_info(ORDERS, options)
    parts = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]
    return sorted(pa.concat_tables(parts)["id"].to_pylist())


def ask(client, sql, options):
    info = client.get_flight_info(flight.FlightDescriptor.for_command(sql), options)
    return client.do_get(info.endpoints[0].ticket).read_all()["n"].to_pylist()


def test_a_table_is_read_as_of_an_lsn_or_a_snapshot(server, client):
    stream = WriteStream(client, IDS, "sales", "orders")
    snapshots = []
    for number in range(3):
        stream.write(pa.record_batch([pa.array([number])], schema=IDS))
        stream.wait("COMMITTED")
        snapshots.append(lake.load_table(server, "sales.orders").current_snapshot().snapshot_id)
    stream.write(pa.record_batch([pa.array([3])], schema=IDS))
    stream.wait("LOCAL_DISK")
    for number, lsn in enumerate(stream.lsns()):
        assert read(client, as_of("arka-as-of-lsn", lsn)) == list(range(number + 1))
    for number, snapshot in enumerate(snapshots):
        assert read(client, as_of("arka-as-of-snapshot", snapshot)) == list(range(number + 1))
    stream.finish()
    count = "SELECT count(*) AS n FROM sales.orders"
    assert ask(client, count, None) == [4]
    for number, lsn in enumerate(stream.lsns()):
        assert ask(client, count, as_of("arka-as-of-lsn", lsn)) == [number + 1]
    for number, snapshot in enumerate(snapshots):
        assert ask(client, count, as_of("arka-as-of-snapshot", snapshot)) == [number + 1]
    with pytest.raises(pa.ArrowKeyError, match="no snapshot 5"):
        ask(client, count, as_of("arka-as-of-snapshot", 5))
    with pytest.raises(pa.ArrowKeyError, match="no write has the LSN"):
        read(client, as_of("arka-as-of-lsn", stream.lsns()[-1] + 1))
    with pytest.raises(pa.ArrowKeyError, match="no snapshot 5"):
        client.get_schema(ORDERS, as_of("arka-as-of-snapshot", 5))
    with pytest.raises(pa.ArrowInvalid, match="arka-as-of-lsn: 'now'"):
        read(client, as_of("arka-as-of-lsn", "now"))


def field_1(message):
    """A protobuf message whose only field, number 1, is `message`."""
    size, length = len(message), b""
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return b"\x0a" + length + bytes([size]) + message


def test_tickets_are_renewed_and_cancelled(client):
    stream = WriteStream(client, IDS, "sales", "orders")
    stream.write(pa.record_batch([pa.array([1])], schema=IDS))
    stream.wait("LOCAL_DISK")
    stream.finish()
    info = client.get_flight_info(ORDERS)
    endpoint = info.endpoints[0]
    (answer,) = client.do_action(flight.Action("RenewFlightEndpoint",
                                               field_1(endpoint.serialize())))
    renewed = flight.FlightEndpoint.deserialize(answer.body.to_pybytes())
    assert renewed.ticket == endpoint.ticket
    assert renewed.expiration_time.value >= endpoint.expiration_time.value
    assert client.do_get(renewed.ticket).read_all().num_rows == 1
    (answer,) = client.do_action(flight.Action("CancelFlightInfo", field_1(info.serialize())))
    assert answer.body.to_pybytes() == b"\x08\x01"  # CANCELLED
    with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
        client.do_get(endpoint.ticket).read_all()
