"""What must be refused: with the right code and a useful message, and nobody else disturbed."""

import re
import struct

import grpc
import pyarrow as pa
import pytest
from testbed import lake
from testbed.raw_flight import (
    RawExchange,
    batch_message,
    batch_parts,
    bytes_field,
    command_descriptor,
    flight_data,
    path_descriptor,
    schema_message,
    split,
    unary,
)
from testbed.server import ArkaServer
from testbed.write_stream import WriteStream, refusal

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])
INVALID = grpc.StatusCode.INVALID_ARGUMENT
TOO_LARGE = grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for all cases of this file: whatever comes in, it goes on serving the next."""
    server = ArkaServer(tmp_path_factory.mktemp("bad") / "data",
                        {"durability.iceberg_commit_interval": "200ms"})
    yield server
    server.stop()


def rows(count=2):
    text = [f"some text {i}" for i in range(count)]
    return pa.record_batch([pa.array(range(count)), pa.array(text)], schema=SCHEMA)


def patched(offset_in_text_column, replacement):
    """A batch of two rows whose text column's buffers are overwritten at an offset."""
    header, body = batch_parts(rows())
    body = bytearray(body)
    start = body.index(b"some text 0some text 1") + offset_in_text_column
    body[start : start + len(replacement)] = replacement
    return flight_data(header, bytes(body))


def with_offsets(*offsets):
    header, body = batch_parts(rows())
    good = struct.pack("<3i", 0, 11, 22)
    assert body.count(good) == 1
    return flight_data(header, body.replace(good, struct.pack("<3i", *offsets)))



