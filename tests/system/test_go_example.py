"""examples/go: the guide's example with plain arrow-go runs as it stands."""

import pytest
from testbed import example, golang
from testbed.server import ROOT

pytestmark = [
    pytest.mark.timeout(900),  # the first run in a checkout fetches and compiles the libraries
    pytest.mark.skipif(golang.find_go() is None, reason="no Go toolchain: ./dev setup brings one"),
]


@pytest.fixture(scope="module")
def program():
    return golang.build(ROOT / "examples/go", "arka_example_go")


def test_a_hundred_batches_are_written_and_every_level_is_told(program, server):
    example.check_that_every_level_is_told(server, [program], f"localhost:{server.port}")


def test_it_says_why_where_there_is_no_server(program, server):
    example.check_that_it_says_why_where_there_is_no_server("Unavailable", server, [program], f"localhost:{server.port}")
