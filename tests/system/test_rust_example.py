"""examples/rust: the guide's example with plain arrow-flight runs as it stands."""

import subprocess

import pytest
from testbed import lake, rustlang
from testbed.server import ROOT

pytestmark = [
    pytest.mark.timeout(900),  # the first run in a checkout fetches and compiles the crates
    pytest.mark.skipif(not rustlang.there(), reason="no cargo"),
]


@pytest.fixture(scope="module")
def program():
    return rustlang.build(ROOT / "examples/rust", "flight_client")


def run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_hundred_batches_are_written_and_every_level_is_told(program, server):
    done = run(program, f"localhost:{server.port}", "COMMITTED")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"100 writes reached {level}"
        for level in ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")]
    rows = lake.read_with_pyiceberg(server, "arka.my_table").to_pylist()
    assert sorted((row["id"], row["name"]) for row in rows) == [(i, f"name {i}") for i in range(100)]


def test_it_says_why_where_there_is_no_server(program, server):
    server.stop()
    done = run(program, f"localhost:{server.port}")
    assert done.returncode == 1 and "ConnectError" in done.stderr
