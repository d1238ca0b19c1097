#!/usr/bin/env python3
"""Writes v1.tar.xz and v1.json beside this file: a server's data directory and its object store, as
version 1 of the log's format leaves them. For a new format version only; the old files stay.

    .venv/bin/python tests/golden/data_dir/make.py [BUILD_DIR]

What lies in it: four lives of one server, each ended by kill -9; writes of two producers to one
table and of none to another; committed writes whose segments were released and written again
(recycled); a checkpoint of producers on disk and in the object store; log objects; and, at the end,
writes that are in the log only. All paths are s3://, so that it can be unpacked anywhere.
"""

import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))
if len(sys.argv) > 1:
    os.environ["ARKA_BUILD_DIR"] = sys.argv[1]

import pyarrow as pa  # noqa: E402  pylint: disable=wrong-import-position
from testbed.s3 import BUCKET, S3Server  # noqa: E402  pylint: disable=wrong-import-position
from testbed.server import ArkaServer, eventually  # noqa: E402  pylint: disable=wrong-import-position
from testbed.write_stream import WriteStream  # noqa: E402  pylint: disable=wrong-import-position

SCHEMA = pa.schema([("id", pa.int64()), ("pad", pa.binary())])
PAD = bytes(100_000)  # compresses well, and fills segments of 1 MB
QUIET = {"durability.iceberg_commit_interval": "24h", "durability.s3_upload_interval": "24h"}
BUSY = {"durability.iceberg_commit_interval": "100ms", "durability.s3_upload_interval": "10ms"}
UPLOADS = {"durability.iceberg_commit_interval": "24h", "durability.s3_upload_interval": "10ms"}


class Maker:
    def __init__(self, work):
        self.s3 = S3Server(work / "s3")
        self.server = ArkaServer(work / "data", {
            **self.s3.settings, **BUSY, "catalog.uri": str(work / "data/catalog.db"),
            "wal.segment_size": "1MB", "server.max_batch_bytes": "1MB", "wal.spare_segments": "0",
            "wal.recycled_segments": "4"}, started=False)
        self.seqs = {}
        self.rows = {"producers": [], "plain": []}
        self.last_lsn = 0

    def life(self, settings, writes, tier):
        """Starts, writes `writes` batches each, waits until they are at `tier`, kills."""
        self.server.settings.update(settings)
        self.server.start()
        with self.server.connect() as client:
            for producer in ("p", "q"):
                headers = {"arka-producer": producer}
                self._write(client, "producers", writes, tier, headers, producer)
            self._write(client, "plain", writes, tier, {}, None)
        if tier == "COMMITTED":  # and what was committed is let go of
            log = self.server.data_dir / "log"
            eventually(lambda: len(list(log.glob("0*.log"))) <= 2 and list(log.glob("spare-*")))
            eventually(lambda: (log / "producers.0").exists())
        self.server.kill()

    def _write(self, client, table, writes, tier, headers, producer):
        stream = WriteStream(client, SCHEMA, table, headers=headers)
        for _ in range(writes):
            number = len(self.rows[table])
            self.rows[table].append(number)
            metadata = None
            if producer:
                self.seqs[producer] = self.seqs.get(producer, 0) + 1
                metadata = json.dumps({"seq": self.seqs[producer]}).encode()
            stream.write(pa.record_batch([pa.array([number]), pa.array([PAD], pa.binary())],
                                         schema=SCHEMA), metadata)
        acks = stream.wait(tier)
        self.last_lsn = max(self.last_lsn, max(ack.lsn for ack in acks))


def pack(name, folders):
    """name.tar.xz: the same bytes for the same files."""
    with tarfile.open(HERE / f"{name}.tar.xz", "w:xz", preset=9) as archive:
        for prefix, folder in folders:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                if path.name == "lock" or ".sgwtmp" in path.parts:
                    continue
                data = path.read_bytes()
                entry = tarfile.TarInfo(f"{prefix}/{path.relative_to(folder)}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))


def main():
    work = pathlib.Path(tempfile.mkdtemp())
    maker = Maker(work)
    try:
        maker.life(BUSY, 20, "COMMITTED")
        maker.life(BUSY, 10, "COMMITTED")
        maker.life(UPLOADS, 5, "OBJECT_STORAGE")
        maker.life(QUIET, 5, "LOCAL_DISK")
        pack("v1", [("data", work / "data"), ("bucket", maker.s3.objects / BUCKET)])
        expected = {"last_lsn": maker.last_lsn, "last_seq": maker.seqs,
                    "rows": {name: len(rows) for name, rows in maker.rows.items()}}
        (HERE / "v1.json").write_text(json.dumps(expected, indent=1) + "\n")
    finally:
        if maker.server.process.poll() is None:
            maker.server.kill()
        maker.s3.stop()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
