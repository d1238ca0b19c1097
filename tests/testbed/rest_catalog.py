"""A real Iceberg REST catalog (Apache Iceberg's own test server) on loopback."""

import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

from pyiceberg.catalog.rest import RestCatalog

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / ".deps/rest_catalog"
START_SECONDS = 60


class RestCatalogServer:
    """Keeps its database in `directory` and its tables under the URI `warehouse`.

    kill() and start() on the same object are a crash and a restart: port and database stay.
    `s3_directory`: where an S3Server has its buckets, for a warehouse there.
    """

    def __init__(self, directory, warehouse, s3_directory=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.warehouse = warehouse
        self._s3 = [f"s3-directory={s3_directory}"] if s3_directory else []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self):
        with open(self.directory / "log", "a") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 f"-Dorg.sqlite.tmpdir={self.directory}",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                 "-cp", f"{HOME}/classes:{HOME}/lib/*", "org.apache.iceberg.rest.CatalogServer",
                 str(self.port), f"uri=jdbc:sqlite:{self.directory}/catalog.db",
                 "jdbc.schema-version=V1", f"warehouse={self.warehouse}", *self._s3],
                stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        return self

    def _is_ready(self):
        try:
            return urllib.request.urlopen(f"{self.uri}/v1/config", timeout=5).status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def log(self):
        return (self.directory / "log").read_text()

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self):
        """The keys with which an Arka server uses it."""
        return {"catalog.type": "rest", "catalog.uri": self.uri, "catalog.warehouse": self.warehouse}

    def pyiceberg(self, **properties):
        """A PyIceberg client of it."""
        return RestCatalog("lake", uri=self.uri, **properties)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
