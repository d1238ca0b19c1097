"""The Go client library (arrow-go on grpc-go) against the real server, in the clear and over TLS."""

import json
import subprocess

import pytest
from testbed import golang, lake
from testbed.write_stream import TIERS

WRITES = 1_000
# The first run in a checkout fetches and compiles the library.
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(golang.find_go() is None, reason="no Go toolchain: ./dev setup brings one"),
]


@pytest.fixture(scope="module")
def program():
    return golang.build("clients_go")


def write(program, server, *options):
    """Runs the client; checks that every write was acknowledged at every level and is there."""
    done = subprocess.run(
        [program, f"-address=localhost:{server.port}", f"-writes={WRITES}", *options],
        capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["acks"] == {tier: WRITES for tier in TIERS}
    assert told["lsns"] == list(range(1000, 1000 + WRITES))
    table = lake.read_with_pyiceberg(server, "arka.from_go").to_pylist()
    assert sorted((row["number"], row["text"]) for row in table) == [
        (i, f"row {i}") for i in range(WRITES)]


def test_go_writes_and_counts_its_acks(program, server):
    write(program, server)


def test_go_writes_over_tls(program, tls_server, certificate):
    write(program, tls_server, f"-certificate={certificate[0]}")
