"""The demo and the examples, run as a user would, and the proof that the demo can fail."""

import subprocess
import sys

import pyarrow as pa
from testbed import lake
from testbed.server import ROOT

sys.path.append(str(ROOT / "demo"))
import readback  # noqa: E402  pylint: disable=wrong-import-position


def run(*command):
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_demo_shows_four_levels_and_two_readers_that_agree(tmp_path):
    shown = run("demo/demo.py", "--flights", 25_000, "--keep", tmp_path / "demo")
    for level in ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"):
        assert f"  {level:<16}{25:>8}" in shown
    assert shown.count("25,000 rows, ") == 2
    assert shown.count("all as in the source") == 2


def test_the_demo_s_comparison_sees_a_changed_value_and_a_swapped_pair():
    source = pa.table({"id": [1, 2, 3], "name": ["a", "b", "c"]})
    connection = readback.connect()

    def seen(table):
        connection.register("t", table)
        return readback.fingerprint(connection, "t", table.schema)

    wanted = seen(source)
    assert seen(source.take([2, 0, 1])) == wanted, "the order of rows does not matter"
    changed = source.set_column(1, "name", pa.array(["a", "b", "x"]))
    swapped = source.set_column(1, "name", pa.array(["b", "a", "c"]))
    assert seen(changed)["checksum of name"] != wanted["checksum of name"]
    assert seen(swapped)["checksum of name"] == wanted["checksum of name"]
    assert seen(swapped)["checksum of whole rows"] != wanted["checksum of whole rows"]
    assert seen(source.slice(1))["rows"] != wanted["rows"]


def test_the_python_example_ends_by_itself_and_its_rows_are_there(server):
    shown = run("examples/python/arrow_flight_client.py", server.location, "COMMITTED")
    assert [line.split()[3] for line in shown.splitlines()] == [
        "MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"]
    names = lake.read_with_pyiceberg(server)["name"].to_pylist()
    assert names == ["Alice", "Bob", "Charlie"]
