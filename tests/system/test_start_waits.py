"""A start while the object store or the catalog is away: it waits, says what for, and goes on."""

import json
import re
import signal

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.rest_catalog import RestCatalogServer
from testbed.server import ServerExited, eventually
from testbed.status import get
from testbed.toxiproxy import Toxiproxy
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])


@pytest.fixture
def toxiproxy(tmp_path):
    proxy = Toxiproxy(tmp_path / "toxiproxy")
    yield proxy
    proxy.stop()


def launch(server):
    """Starts it and does not wait until it is ready; answers where it listens."""
    before = len(server.log())
    server.launch()

    def listening():
        match = re.search(r"listening on (\S+:\d+), not ready yet", server.log()[before:])
        return match and match[1]
    return eventually(listening)


def write(server, number):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(pa.record_batch([pa.array([number])], schema=SCHEMA))
        stream.wait("OBJECT_STORAGE")
        stream.finish()


def expect_waiting(server, address, what):
    """It says what it waits for, to everybody who asks."""

    def waiting():
        code, body = get(f"http://{address}/readyz")
        assert code == 503
        report = json.loads(body)
        return report if report["state"] == "waiting" else None
    assert what in eventually(waiting, timeout=60)["for"]
    assert get(f"http://{address}/healthz")[0] == 200
    with flight.connect(f"grpc://{address}") as client:
        with pytest.raises(flight.FlightUnavailableError, match="waits for " + what):
            client.get_flight_info(flight.FlightDescriptor.for_path("status"))
    assert f"waiting for {what}" in server.log()
    assert server.process.poll() is None


@pytest.mark.timeout(240)
def test_an_object_store_that_is_away_is_waited_for(start_server, s3, toxiproxy):
    proxy = toxiproxy.add("s3", s3.endpoint)
    server = start_server({**s3.settings, "object_store.endpoint": f"http://{proxy.address}",
                           "durability.iceberg_commit_interval": "1h"})
    write(server, 1)
    server.kill()
    proxy.cut()
    expect_waiting(server, launch(server), "the object store s3://lake/log")
    proxy.heal()
    server.await_ready()
    write(server, 2)
    server.stop()
    table = lake.load_table(server, **s3.pyiceberg).scan().to_arrow()
    assert sorted(table["id"].to_pylist()) == [1, 2]


@pytest.mark.timeout(240)
def test_a_catalog_that_is_away_is_waited_for(start_server, tmp_path, toxiproxy):
    rest = RestCatalogServer(tmp_path / "rest", f"file://{tmp_path}/warehouse")
    try:
        proxy = toxiproxy.add("catalog", f"127.0.0.1:{rest.port}")
        settings = {**rest.settings, "catalog.uri": f"http://{proxy.address}",
                    "durability.iceberg_commit_interval": "1h"}
        server = start_server(settings)
        write(server, 1)
        server.kill()
        proxy.cut()
        expect_waiting(server, launch(server), "the catalog http://")
        proxy.heal()
        server.await_ready()
        write(server, 2)
        server.stop()
        assert sorted(lake.read_with_pyiceberg(server)["id"].to_pylist()) == [1, 2]
    finally:
        rest.kill()


def test_wrong_credentials_are_not_waited_for(start_server, s3):
    server = start_server({**s3.settings, "object_store.secret_key": "wrong"}, started=False)
    with pytest.raises(ServerExited) as caught:
        server.start()
    assert str(caught.value).startswith("exited with 2;")
    assert "the object store s3://lake/log" in str(caught.value)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_waits_stops_when_told_to(start_server, s3, toxiproxy, stop):
    proxy = toxiproxy.add("s3", s3.endpoint)
    proxy.cut()
    server = start_server({**s3.settings, "object_store.endpoint": f"http://{proxy.address}"},
                          started=False)
    launch(server)
    server.process.send_signal(stop)
    assert server.wait(timeout=20) == 0
    assert "stopped before the start was complete" in server.log()
    proxy.heal()
    server.restart()


@pytest.mark.timeout(240)
def test_a_start_that_reads_its_log_stops_when_told_to_and_loses_nothing(start_server):
    server = start_server({"durability.iceberg_commit_interval": "1h"})
    for number in range(3):
        write(server, number)
        server.kill()
        launch(server)
        server.terminate()
        assert server.wait() == 0
        server.restart()
    server.stop()
    assert sorted(lake.read_with_pyiceberg(server)["id"].to_pylist()) == [0, 1, 2]
