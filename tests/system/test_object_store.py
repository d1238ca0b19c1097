"""The C++ conformance suite of the object store, against a real S3 server."""

import os
import subprocess

import pytest
from testbed.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server
from testbed.server import BUILD_DIR


@pytest.fixture
def s3_endpoint(tmp_path):
    server = S3Server(tmp_path / "s3")
    yield f"http://{server.endpoint}"
    server.stop()


def test_the_s3_object_store_passes_the_conformance_suite(s3_endpoint):
    result = subprocess.run(
        [BUILD_DIR / "arka_io_test", "--gtest_filter=S3/*:OpenObjectStoreTest.*"],
        env={**os.environ, "ARKA_TEST_S3_ENDPOINT": s3_endpoint, "ARKA_TEST_S3_BUCKET": BUCKET,
             "ARKA_TEST_S3_ACCESS_KEY": ACCESS_KEY, "ARKA_TEST_S3_SECRET_KEY": SECRET_KEY},
        capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "SKIPPED" not in result.stdout
    assert result.stdout.count("[       OK ] S3/ObjectStoreConformance") >= 17
