"""examples/rust: the guide's example with plain arrow-flight runs as it stands."""

import pytest
from testbed import example, rustlang
from testbed.server import ROOT

pytestmark = [
    pytest.mark.timeout(900),  # the first run in a checkout fetches and compiles the crates
    pytest.mark.skipif(not rustlang.there(), reason="no cargo"),
]


@pytest.fixture(scope="module")
def program():
    return rustlang.build(ROOT / "examples/rust", "flight_client")


def test_a_hundred_batches_are_written_and_every_level_is_told(program, server):
    example.check_that_every_level_is_told(server, [program], f"localhost:{server.port}")


def test_it_says_why_where_there_is_no_server(program, server):
    example.check_that_it_says_why_where_there_is_no_server("ConnectError", server, [program], f"localhost:{server.port}")
