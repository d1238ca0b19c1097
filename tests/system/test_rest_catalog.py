"""Arka with a real Iceberg REST catalog (Apache Iceberg's own server), in a process of its own."""

import os
import subprocess

import pyarrow as pa
import pytest
from conftest import QUICK
from testbed.rest_catalog import RestCatalogServer
from testbed.server import BUILD_DIR
from testbed.write_stream import WriteStream, check_order

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])


@pytest.fixture
def rest(tmp_path):
    """A REST catalog without tables, its warehouse in a directory."""
    server = RestCatalogServer(tmp_path / "rest", f"file://{tmp_path}/warehouse")
    yield server
    server.kill()


def test_the_rest_catalog_passes_the_conformance_suite(rest):
    result = subprocess.run(
        [BUILD_DIR / "arka_iceberg_test", "--gtest_filter=RestCatalog/*"],
        env={**os.environ, "ARKA_TEST_REST_URI": rest.uri,
             "ARKA_TEST_REST_WAREHOUSE": rest.warehouse},
        capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr + rest.log()
    assert "SKIPPED" not in result.stdout
    assert result.stdout.count("[       OK ] RestCatalog/CatalogConformance") >= 15


def send(stream, first, count):
    for i in range(first, first + count):
        stream.write(pa.record_batch([pa.array([i]), pa.array([f"t{i}"])], schema=SCHEMA))


def write(server, first, count):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        send(stream, first, count)
        stream.wait("COMMITTED", timeout=60)
        stream.finish()
    return stream


def ids(catalog, name="arka.my_table"):
    return sorted(catalog.load_table(name).scan().to_arrow()["id"].to_pylist())


def test_writes_reach_a_table_of_the_rest_catalog(start_server, rest):
    server = start_server({**QUICK, **rest.settings})
    check_order(write(server, 0, 500).acks)
    assert ids(rest.pyiceberg()) == list(range(500))
    table = rest.pyiceberg().load_table("arka.my_table")
    assert table.location() == f"{rest.warehouse}/arka/my_table"
