"""Tables are read through Flight: committed and fresh rows, each once, whatever goes on meanwhile."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.flight as flight
import pytest
from pyiceberg.types import LongType, StringType
from testbed import lake
from testbed.numbered_writes import SCHEMA, NumberedWrites, rows, summary_of
from testbed.ways_to_read import read_endpoints
from testbed.write_stream import WriteStream

ORDERS = flight.FlightDescriptor.for_path("sales", "orders")


def read(client, descriptor=ORDERS):
    return read_endpoints(client, descriptor)


def write(client, *batches, until="LOCAL_DISK", table=("sales", "orders")):
    stream = WriteStream(client, batches[0].schema, *table)
    for batch in batches:
        stream.write(batch)
    stream.wait(until, len(batches))
    return stream


@pytest.fixture
def slow_client(slow_server):
    with slow_server.connect() as connected:
        yield connected


def test_rows_are_read_before_they_are_committed(slow_server, slow_client):
    server, client = slow_server, slow_client
    write(client, rows(1, 0, 10), rows(1, 10, 10)).finish()
    assert not lake.load_table(server, "sales.orders").snapshots()
    table = read(client)
    assert table.column("number").to_pylist() == list(range(20))
    assert table.schema.names == ["writer", "number"]
    assert client.get_schema(ORDERS).schema.equals(table.schema)


def test_rows_are_read_once_they_are_committed_and_counted(server, client):
    write(client, rows(1, 0, 10), until="COMMITTED").finish()
    info = client.get_flight_info(ORDERS)
    assert info.total_records == 10
    assert info.total_bytes > 0
    assert info.descriptor == ORDERS
    assert all(endpoint.expiration_time is not None for endpoint in info.endpoints)
    assert read(client).equals(lake.read_with_pyiceberg(server, "sales.orders").cast(
        read(client).schema))


def test_names_may_be_dotted(client):
    write(client, rows(1, 0, 3)).finish()
    assert read(client, flight.FlightDescriptor.for_path("sales.orders")).num_rows == 3


def test_an_empty_table_is_read_as_its_schema(server, client):
    batch = rows(1, 0, 0)
    write(client, batch).finish()
    table = read(client)
    assert table.num_rows == 0
    assert table.schema.names == SCHEMA.names


def test_flights_are_listed_by_prefix_and_by_pattern(client):
    for table in (("sales", "orders"), ("sales", "users"), ("eu", "orders")):
        write(client, rows(1, 0, 1), table=table).finish()

    def listed(criteria):
        return sorted(b".".join(info.descriptor.path).decode()
                      for info in client.list_flights(criteria))

    assert listed(b"") == ["eu.orders", "sales.orders", "sales.users"]
    assert listed(b"sales.") == ["sales.orders", "sales.users"]
    assert listed(b"*.orders") == ["eu.orders", "sales.orders"]
    assert listed(b"sales.u????") == ["sales.users"]
    assert listed(b"nothing") == []
    assert next(client.list_flights(b"eu")).schema.names == SCHEMA.names


def test_what_is_not_there_is_refused(client):
    with pytest.raises(pa.ArrowKeyError, match="nowhere.orders"):
        client.get_flight_info(flight.FlightDescriptor.for_path("nowhere", "orders"))
    with pytest.raises(pa.ArrowKeyError, match="nowhere.orders"):
        client.get_schema(flight.FlightDescriptor.for_path("nowhere", "orders"))
    for forged in (b"", b"sales.orders", b"/etc/passwd", b"../warehouse", b"\x00" * 40):
        with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
            client.do_get(flight.Ticket(forged)).read_all()
    write(client, rows(1, 0, 1)).finish()
    good = client.get_flight_info(ORDERS).endpoints[0].ticket.ticket
    for changed in (good + b"1", good[:-1] + b"9", b"0" + good[1:], good[:36]):
        if changed != good:
            with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
                client.do_get(flight.Ticket(changed)).read_all()


def test_a_ticket_goes_on_to_show_what_it_was_given_for(client):
    write(client, rows(1, 0, 5)).finish()
    info = client.get_flight_info(ORDERS)
    write(client, rows(1, 5, 5), until="COMMITTED").finish()
    for _ in range(2):
        parts = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]
        assert pa.concat_tables(parts).column("number").to_pylist() == list(range(5))


def test_rows_of_an_altered_table_are_read_by_its_schema_of_now(slow_server, slow_client):
    server, client = slow_server, slow_client
    first = pa.record_batch({"id": pa.array([1, 2], pa.int32()), "note": ["a", "b"],
                             "gone": [True, False]})
    stream = write(client, first)
    table = lake.load_table(server, "sales.orders")
    with table.update_schema() as update:
        update.update_column("id", LongType())
        update.rename_column("note", "remark")
        update.delete_column("gone")
        update.add_column("added", StringType())
    expected = {"id": [1, 2], "remark": ["a", "b"], "added": [None, None]}
    assert read(client).to_pydict() == expected  # out of the log
    stream.finish()
    server.stop()  # commits
    server.start()
    with server.connect() as again:
        assert read(again).to_pydict() == expected  # out of the data file
        write(again, pa.record_batch({"id": [3], "remark": ["c"], "added": ["d"]})).finish()
        assert sorted(read(again).column("id").to_pylist()) == [1, 2, 3]


def test_fresh_rows_are_read_after_a_crash(slow_server, slow_client):
    server, client = slow_server, slow_client
    write(client, *(rows(1, first, 100) for first in range(0, 1000, 100))).finish()
    server.kill()
    server.start()
    with server.connect() as again:
        assert sorted(read(again).column("number").to_pylist()) == list(range(1000))


def test_a_large_table_has_several_endpoints(server, client):
    count = 16
    batch = pa.record_batch(
        [pa.array([1] * 500_000, pa.int64()),
         pc.random(500_000).view(pa.int64())], schema=SCHEMA)
    for _ in range(count):
        write(client, batch, until="COMMITTED").finish()
    info = client.get_flight_info(ORDERS)
    assert len(info.endpoints) > 1
    assert info.total_records == count * 500_000
    assert read(client).num_rows == count * 500_000


def test_every_read_is_a_prefix_that_holds_what_was_acknowledged_before(server, client):
    reads = 60
    with NumberedWrites(server) as writes:
        while reads > 0 or len(lake.load_table(server, writes.table).snapshots()) < 6:
            reads -= 1
            before = writes.acknowledged()
            writes.check(summary_of(read(client)), before)
