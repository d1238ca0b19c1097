"""The guide's examples with plain Flight libraries (examples/): what each does, whatever its language."""

import subprocess

from testbed import lake


def run(command, *arguments):
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)


def check_that_every_level_is_told(server, command, *address):
    """Fails unless it writes a hundred batches to that address, and tells every level of them."""
    done = run(command, *address, "COMMITTED")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"100 writes reached {level}"
        for level in ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")]
    rows = lake.read_with_pyiceberg(server, "arka.my_table").to_pylist()
    assert sorted((row["id"], row["name"]) for row in rows) == [(i, f"name {i}") for i in range(100)]


def check_that_it_says_why_where_there_is_no_server(why, server, command, *address):
    server.stop()
    done = run(command, *address)
    assert done.returncode == 1 and why in done.stderr
