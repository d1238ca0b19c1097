"""Start and end of a server: orderly, in a hurry, again, and twice on one directory."""

import json
import signal

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.server import ArkaServer, ServerExited, eventually
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])


def one(number):
    return pa.record_batch([pa.array([number])], schema=SCHEMA)


def ids(server):
    return sorted(lake.read_with_pyiceberg(server)["id"].to_pylist())


def test_sigterm_commits_what_is_pending_and_answers_it(slow_server):
    with slow_server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(500):
            stream.write(one(i))
        stream.wait("MEMORY")
        slow_server.terminate()
        stream.join()
        assert slow_server.wait() == 0
        assert stream.counts["COMMITTED"] == 500, "the acks that were due came before the end"
    assert ids(slow_server) == list(range(500))


def test_sigterm_ends_a_server_with_idle_streams(slow_server):
    with slow_server.connect() as client:
        streams = [WriteStream(client, SCHEMA) for _ in range(20)]
        slow_server.stop(timeout=20)
        for stream in streams:
            stream.join()


def test_a_second_sigterm_exits_at_once_and_loses_nothing_acknowledged(start_server, s3):
    # An object store that has stopped answering keeps the first, orderly end waiting.
    settings = {key: value for key, value in s3.settings.items() if key != "catalog.warehouse"}
    server = start_server(settings)
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(100):
            stream.write(one(i))
        stream.wait("OBJECT_STORAGE")
        s3.process.send_signal(signal.SIGSTOP)
        for i in range(100, 200):
            stream.write(one(i))
        stream.wait("LOCAL_DISK")
        server.terminate()
        # Signals that come together count as one: go on until the second was seen.
        eventually(lambda: server.process.poll() is not None or server.terminate(),
                   timeout=10, every=0.2)
        server.wait()
    s3.process.send_signal(signal.SIGCONT)
    server.restart()
    server.stop()
    assert ids(server) == list(range(200))


def test_lsns_go_on_after_a_restart(server):
    seen = []
    for round_number in range(3):
        with server.connect() as client:
            stream = WriteStream(client, SCHEMA)
            for i in range(10):
                stream.write(one(10 * round_number + i))
            stream.wait("COMMITTED")
            stream.finish()
            seen += stream.lsns()
        server.stop()
        server.restart()
    assert seen == sorted(set(seen))
    assert ids(server) == list(range(30))


def test_the_status_survives_a_restart(server):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(one(0))
        stream.wait("COMMITTED")
        stream.finish()
    server.stop()
    server.restart()
    with server.connect() as client:
        def status():
            info = client.get_flight_info(flight.FlightDescriptor.for_path("status"))
            return json.loads(info.app_metadata)

        first = status()
        assert first["last_lsn"] >= first["disk_lsn"] >= first["s3_lsn"] >= first["committed_lsn"]
        settled = eventually(lambda: (s := status())["committed_lsn"] >= 1000 and s)
        for key in ("disk_lsn", "s3_lsn", "committed_lsn", "last_lsn"):
            assert settled[key] >= 1000, key
        assert settled["lag_seconds"] == 0


def test_a_second_server_on_the_same_directory_is_refused(server):
    with pytest.raises(ServerExited) as caught:
        ArkaServer(server.data_dir)
    message = str(caught.value)
    assert str(server.data_dir) in message
    assert "lock" in message or "in use" in message
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(one(1))
        stream.wait("COMMITTED")
        stream.finish()


def test_a_port_that_is_taken_is_refused_clearly(server, tmp_path):
    with pytest.raises(ServerExited) as caught:
        ArkaServer(tmp_path / "other", listen=f"127.0.0.1:{server.port}")
    assert str(server.port) in str(caught.value)


@pytest.mark.parametrize("key, value, wanted", [
    ("durability.iceberg_comit_interval", "1s", "durability.iceberg_commit_interval"),
    ("durability.iceberg_commit_interval", "1 fortnight", "durability.iceberg_commit_interval"),
    ("write_buffer.max_buffer_size", "many", "write_buffer.max_buffer_size"),
    ("write_buffer.max_buffer_size", "-1MB", "write_buffer.max_buffer_size"),
])
def test_bad_configuration_is_refused_at_start(tmp_path, key, value, wanted):
    with pytest.raises(ServerExited) as caught:
        ArkaServer(tmp_path / "data", {key: value})
    assert wanted in str(caught.value)


def test_the_data_directory_holds_everything(server):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(one(1))
        stream.wait("COMMITTED")
        stream.finish()
    eventually(lambda: (server.data_dir / "catalog.db").exists())
    assert (server.data_dir / "warehouse").is_dir()
