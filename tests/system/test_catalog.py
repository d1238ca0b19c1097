"""A catalog that was lost, and one that two servers share."""

import time

import pyarrow as pa
from conftest import QUICK
from testbed import lake
from testbed.write_stream import WriteStream, refusal

SCHEMA = pa.schema([("id", pa.int64())])


def write(server, number, until="COMMITTED"):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(pa.record_batch([pa.array([number])], schema=SCHEMA))
        stream.wait(until)
        stream.finish()
    return stream.lsns()


def ids(server):
    return sorted(lake.read_with_pyiceberg(server)["id"].to_pylist())


def move(paths, directory):
    directory.mkdir(exist_ok=True)
    for path in list(paths):
        path.rename(directory / path.name)


def test_without_its_catalog_the_server_says_so_keeps_the_writes_and_lands_them_later(
        start_server, tmp_path):
    server = start_server({"durability.iceberg_commit_interval": "1h"})
    write(server, 1, until="OBJECT_STORAGE")
    server.kill()
    aside = tmp_path / "aside"
    move(server.data_dir.glob("catalog.db*"), aside)

    server.restart()
    assert "table arka.my_table (UUID" in server.log() and "is gone" in server.log()
    assert "1 are held for missing tables" in server.log()
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 10, "nobody waits for what cannot be committed"

    move(server.data_dir.glob("catalog.db*"), tmp_path / "empty")
    move(aside.glob("catalog.db*"), server.data_dir)
    server.restart()
    server.stop()
    assert ids(server) == [1]


def test_a_lost_catalog_does_not_stop_new_tables_nor_repeat_an_lsn(start_server):
    server = start_server(QUICK)
    first = write(server, 1)
    server.stop()
    for path in server.data_dir.glob("catalog.db*"):
        path.unlink()
    server.restart()
    second = write(server, 2)
    assert second[0] > first[0]
    assert ids(server) == [2], "the old table's files are there, but no catalog names them"


def test_two_servers_on_one_catalog_need_two_node_ids(start_server, tmp_path):
    shared = {**QUICK, "catalog.uri": str(tmp_path / "catalog.db"),
              "catalog.warehouse": f"file://{tmp_path}/warehouse"}
    write(start_server(shared, name="first"), 1)
    second = start_server(shared, name="second")
    with second.connect() as client:
        error = refusal(client, SCHEMA)
    assert "server.node_id" in str(error) and "node-1" in str(error), repr(error)

    third = start_server({**shared, "server.node_id": "node-2"}, name="third")
    write(third, 2)
    third.data_dir = tmp_path  # where the shared catalog is
    assert ids(third) == [1, 2]
