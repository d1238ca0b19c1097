"""Arka with a real Iceberg REST catalog (Apache Iceberg's own server), in a process of its own."""

import os
import subprocess

import pyarrow as pa
import pytest
from conftest import QUICK
from pyiceberg.exceptions import CommitFailedException
from testbed import lake
from testbed.catalog_proxy import CatalogProxy
from testbed.rest_catalog import RestCatalogServer
from testbed.s3 import BUCKET
from testbed.server import BUILD_DIR
from testbed.toxiproxy import Toxiproxy
from testbed.write_stream import WriteStream, check_order, refusal

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])
CONFLICT = b'{"error": {"message": "stale", "type": "CommitFailedException", "code": 400}}'


@pytest.fixture(scope="module")
def shared_rest(tmp_path_factory):
    directory = tmp_path_factory.mktemp("catalog")
    server = RestCatalogServer(directory / "rest", f"file://{directory}/warehouse")
    yield server
    server.kill()


@pytest.fixture
def rest(shared_rest):
    """A REST catalog without tables, its warehouse in a directory."""
    catalog = shared_rest.pyiceberg()
    for namespace in catalog.list_namespaces():
        for table in catalog.list_tables(namespace):
            catalog.drop_table(table)
    return shared_rest


@pytest.fixture
def toxic_way(rest, tmp_path):
    """A toxiproxy proxy to the catalog."""
    toxiproxy = Toxiproxy(tmp_path / "toxiproxy")
    yield toxiproxy.add("catalog", f"127.0.0.1:{rest.port}")
    toxiproxy.stop()


@pytest.fixture
def proxy(rest):
    """A proxy to the catalog that can spoil commits."""
    proxy = CatalogProxy(rest.port)
    yield proxy
    proxy.stop()


def batch(first, count=1):
    numbers = range(first, first + count)
    return pa.record_batch([pa.array(numbers, pa.int64()), pa.array([f"t{i}" for i in numbers])],
                           schema=SCHEMA)


def write(server, first, count):
    """Rows first, first + 1, …, one a write, until they are committed."""
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(first, first + count):
            stream.write(batch(i))
        stream.wait("COMMITTED", timeout=60)
        stream.finish()
    return stream


def ids(rest, **properties):
    """What PyIceberg reads, straight from the catalog."""
    table = rest.pyiceberg(**properties).load_table("arka.my_table")
    return sorted(table.scan().to_arrow()["id"].to_pylist())


