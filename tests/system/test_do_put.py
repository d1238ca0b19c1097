"""DoPut: pyarrow's do_put on a table's path, one PutResult a batch."""

import collections
import json
import threading

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.server import eventually
from testbed.write_stream import ResponseHeaders

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])
PATHS = [("sales", "orders"), ("sales.orders",), ("streaming_write", "sales", "orders")]


def batch(first, rows=1):
    ids = list(range(first, first + rows))
    return pa.record_batch([pa.array(ids), pa.array([f"row {i}" for i in ids])], schema=SCHEMA)


def put(client, *path, schema=SCHEMA, timeout=60, **headers):
    """A (writer, reader) pair; arka_acks="COMMITTED" becomes the header arka-acks."""
    options = flight.FlightCallOptions(timeout=timeout, headers=[
        (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()])
    return client.do_put(flight.FlightDescriptor.for_path(*path), schema, options)


def read_result(reader):
    result = reader.read()
    return None if result is None else json.loads(result.to_pybytes())


def read_to_end(reader):
    results = []
    while (result := read_result(reader)) is not None:
        results.append(result)
    return results


def at(level, lsns):
    return [{"lsn": lsn, "durability_level": level} for lsn in lsns]


def status(server):
    with server.connect() as client:
        info = client.get_flight_info(flight.FlightDescriptor.for_path("status"))
    return json.loads(info.app_metadata)


def ids_in(server, table="sales.orders"):
    return collections.Counter(lake.read_with_pyiceberg(server, table).column("id").to_pylist())


def once(count):
    return dict.fromkeys(range(count), 1)


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_result_for_every_batch_and_every_row_in_the_table(server, path):
    with server.connect() as client:
        writer, reader = put(client, *path, arka_acks="COMMITTED")
        for number in range(100):
            writer.write_batch(batch(10 * number, 10))
        writer.done_writing()
        assert read_to_end(reader) == at("COMMITTED", range(1000, 1100))
        writer.close()
    assert ids_in(server) == once(1000)


@pytest.mark.parametrize("level", ["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"])
def test_results_come_while_the_call_is_open(server, level):
    with server.connect() as client:
        writer, reader = put(client, "t", arka_acks=level)
        for number in range(5):
            writer.write_batch(batch(number))
            assert read_result(reader) == at(level, [1000 + number])[0]
        writer.done_writing()
        assert read_result(reader) is None
        writer.close()


def test_without_a_word_about_it_the_level_is_local_disk(slow_server):
    with slow_server.connect() as client:
        writer, reader = put(client, "t")
        writer.write_table(pa.Table.from_batches([batch(0, 10), batch(10, 10)]))
        writer.done_writing()
        assert read_to_end(reader) == at("LOCAL_DISK", [1000, 1001])
        writer.close()


@pytest.mark.timeout(120)
def test_what_was_answered_at_local_disk_survives_kill_9(start_server):
    server = start_server({"durability.s3_upload_interval": "1h",
                           "durability.iceberg_commit_interval": "1h"})
    with server.connect() as client:
        writer, reader = put(client, "sales.orders")
        for number in range(50):
            writer.write_batch(batch(number))
        assert [read_result(reader)["lsn"] for _ in range(50)] == list(range(1000, 1050))
        server.kill()
    server = start_server({"durability.iceberg_commit_interval": "100ms"})  # on the same directory
    eventually(lambda: status(server)["committed_lsn"] >= 1049)
    assert ids_in(server) == once(50)


@pytest.mark.timeout(180)
def test_a_writer_that_never_reads_is_not_stalled(server):
    count = 50_000
    with server.connect() as client:
        writer, _ = put(client, "sales.orders", arka_acks="LOCAL_DISK", timeout=120)
        for number in range(count):
            writer.write_batch(batch(number))
        eventually(lambda: status(server)["disk_lsn"] == 999 + count, timeout=60)
        writer.close()  # half-closes, and reads what is there
        eventually(lambda: status(server)["committed_lsn"] == 999 + count, timeout=60)
    assert ids_in(server) == once(count)


def test_a_batch_that_is_sent_again_is_there_once(server):
    def send(client, seqs):
        writer, reader = put(client, "sales", "orders", arka_producer="p", arka_acks="COMMITTED")
        for seq in seqs:
            writer.write_with_metadata(batch(seq - 1), json.dumps({"seq": seq}).encode())
        writer.done_writing()
        lsns = [result["lsn"] for result in read_to_end(reader)]
        writer.close()
        return lsns

    with server.connect() as client:
        assert send(client, [1, 2, 3, 2, 4]) == [1000, 1001, 1002, 1001, 1003]
    server.stop()
    server.restart()
    with server.connect() as client:
        again = send(client, [3, 4, 5])
        assert again[:2] == [1002, 1003]
        assert again[2] > 1003
    assert ids_in(server) == once(5)


def test_a_bad_batch_is_named_and_those_before_it_are_answered(server):
    with server.connect() as client:
        writer, reader = put(client, "sales.orders", arka_producer="p", arka_acks="COMMITTED")
        for seq in (1, 2, 3):
            writer.write_with_metadata(batch(seq - 1), json.dumps({"seq": seq}).encode())
        writer.write_with_metadata(batch(9), json.dumps({"seq": 9}).encode())
        assert [read_result(reader)["lsn"] for _ in range(3)] == [1000, 1001, 1002]
        with pytest.raises(pa.ArrowInvalid, match=r"batch 3 of the stream.*expected.*4"):
            read_to_end(reader)
            writer.close()
    assert ids_in(server) == once(3)


@pytest.mark.parametrize(("path", "headers", "match"), [
    (("status",), {}, "status"),
    (("a", "../b"), {}, r"\.\./b"),
    (("t",), {"arka_acks": "MEMORY,LOCAL_DISK"}, "one level"),
    (("t",), {"arka_watermarks": "true"}, "watermark"),
    (("t",), {"arka_ack_until": "COMMITTED"}, "arka-ack-until"),
])
def test_what_it_cannot_do_is_refused_with_the_reason(server, path, headers, match):
    with server.connect() as client:
        with pytest.raises(pa.ArrowInvalid, match=match):
            writer, reader = put(client, *path, **headers)
            read_to_end(reader)
            writer.close()


def test_a_schema_that_is_not_the_tables_is_refused_by_the_first_difference(server):
    with server.connect() as client:
        writer, _ = put(client, "sales.orders")
        writer.write_batch(batch(0))
        writer.close()
        other = pa.schema([("id", pa.string()), ("text", pa.string())])
        with pytest.raises(pa.ArrowInvalid, match="id"):
            writer, reader = put(client, "sales.orders", schema=other)
            read_to_end(reader)
            writer.close()


def test_it_has_a_session_that_can_be_asked_for(server):
    headers = ResponseHeaders()
    with server.connect(middleware=[headers]) as client:
        writer, reader = put(client, "t", arka_session="till 4")
        writer.write_batch(batch(0))
        assert read_result(reader)["lsn"] == 1000
        writer.close()
        assert headers.received["arka-session"] == ["till 4"]
        action = flight.Action("durability_status", json.dumps(
            {"session": "till 4", "until": "COMMITTED"}).encode())
        events = [event["durability_level"] for result in client.do_action(action)
                  for event in json.loads(result.body.to_pybytes())["events"]]
        assert events[-1] == "COMMITTED"


def test_puts_and_exchanges_of_many_clients_land_side_by_side(server):
    def write(number):
        with server.connect() as client:
            writer, reader = put(client, "sales.orders", arka_acks="OBJECT_STORAGE")
            for i in range(50):
                writer.write_batch(batch(number * 500 + i * 10, 10))
            writer.done_writing()
            lsns.extend(result["lsn"] for result in read_to_end(reader))
            writer.close()

    lsns = []
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(lsns) == list(range(1000, 1400))
    eventually(lambda: status(server)["committed_lsn"] == 1399)
    assert ids_in(server) == once(4000)


def test_close_returns_when_every_batch_is_there_and_raises_where_one_is_not(server):
    with server.connect() as client:
        writer, _ = put(client, "sales.orders", arka_acks="COMMITTED")
        for number in range(20):
            writer.write_batch(batch(number))
        writer.close()
        assert ids_in(server) == once(20)

        writer, _ = put(client, "sales.orders", arka_producer="p")
        writer.write_with_metadata(batch(20), b'{"seq": 2}')
        with pytest.raises(pa.ArrowInvalid, match="batch 0 of the stream"):
            writer.close()
