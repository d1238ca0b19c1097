"""Client certificates, certificates that change while the server runs, and the audit file."""

import json
import ssl
import subprocess
import urllib.error
import urllib.request

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import certificate as certificates
from testbed.credentials import CredentialsFile, bearer
from testbed.server import eventually
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])
BATCH = pa.record_batch([pa.array([1, 2, 3])], schema=SCHEMA)
STATUS = flight.FlightDescriptor.for_path("status")
TOKEN = "a-token-0123456789abcdefghij"


@pytest.fixture
def credentials(tmp_path):
    made = CredentialsFile(tmp_path / "credentials.yaml")
    made.user("bob", tokens=[TOKEN])
    return made.grant("ingest", "sales.*", "write").grant("bob", "sales.*", "read").save()


@pytest.fixture
def clients_ca(tmp_path):
    return certificates.Authority(tmp_path / "clients")


@pytest.fixture
def mtls_server(start_server, certificate, credentials, clients_ca, tmp_path):
    cert, key = certificate
    return start_server({"server.tls.cert": str(cert), "server.tls.key": str(key),
                         "server.tls.client_ca": str(clients_ca.cert),
                         "auth.credentials": str(credentials.path),
                         "log.audit": str(tmp_path / "audit.json")})


def connect(server, certificate, client=None):
    options = {"tls_root_certs": certificate[0].read_bytes()}
    if client:
        options |= {"cert_chain": client[0].read_bytes(), "private_key": client[1].read_bytes()}
    return flight.connect(f"grpc+tls://localhost:{server.port}", **options)


def put(client, headers=()):
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("sales", "orders"), SCHEMA,
                                   flight.FlightCallOptions(headers=list(headers), timeout=30))
    with writer:
        writer.write_batch(BATCH)
        writer.done_writing()
        return json.loads(reader.read().to_pybytes())["lsn"]


def test_a_certificate_of_the_authority_is_its_subject(mtls_server, certificate, clients_ca):
    with connect(mtls_server, certificate, clients_ca.issue("ingest")) as client:
        assert put(client) >= 1000
    with connect(mtls_server, certificate, clients_ca.issue("stranger")) as client:
        with pytest.raises(flight.FlightUnauthorizedError, match="'stranger' has no 'write'"):
            put(client)


def test_a_certificate_of_another_authority_is_not_spoken_to(mtls_server, certificate, tmp_path):
    stranger = certificates.Authority(tmp_path / "strangers").issue("ingest")
    with connect(mtls_server, certificate, stranger) as client:
        with pytest.raises((flight.FlightUnavailableError, flight.FlightInternalError)):
            client.get_flight_info(STATUS, flight.FlightCallOptions(timeout=10))


def test_a_client_without_a_certificate_needs_a_token(mtls_server, certificate):
    with connect(mtls_server, certificate) as client:
        with pytest.raises(flight.FlightUnauthenticatedError):
            client.get_flight_info(STATUS)
        assert client.get_flight_info(STATUS, flight.FlightCallOptions(headers=bearer(TOKEN)))


def test_https_takes_certificates_too(mtls_server, certificate, clients_ca):
    context = ssl.create_default_context(cafile=certificate[0])
    url = f"https://localhost:{mtls_server.port}/api/v1/status"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(url, context=context, timeout=10)
    context.load_cert_chain(*clients_ca.issue("ingest"))
    with urllib.request.urlopen(url, context=context, timeout=10) as answer:
        assert answer.status == 200


def served_certificate(server):
    return ssl.get_server_certificate(("localhost", server.port))


def test_a_new_certificate_is_served_without_a_restart_while_streams_go_on(
        tls_server, certificate, tmp_path):
    with connect(tls_server, certificate) as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(BATCH)
        stream.wait("COMMITTED")
        before = served_certificate(tls_server)
        (tmp_path / "next").mkdir()
        for old, new in zip(certificate, certificates.make(tmp_path / "next")):
            new.rename(old)
        eventually(lambda: served_certificate(tls_server) != before)
        stream.write(BATCH)
        stream.wait("COMMITTED")
        stream.finish()
    with connect(tls_server, certificate) as client:
        assert client.get_flight_info(STATUS)


def test_a_broken_certificate_changes_nothing(tls_server, certificate):
    before = served_certificate(tls_server)
    certificate[0].write_text("no certificate")
    eventually(lambda: "certificates: not taken" in tls_server.log())
    assert served_certificate(tls_server) == before


def test_the_audit_file_says_who_did_what(mtls_server, certificate, clients_ca, tmp_path):
    with connect(mtls_server, certificate, clients_ca.issue("ingest")) as client:
        put(client)
    with connect(mtls_server, certificate) as client:
        with pytest.raises(flight.FlightUnauthorizedError):
            put(client, bearer(TOKEN))
        with pytest.raises(flight.FlightUnauthenticatedError):
            put(client, bearer("wrong"))
        list(client.do_action(flight.Action("status", b""),
                              flight.FlightCallOptions(headers=bearer(TOKEN))))
    mtls_server.stop()
    lines = [json.loads(line) for line in (tmp_path / "audit.json").read_text().splitlines()]
    said = [tuple(line[k] for k in ("principal", "proof", "call", "right", "table", "result"))
            for line in lines]
    assert said == [
        ("ingest", "certificate", "DoPut", "write", "sales.orders", "OK"),
        ("bob", "token", "DoPut", "write", "sales.orders", "PERMISSION_DENIED"),
        (None, None, "DoPut", None, None, "UNAUTHENTICATED"),
        ("bob", "token", "DoAction status", None, None, "OK"),
    ]
    assert all(line["peer"].startswith(("127.0.0.1:", "[::1]:")) for line in lines)
    assert TOKEN not in (tmp_path / "audit.json").read_text()
