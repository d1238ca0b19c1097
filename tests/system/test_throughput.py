"""Many writes, many clients, many tables: nothing lost, nothing twice, nobody stalled."""

import os
import subprocess
import sys
import threading

import pyarrow as pa
import pytest
from testbed import lake
from testbed.server import ROOT, eventually
from testbed.write_stream import WriteStream, check_order

SCHEMA = pa.schema([("client", pa.int32()), ("number", pa.int64()), ("text", pa.string())])


def one_row(client, number):
    return pa.record_batch([pa.array([client], pa.int32()), pa.array([number]),
                            pa.array([f"row {number} of client {client}"])], schema=SCHEMA)


def test_thousands_of_small_writes_are_all_in_the_table(server, client):
    stream = WriteStream(client, SCHEMA)
    for i in range(10_000):
        stream.write(one_row(0, i))
    stream.wait("COMMITTED", timeout=60)
    stream.finish()
    check_order(stream.acks)
    for table in (lake.read_with_pyiceberg(server), lake.read_with_duckdb(server)):
        assert sorted(table["number"].to_pylist()) == list(range(10_000))
        assert set(table["text"].to_pylist()) == {f"row {i} of client 0" for i in range(10_000)}


def test_four_clients_write_at_once(server):
    streams = [None] * 4

    def write(client_number):
        with server.connect() as client:
            stream = streams[client_number] = WriteStream(client, SCHEMA)
            for i in range(2_000):
                stream.write(one_row(client_number, i))
            stream.wait("COMMITTED", timeout=60)
            stream.finish()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    lsns = []
    for stream in streams:
        assert stream is not None and stream.error is None
        check_order(stream.acks)
        assert stream.lsns() == sorted(stream.lsns())
        lsns += stream.lsns()
    assert sorted(lsns) == list(range(1000, 9000)), "unique over all streams, without a gap"
    table = lake.read_with_pyiceberg(server).to_pylist()
    found = sorted((row["client"], row["number"]) for row in table)
    assert found == [(c, n) for c in range(4) for n in range(2_000)]


def test_streams_of_one_connection_share_it(server, client):
    streams = [WriteStream(client, SCHEMA, f"t{n}") for n in range(8)]
    for i in range(50):
        for number, stream in enumerate(streams):
            stream.write(one_row(number, i))
    for number, stream in enumerate(streams):
        stream.wait("COMMITTED")
        stream.finish()
        assert lake.read_with_pyiceberg(server, f"arka.t{number}").num_rows == 50


@pytest.mark.parametrize("path, name", [
    ((), "arka.my_table"),
    (("orders",), "arka.orders"),
    (("sales", "orders"), "sales.orders"),
    (("sales.orders",), "sales.orders"),
])
def test_the_descriptor_names_the_table(server, client, path, name):
    stream = WriteStream(client, SCHEMA, *path)
    stream.write(one_row(0, 1))
    stream.wait("COMMITTED")
    stream.finish()
    assert lake.read_with_pyiceberg(server, name).num_rows == 1


def test_two_tables_of_different_schemas_grow_side_by_side(server, client):
    other = pa.schema([("price", pa.float64())])
    orders = WriteStream(client, SCHEMA, "orders")
    prices = WriteStream(client, other, "prices")
    for i in range(500):
        orders.write(one_row(0, i))
        prices.write(pa.record_batch([pa.array([i / 4, i / 2])], schema=other))
    for stream in (orders, prices):
        stream.wait("COMMITTED")
        stream.finish()
    assert sorted(orders.lsns() + prices.lsns()) == list(range(1000, 2000))
    assert lake.read_with_pyiceberg(server, "arka.orders").num_rows == 500
    total = lake.read_with_duckdb(server, "arka.prices", "sum(price) AS total")
    assert total["total"].to_pylist() == [sum(i / 4 + i / 2 for i in range(500))]


def test_a_client_that_never_reads_acks_is_not_stalled(slow_server):
    """Against Arrow's own server pyarrow stops for good after some 40,000 unread acks."""
    writes = 60_000
    with slow_server.connect() as client:
        stream = WriteStream(client, SCHEMA, read_acks=False)
        batch = one_row(0, 0)
        for _ in range(10_000):
            stream.write(batch)
        before = slow_server.resident_mb
        for _ in range(writes - 10_000):
            stream.write(batch)
        watching = WriteStream(client, SCHEMA)
        watching.write(batch)
        watching.wait("LOCAL_DISK")
        grown = slow_server.resident_mb - before
        assert grown < 60, f"{grown:.0f} MB for {writes} writes with unread acks"
        assert watching.lsns() == [1000 + writes]
        watching.finish()
        stream.half_close()
        unread = sum(chunk.data.num_rows for chunk in stream.reader)
        assert unread >= 3 * writes, "they are all still to be had"


ENDLESS_CLIENT = """
import sys
import pyarrow as pa
import pyarrow.flight as flight
from testbed.write_stream import WriteStream

with flight.connect(sys.argv[1]) as client:
    schema = pa.schema([("number", pa.int64()), ("pad", pa.string())])
    stream = WriteStream(client, schema, "endless")
    number = 0
    while True:
        stream.write(pa.record_batch([pa.array([number]), pa.array(["p" * 5000])], schema=schema))
        number += 1
        if number % 50 == 0:
            print(stream.counts["LOCAL_DISK"], flush=True)
"""


def test_a_client_killed_in_mid_stream_leaves_what_it_wrote_and_no_more(server):
    child = subprocess.Popen([sys.executable, "-c", ENDLESS_CLIENT, server.location],
                             stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "PYTHONPATH": str(ROOT / "tests")})
    durable = 0
    while durable < 200:
        durable = int(child.stdout.readline())
    child.kill()
    durable = int((child.stdout.read().split() or [durable])[-1])
    child.wait()

    def numbers():
        return sorted(lake.read_with_pyiceberg(server, "arka.endless")["number"].to_pylist())

    eventually(lambda: len(numbers()) >= durable)
    with server.connect() as client:
        other = WriteStream(client, SCHEMA)
        other.write(one_row(1, 0))
        other.wait("COMMITTED")
        other.finish()
    server.stop()  # commits whatever came before it
    assert numbers() == list(range(len(numbers()))), "no gap, nothing twice"
