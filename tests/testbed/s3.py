"""A real S3 server (versitygw) on loopback, with one bucket."""

import os
import pathlib
import socket
import subprocess
import time

import pyarrow.fs

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "arkatest", "arkasecret", "us-east-1", "lake"


class S3Server:
    def __init__(self, directory):
        directory = pathlib.Path(directory)
        for name in ("iam", "objects"):
            (directory / name).mkdir(parents=True)
        self.objects = directory / "objects"
        with socket.socket() as probe:  # versitygw cannot be told to pick a port itself
            probe.bind(("127.0.0.1", 0))
            self.endpoint = f"127.0.0.1:{probe.getsockname()[1]}"
        with open(directory / "log", "w") as log:
            self.process = subprocess.Popen(
                [ROOT / ".deps/bin/versitygw", "--port", self.endpoint, "--iam-dir",
                 directory / "iam", "posix", self.objects],
                stdout=log, stderr=log,
                env={**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY})
        self._create_bucket()

    def _create_bucket(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                self.filesystem(allow_bucket_creation=True).create_dir(BUCKET)
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def filesystem(self, **options):
        return pyarrow.fs.S3FileSystem(access_key=ACCESS_KEY, secret_key=SECRET_KEY, region=REGION,
                                       endpoint_override=self.endpoint, scheme="http", **options)

    @property
    def settings(self):
        """The keys with which an Arka server finds it."""
        return {"object_store.uri": f"s3://{BUCKET}/log",
                "object_store.endpoint": f"http://{self.endpoint}",
                "object_store.region": REGION,
                "object_store.access_key": ACCESS_KEY,
                "object_store.secret_key": SECRET_KEY,
                "catalog.warehouse": f"s3://{BUCKET}/warehouse"}

    @property
    def pyiceberg(self):
        """The properties with which PyIceberg reads what lies here."""
        return {"s3.endpoint": f"http://{self.endpoint}", "s3.access-key-id": ACCESS_KEY,
                "s3.secret-access-key": SECRET_KEY, "s3.region": REGION,
                "s3.path-style-access": "true"}

    @property
    def duckdb_secret(self):
        return (f"CREATE SECRET (TYPE s3, KEY_ID '{ACCESS_KEY}', SECRET '{SECRET_KEY}', "
                f"ENDPOINT '{self.endpoint}', URL_STYLE 'path', USE_SSL false, REGION '{REGION}')")

    def keys(self, prefix=""):
        base = self.objects / BUCKET / prefix
        return sorted(str(p.relative_to(self.objects / BUCKET)) for p in base.rglob("*") if p.is_file())

    def stop(self):
        self.process.kill()
        self.process.wait()
