"""Arrow's C++ Flight client against the real server: writes, TLS, deadlines, cancels, half-closes."""

import json
import subprocess
import time

import pytest
from testbed import lake
from testbed.server import BUILD_DIR, eventually
from testbed.write_stream import TIERS

WRITES = 1_000


def run(server, *options, scheme="grpc"):
    """What the client was told, as the JSON that it prints."""
    done = subprocess.run(
        [BUILD_DIR / "arka_flight_client", "--location", f"{scheme}://localhost:{server.port}",
         *map(str, options)],
        capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_all_there(server, told, count):
    assert told["lsns"] == list(range(1000, 1000 + count))
    table = lake.read_with_pyiceberg(server, "arka.from_cpp").to_pylist()
    assert sorted((row["number"], row["text"]) for row in table) == [
        (i, f"row {i}") for i in range(count)]


def test_cpp_writes_and_counts_its_acks(server):
    told = run(server, "--writes", WRITES)
    assert told["code"] == "OK", told["message"]
    assert told["acks"] == {tier: WRITES for tier in TIERS}
    check_all_there(server, told, WRITES)


def test_cpp_writes_over_tls(tls_server, certificate):
    told = run(tls_server, "--writes", WRITES, "--certificate", certificate[0], scheme="grpc+tls")
    assert told["code"] == "OK", told["message"]
    assert told["acks"] == {tier: WRITES for tier in TIERS}
    check_all_there(tls_server, told, WRITES)


@pytest.mark.parametrize("until", TIERS)
def test_a_half_closed_stream_ends_with_ok_at_the_level_asked_for(server, until):
    told = run(server, "--writes", 20, "--until", until)
    assert told["code"] == "OK", told["message"]
    assert told["acks"][until] == 20


def test_a_half_close_without_writes_ends_with_ok(server):
    told = run(server, "--writes", 0)
    assert (told["code"], told["acks"]) == ("OK", {})


def test_a_grpc_timeout_ends_the_stream_and_what_was_written_stays(server):
    started = time.monotonic()
    told = run(server, "--writes", 20, "--end", "wait", "--timeout", 1.5)
    assert "deadline" in told["message"].lower(), told
    assert 1.4 < time.monotonic() - started < 10
    assert told["acks"]["LOCAL_DISK"] == 20
    check_all_there(server, told, 20)


def test_a_cancelled_stream_keeps_what_it_wrote_and_the_server_goes_on(server):
    told = run(server, "--writes", 20, "--end", "cancel")
    assert told["code"] == "Cancelled", told
    assert told["acks"]["LOCAL_DISK"] == 20

    def committed():
        try:
            check_all_there(server, told, 20)
        except Exception:  # pylint: disable=broad-except  # the table is not there yet
            return False
        return True

    eventually(committed)
    assert run(server, "--writes", 5)["code"] == "OK"
