"""The OpenAPI description, and what the server answers to hundreds of requests made from it."""

import pathlib
import subprocess
import sys

import pyarrow as pa
from testbed.http import post_rows, request, stream_of

SCHEMATHESIS = pathlib.Path(sys.executable).with_name("schemathesis")
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,"
          "response_schema_conformance,response_headers_conformance,unsupported_method")


def test_no_request_made_from_the_description_is_answered_otherwise(server, tmp_path):
    """Examples and seed are fixed, so that a failure comes again."""
    description = f"{server.url}/api/v1/openapi.json"
    done = subprocess.run(
        [SCHEMATHESIS, "run", description, "--url", server.url, "--seed", "7",
         "--max-examples", "100", "--phases", "coverage,fuzzing", "--checks", CHECKS,
         "--request-timeout", "10", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert request(server, "GET", "/readyz").status == 200
    assert post_rows(server, "sales.orders", stream_of(
        pa.record_batch([pa.array([1])], names=["id"]))).status == 200
