"""The machine is gone, the object store and the catalog are not."""

import json
import shutil
import urllib.request

import pyarrow as pa
import pytest
from testbed import lake
from testbed.server import ServerExited, eventually
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])


def batch(number, rows=1):
    return pa.record_batch([pa.array(range(number, number + rows))], schema=SCHEMA)


def status(server):
    with urllib.request.urlopen(server.url + "/api/v1/status", timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def elsewhere(tmp_path):
    """Settings of a server that keeps store and catalog outside its data directory."""
    return {
        "object_store.uri": f"file://{tmp_path}/store",
        "catalog.uri": f"{tmp_path}/catalog.db",
        "catalog.warehouse": f"file://{tmp_path}/warehouse",
        "durability.iceberg_commit_interval": "1h",
    }


def test_what_was_in_the_object_store_comes_back_on_an_empty_disk(start_server, elsewhere):
    server = start_server(elsewhere)
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(200):
            stream.write(batch(i))
        stream.write(batch(200, rows=100_000))
        stream.wait("OBJECT_STORAGE")
        last = status(server)["last_lsn"]
        server.kill()
    shutil.rmtree(server.data_dir)

    with pytest.raises(ServerExited, match="--recover-from-object-store"):
        server.restart()
    server.arguments = ("--recover-from-object-store",)
    server.settings["durability.iceberg_commit_interval"] = "200ms"
    server.restart()
    eventually(lambda: status(server)["committed_lsn"] >= last)
    assert sorted(lake.read_with_pyiceberg(server)["id"].to_pylist()) == list(range(100_200))

    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(batch(100_200))
        stream.wait("COMMITTED")
        assert min(stream.lsns()) > last, "an LSN was given again"
    server.stop()
    server.restart()  # the flag may stay
    assert sorted(lake.read_with_pyiceberg(server)["id"].to_pylist()) == list(range(100_201))
