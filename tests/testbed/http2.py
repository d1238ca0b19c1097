"""HTTP/2 frames made by hand, for peers that no HTTP/2 library would be."""

import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS = 1, 4
CANCEL = 8


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    """A literal header field without indexing, for names and values under 127 bytes."""
    name, value = name.encode(), value.encode()
    assert len(name) < 127 and len(value) < 127
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def hpack_number(number, prefix_bits):
    """HPACK's integers: what does not fit into the prefix follows in groups of seven bits."""
    most = (1 << prefix_bits) - 1
    if number < most:
        return bytes([number])
    out, number = bytearray([most]), number - most
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
SETTINGS_ACK = frame(SETTINGS, 1, 0)
DO_EXCHANGE = b"".join(header(*field) for field in (
    (":method", "POST"), (":scheme", "http"), (":authority", "localhost"),
    (":path", "/arrow.flight.protocol.FlightService/DoExchange"),
    ("content-type", "application/grpc"), ("te", "trailers")))


def grpc_message(message):
    """A message as gRPC puts it into DATA: not compressed, its length before it."""
    return b"\0" + struct.pack(">I", len(message)) + message


def open_exchange(stream=1):
    return frame(HEADERS, END_HEADERS, stream, DO_EXCHANGE)


def frames(data):
    """[(kind, flags, stream, payload)] of the whole frames in `data`."""
    found, at = [], 0
    while at + 9 <= len(data):
        size = int.from_bytes(data[at : at + 3], "big")
        if at + 9 + size > len(data):
            break
        stream = struct.unpack_from(">I", data, at + 5)[0]
        found.append((data[at + 3], data[at + 4], stream, data[at + 9 : at + 9 + size]))
        at += 9 + size
    return found


def connect(server, timeout=10):
    """A connection that has sent its preface."""
    connection = socket.create_connection((server.host, server.port), timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(PREFACE)
    return connection
