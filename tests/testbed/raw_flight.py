"""Flight messages made by hand, for what no Flight client would send.

gRPC carries the bytes unchanged (grpcio with no serializer), so a test decides about every byte of
a FlightData, and sees the status, its message and the trailing metadata as they came.
"""

import queue
import struct
import threading

import grpc
import pyarrow as pa
import pyarrow.ipc
from testbed.write_stream import Ack

SERVICE = "/arrow.flight.protocol.FlightService/"


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def bytes_field(number, payload):
    """A length-delimited protobuf field; nothing when the payload is None."""
    if payload is None:
        return b""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def path_descriptor(*path):
    return b"\x08\x01" + b"".join(bytes_field(3, part.encode()) for part in path)


def command_descriptor(command):
    return b"\x08\x02" + bytes_field(2, command)


def flight_data(header=None, body=None, *, descriptor=None, metadata=None):
    """A FlightData message; every part may be left out."""
    return (bytes_field(1, descriptor) + bytes_field(2, header) + bytes_field(3, metadata)
            + bytes_field(1000, body))


def fields(message):
    """{field number: last value} of a message of varints and length-delimited fields."""
    found, at = {}, 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = read_varint()
        if key & 7 == 2:
            size = read_varint()
            found[key >> 3] = message[at : at + size]
            at += size
        else:
            found[key >> 3] = read_varint()
    return found


def split(encapsulated):
    """(header, body) of an encapsulated IPC message, as FlightData carries them."""
    data = bytes(encapsulated)
    size = struct.unpack_from("<i", data, 4)[0]
    return data[8 : 8 + size], data[8 + size :]


def schema_message(schema, *table):
    """The first message of a write: the schema with its descriptor."""
    header, _ = split(schema.serialize())
    return flight_data(header, descriptor=path_descriptor("streaming_write", *table))


def batch_parts(batch):
    """(header, body) of a batch without dictionaries."""
    return split(batch.serialize())


def batch_message(batch, **parts):
    header, body = batch_parts(batch)
    return flight_data(header, body, **parts)


class RawExchange:
    """One DoExchange whose requests are given as bytes, collected to its end in a thread."""

    def __init__(self, server, headers=(), timeout=None):
        self._channel = grpc.insecure_channel(
            f"{server.host}:{server.port}",
            options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)],
        )
        self._requests = queue.SimpleQueue()
        call = self._channel.stream_stream(SERVICE + "DoExchange")
        self.call = call(iter(self._requests.get, None), metadata=headers, timeout=timeout)
        self._ipc = b""
        self.code = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            for message in self.call:
                parts = fields(message)
                if 2 in parts:
                    header = parts[2] + bytes(-len(parts[2]) % 8)
                    self._ipc += struct.pack("<Ii", 0xFFFFFFFF, len(header)) + header
                    self._ipc += parts.get(1000, b"")
        except grpc.RpcError:
            pass
        self.code = self.call.code()

    def send(self, *messages):
        for message in messages:
            self._requests.put(message)
        return self

    def half_close(self):
        self._requests.put(None)
        return self

    def end(self, timeout=20):
        """Waits for the end; the status is in code, details and trailers, the acks in acks."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.call.cancel()
            raise AssertionError(f"the call did not end within {timeout} s")
        self._requests.put(None)
        self.details = self.call.details()
        self.trailers = dict(self.call.trailing_metadata() or ())
        self._channel.close()
        return self

    @property
    def acks(self):
        if not self._ipc:
            return []
        table = pa.ipc.open_stream(self._ipc).read_all()
        return [Ack(**row) for row in table.to_pylist()]


def unary(server, method, request, timeout=10):
    """A call with one request; returns (code, details, [responses])."""
    with grpc.insecure_channel(f"{server.host}:{server.port}") as channel:
        call = channel.unary_stream(SERVICE + method)(request, timeout=timeout)
        responses = []
        try:
            responses += call
        except grpc.RpcError:
            pass
        return call.code(), call.details(), responses
