"""The transport against h2spec's 145 tests of HTTP/2 conformance.

At least 143 must pass. One is skipped by h2spec itself (it needs a smaller stream limit) and one
assumes frames of 16 KiB: its 20 KB of headers fit into one of our 1 MiB frames and get a 431.
"""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD_DIR = ROOT / os.environ.get("ARKA_BUILD_DIR", "build/release")
H2SPEC = shutil.which("h2spec") or ROOT / ".deps/bin/h2spec"
MINIMUM = 143


@pytest.fixture
def start_echo():
    """start_echo(*arguments) -> the port of a transport_echo; each ends with its input."""
    processes = []

    def start(*arguments):
        process = subprocess.Popen(
            [BUILD_DIR / "transport_echo", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        line = process.stdout.readline()
        assert line, "transport_echo ended before it was ready"
        return int(line.rpartition(":")[2])

    yield start
    codes = []
    for process in processes:
        process.stdin.close()
        codes.append(process.wait(timeout=20))
    assert codes == [0] * len(codes)


def run_h2spec(port, *arguments):
    if not pathlib.Path(H2SPEC).exists():
        pytest.skip("h2spec is not installed: ./dev setup puts it into .deps/bin")
    run = subprocess.run(
        [H2SPEC, "-h", "127.0.0.1", "-p", str(port), "--timeout", "2", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )
    counts = re.search(r"145 tests, (\d+) passed", run.stdout)
    assert counts, run.stdout + run.stderr
    assert int(counts[1]) >= MINIMUM, run.stdout


def test_h2spec_in_the_clear(start_echo):
    run_h2spec(start_echo())


def test_h2spec_over_tls(start_echo, certificate):
    cert, key = certificate
    run_h2spec(start_echo("--cert", cert, "--key", key), "-t", "-k")
