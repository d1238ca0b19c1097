"""`arka wal verify` and `arka wal repair` on logs of a real server, and what a start says before."""

import json
import pathlib
import re
import subprocess

import pyarrow as pa
import pytest
from testbed import lake
from testbed.server import BUILD_DIR, ServerExited, eventually
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("number", pa.int64())])
ROWS = 50


def wal(verb, data_dir, *options):
    return subprocess.run(
        [str(BUILD_DIR / "arka"), "wal", verb, "--data-dir", str(data_dir), *options],
        capture_output=True, text=True, timeout=60)


def files(directory):
    return {p: p.read_bytes() for p in pathlib.Path(directory).rglob("*") if p.is_file()}


@pytest.fixture
def killed(start_server):
    """A server killed with ROWS writes of one row each in its log, each a group of its own."""
    server = start_server({"durability.iceberg_commit_interval": "1h",
                           "durability.s3_upload_interval": "1h"})
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for number in range(ROWS):
            stream.write(pa.record_batch([pa.array([number])], schema=SCHEMA))
            eventually(lambda number=number: len(stream.of("LOCAL_DISK")) > number)
        server.lsns = sorted(a.lsn for a in stream.of("LOCAL_DISK"))
        server.kill()
    return server


def damage(server, share):
    """Flips a byte of the one segment, at about `share` of its records."""
    path, = (server.data_dir / "log").glob("0*.log")
    report = json.loads(wal("verify", server.data_dir, "--json").stdout)
    data = bytearray(path.read_bytes())
    data[512 + int((report["segments"][0]["end_offset"] - 512) * share)] ^= 1
    path.write_bytes(data)


def test_a_whole_log_is_verified_and_left_alone(killed):
    before = files(killed.data_dir)
    done = wal("verify", killed.data_dir, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["damaged"] is False and report["writes"] == ROWS
    assert report["segments"][0]["first_lsn"] == killed.lsns[0]
    assert report["segments"][-1]["last_lsn"] == killed.lsns[-1]
    assert "a start takes this log" in wal("verify", killed.data_dir).stdout
    assert wal("repair", killed.data_dir, "--yes-lose-data").returncode == 0
    after = files(killed.data_dir)
    lock = killed.data_dir / "lock"
    assert {**before, lock: b""} == {**after, lock: b""}


def test_damage_stops_the_start_and_a_repair_keeps_all_other_writes(killed):
    damage(killed, 0.4)
    with pytest.raises(ServerExited) as refusal:
        killed.restart()
    assert "00000000000000000001.log: offset" in str(refusal.value)
    assert "arka wal verify" in str(refusal.value) and "arka wal repair" in str(refusal.value)

    verified = wal("verify", killed.data_dir)
    assert verified.returncode == 1 and "DAMAGED" in verified.stdout
    before = files(killed.data_dir / "log")
    for options in ([], ["--dry-run"], ["--dry-run", "--yes-lose-data"]):
        planned = wal("repair", killed.data_dir, *options)
        assert planned.returncode == 1 and "Nothing was changed" in planned.stdout
        assert "lost: LSN" in planned.stdout
    assert files(killed.data_dir / "log") == before

    repaired = wal("repair", killed.data_dir, "--yes-lose-data")
    assert repaired.returncode == 0, repaired.stderr
    aside, = killed.data_dir.glob("damaged-*")
    assert (aside / "00000000000000000001.log").exists() and (aside / "control").exists()
    assert wal("verify", killed.data_dir).returncode == 0

    killed.settings["durability.iceberg_commit_interval"] = "50ms"
    killed.settings["durability.s3_upload_interval"] = "20ms"
    killed.restart()
    with killed.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(pa.record_batch([pa.array([1000])], schema=SCHEMA))
        eventually(lambda: stream.of("COMMITTED"))
        assert stream.of("COMMITTED")[0].lsn > killed.lsns[-1]
    killed.stop()
    numbers = sorted(lake.read_with_pyiceberg(killed)["number"].to_pylist())
    assert numbers[-1] == 1000 and len(set(numbers)) == len(numbers)
    lost = set(range(ROWS)) - set(numbers)
    assert 1 <= len(lost) <= 2 and ROWS * 0.2 < min(lost) < ROWS * 0.6


def test_the_start_after_a_repair_takes_lost_writes_from_the_object_store(start_server, s3):
    """All of them were acknowledged at OBJECT_STORAGE; the catalog has none, the disk a part."""
    server = start_server({**s3.settings, "durability.iceberg_commit_interval": "1h",
                           "durability.s3_upload_interval": "20ms",
                           "catalog.warehouse": "file://" + str(s3.objects.parent / "warehouse")})
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for number in range(ROWS):
            stream.write(pa.record_batch([pa.array([number])], schema=SCHEMA))
            eventually(lambda number=number: len(stream.of("LOCAL_DISK")) > number)
        stream.wait("OBJECT_STORAGE")
        last = max(stream.lsns())
        server.kill()
    damage(server, 0.6)
    with pytest.raises(ServerExited):
        server.restart()
    planned = wal("repair", server.data_dir, "--dry-run").stdout
    assert "the next start takes from it" in planned
    assert wal("repair", server.data_dir, "--yes-lose-data").returncode == 0
    server.settings["durability.iceberg_commit_interval"] = "50ms"
    server.restart()
    assert re.search(r"the log was repaired; [1-9]\d* write\(s\) that it lost are back", server.log())

    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(pa.record_batch([pa.array([ROWS])], schema=SCHEMA))
        stream.wait("COMMITTED")
        assert min(stream.lsns()) > last, "an LSN was given again"
        stream.finish()
    server.stop()
    assert sorted(lake.read_with_pyiceberg(server)["number"].to_pylist()) == list(range(ROWS + 1))


def test_the_tools_refuse_where_a_server_runs(server):
    for verb in ("verify", "repair"):
        done = wal(verb, server.data_dir)
        assert done.returncode == 2
        assert f"process {server.process.pid}" in done.stderr and "stop that server" in done.stderr


def test_bad_usage_has_a_code_of_its_own(tmp_path):
    assert wal("verify", tmp_path / "nothing").returncode == 2
    assert wal("frobnicate", tmp_path).returncode == 2
