"""Data directories that older versions left: a server of today goes on with them, nothing lost."""

import json
import pathlib
import shutil
import struct
import subprocess
import tarfile

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.s3 import BUCKET
from testbed.server import BUILD_DIR, ROOT, eventually
from testbed.write_stream import WriteStream

GOLDEN = ROOT / "tests" / "golden" / "data_dir"
SCHEMA = pa.schema([("id", pa.int64()), ("pad", pa.binary())])


@pytest.fixture(params=sorted(path.stem for path in GOLDEN.glob("v*.json")))
def golden(request, tmp_path, s3):
    """(unpacked data directory, what is expected of it); its objects are in `s3`."""
    with tarfile.open(GOLDEN / f"{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path / "unpacked")
    bucket, store = tmp_path / "unpacked" / "bucket", s3.filesystem()
    for path in bucket.rglob("*"):
        if path.is_file():
            with store.open_output_stream(f"{BUCKET}/{path.relative_to(bucket)}") as to:
                to.write(path.read_bytes())
    expected = json.loads((GOLDEN / f"{request.param}.json").read_text())
    shutil.move(tmp_path / "unpacked" / "data", tmp_path / "data")
    return pathlib.Path(tmp_path / "data"), expected


def last_seq(client, producer):
    body = json.dumps({"producer": producer, "table": "producers"}).encode()
    result, = client.do_action(flight.Action("last_seq", body))
    return json.loads(result.body.to_pybytes())


def headers_of(log):
    """(number in the name, number in the header, epoch) of the segments and of stale spares."""
    for path in sorted(log.glob("*")):
        head = path.read_bytes()[:32]
        if head.startswith(b"ARKA-LOG"):
            yield path.name, *struct.unpack("<qq", head[16:32])


def test_it_holds_what_a_directory_can_hold(golden):
    log = golden[0] / "log"
    headers = list(headers_of(log))
    epochs = {epoch for name, _, epoch in headers if name.endswith(".log")}
    assert len(epochs) >= 2, "writes of several lives"
    first = min(number for name, number, _ in headers if name.endswith(".log"))
    assert first > 1, "segments were released"
    assert (log / "producers.0").exists()
    bucket = golden[0].parent / "unpacked" / "bucket"
    assert list(bucket.rglob("*.arkalog")) and list(bucket.rglob("*.producers"))
    done = subprocess.run([BUILD_DIR / "arka", "wal", "verify", "--data-dir", golden[0], "--json"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # A recycled one: behind the mark at its end stands the file's earlier life, and no zeros.
    assert any(any((log / f"{segment['number']:020}.log").read_bytes()[segment["end_offset"] + 64:])
               for segment in json.loads(done.stdout)["segments"])


def test_a_server_goes_on_with_it(golden, start_server, s3):
    data_dir, expected = golden
    server = start_server({**s3.settings, "catalog.uri": str(data_dir / "catalog.db"),
                           "durability.s3_upload_interval": "20ms",
                           "durability.iceberg_commit_interval": "100ms"}, name=data_dir.name)
    with server.connect() as client:
        for producer, seq in expected["last_seq"].items():
            assert last_seq(client, producer)["last_seq"] == seq
            stream = WriteStream(client, SCHEMA, "producers", headers={"arka-producer": producer})
            row = pa.record_batch([pa.array([-1]), pa.array([b""], pa.binary())], schema=SCHEMA)
            for again in (1, seq):  # out of a checkpoint, and out of the log
                stream.write(row, json.dumps({"seq": again}).encode())
            stream.wait("COMMITTED")
            assert max(stream.lsns()) <= expected["last_lsn"], "written a second time"
            stream.finish()
        stream = WriteStream(client, SCHEMA, "plain")
        stream.write(pa.record_batch([pa.array([expected["rows"]["plain"]]),
                                      pa.array([b"new"], pa.binary())], schema=SCHEMA))
        stream.wait("COMMITTED")
        assert stream.lsns()[0] > expected["last_lsn"]
        stream.finish()

    def ids(table):
        rows = lake.load_table(server, f"arka.{table}", **s3.pyiceberg).scan().to_arrow()
        return sorted(rows["id"].to_pylist())

    assert eventually(lambda: ids("producers") == list(range(expected["rows"]["producers"])))
    assert ids("plain") == list(range(expected["rows"]["plain"] + 1))
    server.stop()