def test_the_rest_catalog_passes_the_conformance_suite(rest):
    result = subprocess.run(
        [BUILD_DIR / "arka_iceberg_test", "--gtest_filter=RestCatalog/*"],
        env={**os.environ, "ARKA_TEST_REST_URI": rest.uri,
             "ARKA_TEST_REST_WAREHOUSE": rest.warehouse},
        capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr + rest.log()
    assert "SKIPPED" not in result.stdout
    assert result.stdout.count("[       OK ] RestCatalog/CatalogConformance") >= 15


def test_writes_reach_a_table_of_the_rest_catalog(start_server, rest):
    server = start_server({**QUICK, **rest.settings})
    check_order(write(server, 0, 500).acks)
    assert ids(rest) == list(range(500))
    table = rest.pyiceberg().load_table("arka.my_table")
    assert table.location() == f"{rest.warehouse}/arka/my_table"
    duckdb = lake.duckdb_connection().sql(
        f"SELECT count(*), sum(id) FROM iceberg_scan('{table.metadata_location}')")
    assert duckdb.fetchone() == (500, sum(range(500)))


def test_the_tables_may_lie_on_s3(start_server, s3, tmp_path):
    warehouse = f"s3://{BUCKET}/warehouse"
    rest = RestCatalogServer(tmp_path / "rest", warehouse, s3_directory=s3.objects)
    try:
        server = start_server({**QUICK, **s3.settings, **rest.settings})
        write(server, 0, 200)
        assert ids(rest, **s3.pyiceberg) == list(range(200))
        table = rest.pyiceberg(**s3.pyiceberg).load_table("arka.my_table")
        assert table.location() == f"{warehouse}/arka/my_table"
        server.stop()
    finally:
        rest.kill()


def test_another_writer_and_arka_append_in_turns(start_server, rest):
    server = start_server({**QUICK, **rest.settings})
    write(server, 0, 10)
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(10):
            stream.write(batch(100 + i))
            table = rest.pyiceberg().load_table("arka.my_table")
            while True:
                try:
                    table.append(pa.Table.from_batches([batch(1000 + 10 * i, 10)]))
                    break
                except CommitFailedException:
                    table.refresh()
        stream.wait("COMMITTED", timeout=60)
        stream.finish()
    assert ids(rest) == [*range(10), *range(100, 110), *range(1000, 1100)]


def test_a_restart_goes_on_where_the_rest_catalog_says(start_server, rest):
    server = start_server({**QUICK, **rest.settings})
    write(server, 0, 100)
    server.kill()
    server.restart()
    write(server, 100, 100)
    assert ids(rest) == list(range(200))


def test_writes_wait_for_a_catalog_that_is_killed_and_comes_back(start_server, rest):
    server = start_server({**QUICK, **rest.settings})
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for i in range(50):
            stream.write(batch(i))
        stream.wait("COMMITTED", 1)
        for turn in range(1, 4):
            rest.kill()
            for i in range(50 * turn, 50 * turn + 50):
                stream.write(batch(i))
            stream.wait("OBJECT_STORAGE")
            rest.start()
        stream.wait("COMMITTED", timeout=60)
        stream.finish()
    check_order(stream.acks)
    assert ids(rest) == list(range(200))


@pytest.mark.parametrize("kind, attributes", [
    ("reset_peer", {"timeout": 0}),
    ("reset_peer", {"timeout": 20}),
    ("timeout", {"timeout": 0}),
    ("limit_data", {"bytes": 100}),
    ("latency", {"latency": 300, "jitter": 250}),
], ids=["reset", "reset-after-20ms", "black-hole", "cut-in-the-answer", "latency"])
def test_a_bad_network_to_the_catalog_loses_and_doubles_nothing(start_server, rest, toxic_way, kind,
                                                                attributes):
    server = start_server({**QUICK, **rest.settings, "catalog.uri": f"http://{toxic_way.address}",
                           "durability.iceberg_commit_interval": "20ms",
                           "catalog.request_timeout": "1s"})
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(batch(0))
        stream.wait("COMMITTED")
        toxic_way.poison(kind, toxicity=0.5, **attributes)
        for i in range(1, 16):
            stream.write(batch(i))
            if i % 5 == 0:  # so that there are several commits
                stream.wait("COMMITTED", timeout=60)
        toxic_way.heal()
        stream.wait("COMMITTED", timeout=60)
        stream.finish()
    check_order(stream.acks)
    assert ids(rest) == list(range(16))


@pytest.mark.parametrize("fate, answer, body", [
    ("applied", "reset", b""),
    ("applied", "silence", b""),
    ("applied", 500, b"{}"),
    ("applied", 502, b"<html>"),
    ("applied", 503, b""),
    ("applied", 504, b""),
    ("applied", 200, b"not JSON"),
    ("applied", 409, b""),  # something between Arka and the catalog has sent it twice
    ("dropped", "reset", b""),
    ("dropped", 400, CONFLICT),
    ("dropped", 401, b""),
    ("dropped", 429, b""),
    ("dropped", 503, b""),
    ("late", 504, b""),
    ("late", "reset", b""),
])
def test_a_commit_is_made_once_whatever_is_answered(start_server, rest, proxy, fate, answer, body):
    server = start_server({**QUICK, **rest.settings, "catalog.uri": proxy.uri,
                           "catalog.request_timeout": "2s" if answer == "silence" else "20s"})
    write(server, 0, 5)
    proxy.spoil_commits(fate, answer, times=2, body=body)
    write(server, 5, 5)
    assert proxy.hit >= 1
    write(server, 10, 5)
    assert ids(rest) == list(range(15))


def test_a_table_outside_the_warehouse_is_refused(start_server, rest, tmp_path):
    server = start_server({**QUICK, **rest.settings})
    rest.pyiceberg().create_namespace("far")
    rest.pyiceberg().create_table("far.away", SCHEMA, location=f"file://{tmp_path}/elsewhere/t")
    with server.connect() as client:
        error = str(refusal(client, SCHEMA, "far.away"))
    assert "elsewhere/t" in error and "set catalog.warehouse" in error
    assert not os.path.exists(tmp_path / "elsewhere/t/data")
    write(server, 0, 5)  # other tables are not disturbed


def test_a_server_without_its_catalog_says_so(start_server, rest):
    server = start_server({**QUICK, **rest.settings})
    rest.kill()
    with server.connect() as client:
        error = str(refusal(client, SCHEMA))
    assert "the catalog cannot be reached" in error and f"127.0.0.1 port {rest.port}" in error
    rest.start()
    write(server, 0, 5)
    assert ids(rest) == list(range(5))
