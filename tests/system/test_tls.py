"""TLS on the one port: Flight by ALPN, and HTTPS/1.1."""

import ssl
import urllib.request

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.write_stream import WriteStream


def test_writes_go_through_tls(tls_server, certificate):
    location = f"grpc+tls://localhost:{tls_server.port}"
    with flight.connect(location, tls_root_certs=certificate[0].read_bytes()) as client:
        batch = pa.record_batch([pa.array(range(10_000))], names=["id"])
        stream = WriteStream(client, batch.schema)
        for _ in range(100):
            stream.write(batch)
        stream.wait("COMMITTED")
        stream.finish()
    assert lake.read_with_pyiceberg(tls_server).num_rows == 1_000_000


def test_the_same_port_answers_https(tls_server, certificate):
    context = ssl.create_default_context(cafile=certificate[0])
    url = f"https://localhost:{tls_server.port}/healthz"
    with urllib.request.urlopen(url, context=context, timeout=10) as answer:
        assert answer.status == 200


def test_an_unverified_server_is_not_spoken_to(tls_server):
    with flight.connect(f"grpc+tls://localhost:{tls_server.port}") as client:
        with pytest.raises(flight.FlightUnavailableError):
            client.get_flight_info(flight.FlightDescriptor.for_path("status"),
                                   flight.FlightCallOptions(timeout=5))
