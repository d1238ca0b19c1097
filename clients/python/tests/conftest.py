"""The address of a server for tests that need one (clients/conformance starts it)."""

import itertools
import os

import pytest

import arka

_tables = itertools.count()


@pytest.fixture
def url():
    if "ARKA_URL" not in os.environ:
        pytest.skip("ARKA_URL is not set: run ./dev test clients python")
    return os.environ["ARKA_URL"]


@pytest.fixture
def client(url):
    with arka.connect(url, deadline=30) as connected:
        yield connected


@pytest.fixture
def table():
    """A name that no other test of this run uses."""
    return f"python.t{next(_tables)}_{os.getpid()}"