def _truncated_header():
    header, body = batch_parts(rows())
    return flight_data(header[: len(header) // 2], body)


def _flipped_header():
    header, body = batch_parts(rows())
    return flight_data(bytes(b ^ 0xFF for b in header), body)


def _short_body():
    header, body = batch_parts(rows())
    return flight_data(header, body[: len(body) // 2])


def _body_length_lies():
    """The header says a body far longer than what came."""
    header, body = batch_parts(rows())
    length = struct.pack("<q", len(body))
    assert header.count(length) >= 1
    return flight_data(header.replace(length, struct.pack("<q", 1 << 40)), body)


def _row_count_lies():
    header, body = batch_parts(rows(3))
    return flight_data(header.replace(struct.pack("<q", 3), struct.pack("<q", 2**62)), body)


def _another_schema_message():
    header, _ = split(pa.schema([("other", pa.int8())]).serialize())
    return flight_data(header)


def _batch_of_another_schema():
    return batch_message(pa.record_batch([pa.array([1.5])], names=["price"]))


def _dictionary_nobody_asked_for():
    encoded = pa.record_batch([pa.array(["a"]).dictionary_encode()], names=["c"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, encoded.schema) as writer:
        writer.write_batch(encoded)
    reader = pa.ipc.MessageReader.open_stream(sink.getvalue())
    dictionary = [message for message in reader if message.type == "dictionary"][0]
    return flight_data(*split(dictionary.serialize()))


BAD_BATCHES = {
    "garbage protobuf": lambda: b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "truncated protobuf": lambda: batch_message(rows())[:-10],
    "empty header": lambda: flight_data(b"", b""),
    "header of noise": lambda: flight_data(bytes(range(256)), b""),
    "truncated IPC header": _truncated_header,
    "flipped IPC header": _flipped_header,
    "truncated body": _short_body,
    "no body": lambda: flight_data(batch_parts(rows())[0]),
    "body length that lies": _body_length_lies,
    "row count that lies": _row_count_lies,
    "offset beyond the data": lambda: with_offsets(0, 11, 1 << 30),
    "offsets that fall": lambda: with_offsets(0, 22, 11),
    "negative offset": lambda: with_offsets(-8, 11, 22),
    "invalid UTF-8": lambda: patched(3, b"\xff\xfe"),
    "a character over two values": lambda: patched(10, b"\xc3\xa9"),
    "a batch of another schema": _batch_of_another_schema,
    "a second schema": _another_schema_message,
    "an unasked dictionary": _dictionary_nobody_asked_for,
}


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_a_bad_batch_ends_its_stream_and_spares_the_earlier_ones(shared, name):
    table = re.sub(r"\W", "_", name.lower())
    bystander_client = shared.connect()
    bystander = WriteStream(bystander_client, SCHEMA, "bystander")
    bystander.write(rows())

    exchange = RawExchange(shared, headers=[("arka-ack-until", "COMMITTED")])
    exchange.send(schema_message(SCHEMA, table))
    exchange.send(*(batch_message(rows()) for _ in range(3)))
    exchange.send(BAD_BATCHES[name](), batch_message(rows()))
    exchange.half_close().end()

    wanted = TOO_LARGE if name == "row count that lies" else INVALID
    assert exchange.code == wanted, f"{exchange.code}: {exchange.details}"
    assert re.search(r"\b[34]\b", exchange.details), f"no position in: {exchange.details}"
    assert exchange.trailers.get("arka-retryable") == "false"
    for tier in ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE"):  # an error does not wait for a commit
        assert sum(a.durability_level == tier for a in exchange.acks) == 3, tier

    after = WriteStream(bystander_client, SCHEMA, table)
    after.write(rows())
    after.wait("COMMITTED")
    after.finish()
    bystander.write(rows())
    bystander.wait("COMMITTED", 2)
    bystander.finish()
    bystander_client.close()
    assert lake.read_with_pyiceberg(shared, f"arka.{table}").num_rows == 8, "three, and one after"


FIRST_MESSAGES = {
    "no descriptor": (flight_data(split(SCHEMA.serialize())[0]), "descriptor"),
    "an empty path": (flight_data(split(SCHEMA.serialize())[0], descriptor=path_descriptor()), "path"),
    "an unknown path": (flight_data(split(SCHEMA.serialize())[0],
                                    descriptor=path_descriptor("write_streaming")), "streaming_write"),
    "a path of 10,000 parts": (flight_data(split(SCHEMA.serialize())[0], descriptor=path_descriptor(
        "streaming_write", *["n"] * 10_000)), ""),
    "a command": (flight_data(split(SCHEMA.serialize())[0],
                              descriptor=command_descriptor(b"select 1")), ""),
    "no schema": (flight_data(*batch_parts(rows()),
                              descriptor=path_descriptor("streaming_write", "t")), "schema"),
    "a table outside": (schema_message(SCHEMA, "../../etc/passwd"), ""),
    "a table with a NUL": (schema_message(SCHEMA, "a\0b"), ""),
    "a table of 300 bytes": (schema_message(SCHEMA, "x" * 300), ""),
    "a schema without columns": (schema_message(pa.schema([]), "t"), "column"),
    "a column twice": (schema_message(pa.schema([("a", pa.int8()), ("a", pa.int8())]), "t"), "a"),
    "an unnamed column": (schema_message(pa.schema([("", pa.int8())]), "t"), "name"),
}


@pytest.mark.parametrize("name", FIRST_MESSAGES)
def test_a_bad_first_message_is_refused(shared, name):
    message, word = FIRST_MESSAGES[name]
    exchange = RawExchange(shared).send(message, batch_message(rows())).half_close().end()
    assert exchange.code in (INVALID, grpc.StatusCode.NOT_FOUND), exchange.code
    assert word in exchange.details.lower()
    assert exchange.acks == []


def test_a_stream_that_ends_before_its_first_message_wrote_nothing(shared):
    exchange = RawExchange(shared).half_close().end()
    assert exchange.code == grpc.StatusCode.OK
    assert exchange.acks == []


def test_another_schema_is_refused_with_both_schemas_and_the_first_difference(shared):
    with shared.connect() as client:
        first = WriteStream(client, SCHEMA, "strict")
        first.write(rows())
        first.wait("LOCAL_DISK")
        first.finish()
        other = pa.schema([("id", pa.int64()), ("text", pa.float64())])
        error = refusal(client, other, "strict")
    assert isinstance(error, pa.ArrowInvalid), repr(error)
    message = str(error)
    assert message.count("id") >= 2 and "text" in message, "both schemas"
    assert "string" in message and "double" in message, "what differs"


def test_a_batch_over_the_limit_is_refused_by_size(shared):
    big = pa.record_batch([pa.array([0]), pa.array(["x" * (65 << 20)])], schema=SCHEMA)
    exchange = RawExchange(shared).send(schema_message(SCHEMA, "big"), batch_message(rows()))
    exchange.send(batch_message(big)).half_close().end()
    assert exchange.code == TOO_LARGE, exchange.details
    assert re.search(r"64 ?M|67108864|max_batch_bytes", exchange.details), exchange.details
    assert sum(a.durability_level == "MEMORY" for a in exchange.acks) == 1


def test_a_batch_just_under_the_limit_is_taken(shared):
    with shared.connect() as client:
        stream = WriteStream(client, SCHEMA, "large")
        stream.write(pa.record_batch([pa.array([0]), pa.array(["x" * (63 << 20)])], schema=SCHEMA))
        stream.wait("COMMITTED")
        stream.finish()


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_decompression_bomb_is_refused(shared, codec):
    """Some kilobytes that unpack to 600 MB."""
    bomb = pa.record_batch([pa.array([0]), pa.array([b"\0" * (600 << 20)])], names=["id", "b"])
    options = pa.ipc.IpcWriteOptions(compression=codec)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, bomb.schema, options=options) as writer:
        writer.write_batch(bomb)
    reader = pa.ipc.MessageReader.open_stream(sink.getvalue())
    schema, batch = (split(message.serialize()) for message in reader)
    assert len(batch[1]) < 8 << 20
    before = shared.resident_mb
    exchange = RawExchange(shared)
    exchange.send(flight_data(schema[0], descriptor=path_descriptor("streaming_write", f"b{codec}")))
    exchange.send(flight_data(*batch)).half_close().end()
    assert exchange.code in (TOO_LARGE, INVALID), exchange.code
    assert shared.resident_mb - before < 400


BAD_SEQS = {
    "a gap": (b'{"seq": 9}', "3"),
    "the largest number": (b'{"seq": 9223372036854775807}', "3"),
    "beyond the largest": (b'{"seq": 9223372036854775808}', "seq"),
    "zero": (b'{"seq": 0}', "seq"),
    "a fraction": (b'{"seq": 1.5}', "whole"),
    "text": (b'{"seq": "3"}', "number"),
    "another key": (b'{"seq": 3, "more": 1}', "key"),
    "deep JSON": (b'{"seq":' * 500, "number"),
    "deeper JSON": (b"[" * 1_000_000, "4096"),
    "noise": (bytes(range(256)), "JSON"),
    "nothing": (None, "seq"),
}


@pytest.mark.parametrize("name", BAD_SEQS)
def test_a_bad_seq_ends_its_stream_and_spares_the_earlier_batches(shared, name):
    metadata, word = BAD_SEQS[name]
    table = "seq_" + re.sub(r"\W", "_", name)
    exchange = RawExchange(shared, headers=[("arka-producer", "p")])
    exchange.send(schema_message(SCHEMA, table))
    exchange.send(*(batch_message(rows(), metadata=b'{"seq": %d}' % seq) for seq in (1, 2)))
    exchange.send(batch_message(rows(), metadata=metadata), batch_message(rows()))
    exchange.half_close().end()
    assert exchange.code == INVALID, f"{exchange.code}: {exchange.details}"
    assert "batch 2" in exchange.details and word in exchange.details
    assert exchange.trailers.get("arka-retryable") == "false"
    assert sum(a.durability_level == "OBJECT_STORAGE" for a in exchange.acks) == 2
    again = RawExchange(shared, headers=[("arka-producer", "p"), ("arka-ack-until", "COMMITTED")])
    again.send(schema_message(SCHEMA, table), batch_message(rows(), metadata=b'{"seq": 3}'))
    again.half_close().end()
    assert again.code == grpc.StatusCode.OK, again.details
    assert lake.read_with_pyiceberg(shared, f"arka.{table}").num_rows == 6


def test_app_metadata_of_100_mb_is_refused_by_size(shared):
    exchange = RawExchange(shared, headers=[("arka-producer", "p")])
    exchange.send(schema_message(SCHEMA, "vast"), batch_message(rows(), metadata=b"x" * (100 << 20)))
    exchange.half_close().end()
    assert exchange.code == TOO_LARGE, exchange.details
    assert exchange.acks == []


@pytest.mark.parametrize("name", ["", "x" * 129, "tab\there"], ids=["empty", "long", "control"])
@pytest.mark.parametrize("header", ["arka-producer", "arka-session"])
def test_a_bad_name_of_a_client_is_refused(shared, header, name):
    exchange = RawExchange(shared, headers=[(header, name)]).half_close().end()
    assert exchange.code in (INVALID, grpc.StatusCode.INTERNAL), exchange.code
    if exchange.code == INVALID:  # else grpc itself would not send it
        assert header in exchange.details


def action(kind, body):
    return bytes_field(1, kind.encode()) + bytes_field(2, body)


BAD_ACTIONS = {
    "no such action": (action("drop", b"{}"), grpc.StatusCode.NOT_FOUND, "last_seq"),
    "no type": (action("", b"{}"), grpc.StatusCode.NOT_FOUND, "last_seq"),
    "a type of 1 MB": (action("x" * (1 << 20), b"{}"), grpc.StatusCode.NOT_FOUND, "last_seq"),
    "no body": (action("last_seq", None), INVALID, "JSON"),
    "a body of noise": (action("last_seq", bytes(range(256))), INVALID, "JSON"),
    "an array": (action("last_seq", b"[]"), INVALID, "array"),
    "deep JSON": (action("last_seq", b'{"a":' * 100_000), INVALID, "nested"),
    "an unknown key": (action("last_seq", b'{"producers": "p"}'), INVALID, "producers"),
    "a key that is missing": (action("last_seq", b'{"producer": "p"}'), INVALID, "table"),
    "a table outside": (action("last_seq", b'{"producer": "p", "table": "../x"}'), INVALID, "../x"),
    "a number for a name": (action("durability_status", b'{"session": 7}'), INVALID, "session"),
    "an unknown level": (action("durability_status", b'{"session": "s", "until": "DISK"}'), INVALID,
                         "until"),
    "an unknown session": (action("durability_status", b'{"session": "s"}'),
                           grpc.StatusCode.NOT_FOUND, "acks.retention"),
    "a million LSNs": (action("durability_status", b'{"lsns": [' + b"1," * 400_000 + b"1]}"), INVALID,
                       "10000"),
    "LSN that is a fraction": (action("durability_status", b'{"lsns": [1000.5]}'), INVALID, "lsns"),
    "an LSN nobody got": (action("durability_status", b'{"lsns": [987654321]}'),
                          grpc.StatusCode.NOT_FOUND, "987654321"),
    "a body of 2 MB": (action("durability_status", b" " * (2 << 20)), INVALID, "1048576"),
}


@pytest.mark.parametrize("name", BAD_ACTIONS)
def test_a_bad_action_is_refused_by_what_is_wrong(shared, name):
    request, code, word = BAD_ACTIONS[name]
    got, details, results = unary(shared, "DoAction", request)
    assert got == code, f"{got}: {details}"
    assert word in details
    assert results == []


@pytest.mark.parametrize("method", ["DoGet", "DoAction", "GetFlightInfo", "GetSchema", "ListFlights",
                                    "ListActions", "DoPut", "Handshake", "PollFlightInfo", "NoSuch"])
@pytest.mark.parametrize("request_bytes", [b"", b"\xff\xff\xff\xff", b"\x0a\x03abc"],
                         ids=["empty", "garbage", "unexpected"])
def test_no_call_falls_over_unknown_bodies(shared, method, request_bytes):
    code, details, _ = unary(shared, method, request_bytes)
    assert code not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN,
                        grpc.StatusCode.DEADLINE_EXCEEDED), f"{code}: {details}"
    assert shared.process.poll() is None
