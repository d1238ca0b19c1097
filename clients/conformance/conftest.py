"""Fixtures of the conformance tests: servers, drivers, and who counts the rows in the end."""

import random

import pyarrow.flight as flight
import pytest
from driver import Driver, languages
from testbed import certificate as certificates
from testbed.server import QUICK, ArkaServer, stopped_in_the_end
from testbed.toxiproxy import Toxiproxy


def pytest_addoption(parser):
    parser.addoption("--language", action="append", default=[],
                     help="a client to test; may be given several times (default: all)")
    parser.addoption("--thorough", action="store_true",
                     help="full sizes: 100,000 tiny writes, ten times as many cuts")


def pytest_generate_tests(metafunc):
    if "language" in metafunc.fixturenames:
        there = languages()
        chosen = metafunc.config.getoption("--language") or there
        unknown = set(chosen) - set(there)
        assert not unknown, f"no client in {', '.join(unknown)}; there are {', '.join(there)}"
        metafunc.parametrize("language", chosen, scope="session")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Attaches what servers and drivers of a test that failed have said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for number, server in enumerate(getattr(item, "servers", []), 1):
            report.sections.append((f"arka server {number}", server.log()[-10_000:]))
        for number, driver in enumerate(getattr(item, "drivers", []), 1):
            report.sections.append((f"driver {number}", driver.log()))


@pytest.fixture
def thorough(request):
    return request.config.getoption("--thorough")


@pytest.fixture
def chance(request):
    """Random numbers; a failed run is repeated with the seed that it prints."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture
def start_server(request, tmp_path):
    """start_server(settings, name=…) -> ArkaServer, which keeps its port over restarts."""
    request.node.servers = []

    def start(settings=None, *, name="data"):
        server = ArkaServer(tmp_path / name, {**QUICK, **(settings or {})})
        request.node.servers.append(server)
        server.settings["server.listen"] = f"127.0.0.1:{server.port}"
        return server

    with stopped_in_the_end(request.node.servers):
        yield start


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def start_driver(request, language, tmp_path):
    """start_driver() -> Driver; all are gone in the end."""
    request.node.drivers = []

    def start():
        driver = Driver(language, tmp_path / f"driver {len(request.node.drivers)}")
        request.node.drivers.append(driver)
        return driver

    yield start
    for driver in request.node.drivers:
        driver.kill()


@pytest.fixture
def driver(start_driver):
    return start_driver()


@pytest.fixture
def proxy(server, tmp_path):
    """A toxiproxy between driver and server."""
    toxiproxy = Toxiproxy(tmp_path / "toxiproxy")
    yield toxiproxy.add("arka", f"127.0.0.1:{server.port}")
    toxiproxy.stop()


@pytest.fixture
def certificate(tmp_path):
    return certificates.make(tmp_path)


class Rows:
    """Counts the rows of a table as a client that has nothing to do with the one under test."""

    def __init__(self, server, headers=(), timeout=60):
        self._server = server
        self._options = flight.FlightCallOptions(headers=list(headers), timeout=timeout)

    def check(self, count, table="sales.orders"):
        """Fails unless the table has the numbers 0 to count - 1, each once."""
        # A sum of hashes tells a row that is doubled from one that is missing, and needs no memory for
        # millions of rows, as DISTINCT does.
        sql = (f"SELECT count(*) AS n, min(number) AS first, max(number) AS last,"
               f" sum(hash(number) % 1000003) = (SELECT sum(hash(range) % 1000003)"
               f" FROM range({count})) AS each_once FROM {table}")
        with self._server.connect() as client:
            command = flight.FlightDescriptor.for_command(sql)
            ticket = client.get_flight_info(command, self._options).endpoints[0].ticket
            row = client.do_get(ticket, self._options).read_all().to_pylist()[0]
        assert row == {"n": count, "first": 0, "last": count - 1, "each_once": True}, (
            f"{table} has {row}; {count} rows were written, each once")


@pytest.fixture
def rows(server):
    return Rows(server)


