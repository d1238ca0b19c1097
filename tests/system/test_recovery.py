"""While a start reads its log, the port says so; a server killed during that recovers."""

import json
import re
import subprocess
import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.server import BUILD_DIR, eventually
from testbed.status import get
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("number", pa.int64()), ("pad", pa.binary())])
WRITES = 150
LISTENING = re.compile(r"listening on (\S+:\d+), not ready yet")


class Start:
    """A start of the server whose log is followed line by line; not waited for."""

    def __init__(self, server):
        command = [str(BUILD_DIR / "arka"), "serve"]
        for key, value in server.settings.items():
            command += ["--set", f"{key}={value}"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        text=True)
        for line in self.process.stderr:
            if match := LISTENING.search(line):
                self.address = match[1]
                return
        pytest.fail("the start ended before it listened")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@pytest.mark.timeout(300)
def test_a_start_says_how_far_it_is_and_survives_being_killed(start_server):
    server = start_server({"durability.iceberg_commit_interval": "1h",
                           "durability.s3_upload_interval": "1h",
                           "write_buffer.max_unflushed_bytes": "2GB"})
    pad = pa.array([bytes(1 << 20)], pa.binary())
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        for number in range(WRITES):
            stream.write(pa.record_batch([pa.array([number]), pad], schema=SCHEMA))
        eventually(lambda: len(stream.of("LOCAL_DISK")) == WRITES, timeout=120)
        server.kill()

    seen = 0
    for moment in (0.0, 0.02, 0.1, 0.2):  # kills at several moments of the recovery
        start = Start(server)
        try:
            time.sleep(moment)
            assert get(f"http://{start.address}/healthz")[0] == 200
            code, body = get(f"http://{start.address}/readyz")
            if code == 503:
                report = json.loads(body)
                assert report["state"] == "recovering"
                assert 0 <= report["bytes_done"] <= max(report["bytes_total"], 0)
                with flight.connect(f"grpc://{start.address}") as client:
                    try:
                        client.get_flight_info(flight.FlightDescriptor.for_path("status"))
                    except flight.FlightUnavailableError as error:
                        assert "the server is starting" in str(error)
                        seen += 1
        finally:
            start.kill()
    assert seen > 0, "no look came while the log was read"

    server.settings["durability.iceberg_commit_interval"] = "50ms"
    server.settings["durability.s3_upload_interval"] = "20ms"
    server.restart()
    assert re.search(r"MB of the log read \(100 %, \d+ MB/s\)", server.log())
    assert get(f"{server.url}/readyz") == (200, "ready\n")
    server.stop()  # commits everything
    numbers = sorted(lake.read_with_pyiceberg(server)["number"].to_pylist())
    assert numbers == list(range(WRITES))
