"""The status, by Flight and by HTTP on the same port, over IPv4 and IPv6."""

import json
import socket
import urllib.error
import urllib.request

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed.server import eventually
from testbed.write_stream import WriteStream

KEYS = {"disk_lsn", "s3_lsn", "committed_lsn", "last_lsn", "lag_seconds", "version", "node"}


def status_info(client):
    return client.get_flight_info(flight.FlightDescriptor.for_path("status"))


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.status, answer.headers.get_content_type(), answer.read().decode()


def write(client, count=3):
    batch = pa.record_batch([pa.array([1])], names=["id"])
    stream = WriteStream(client, batch.schema)
    for _ in range(count):
        stream.write(batch)
    stream.wait("COMMITTED")
    stream.finish()


def test_flight_info_holds_the_status_as_json(client):
    status = json.loads(status_info(client).app_metadata)
    assert KEYS <= set(status)
    assert status["lag_seconds"] == 0
    write(client)
    status = eventually(lambda: (s := json.loads(status_info(client).app_metadata))
                        and s["committed_lsn"] == 1002 and s)
    assert [status[k] for k in ("last_lsn", "disk_lsn", "s3_lsn", "committed_lsn")] == [1002] * 4
    assert status["lag_seconds"] == 0


def test_the_endpoint_reads_as_a_table_of_one_row(client):
    write(client)
    info = status_info(client)
    assert len(info.endpoints) == 1
    table = client.do_get(info.endpoints[0].ticket).read_all()
    assert table.num_rows == 1
    assert KEYS <= set(table.column_names)
    assert table["last_lsn"].to_pylist() == [1002]


def test_http_answers_in_text_and_in_json(server, client):
    write(client)
    code, kind, body = get(server.url)
    assert (code, kind) == (200, "text/plain")
    assert "arka" in body.lower() and "1002" in body
    code, kind, body = get(server.url, Accept="application/json")
    assert (code, kind) == (200, "application/json")
    assert KEYS <= set(json.loads(body))
    assert json.loads(body)["committed_lsn"] == 1002


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_and_readiness(server, path):
    assert get(server.url + path)[0] == 200


def test_an_unknown_page_is_not_found(server):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(server.url + "/nothing/here")
    assert caught.value.code == 404


def test_one_connection_carries_several_http_requests(server):
    with socket.create_connection((server.host, server.port), 10) as connection:
        lines = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert lines.readline().startswith(b"HTTP/1.1 200")
            length = 0
            while (line := lines.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            lines.read(length)


def test_both_families_answer_on_localhost(start_server):
    server = start_server(listen="localhost:0")
    for host in ("127.0.0.1", "[::1]"):
        assert get(f"http://{host}:{server.port}/healthz")[0] == 200
        with flight.connect(f"grpc://{host}:{server.port}") as client:
            assert json.loads(status_info(client).app_metadata)["version"]
