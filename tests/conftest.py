"""Fixtures of the system and documentation tests: the server, in an own data directory each."""

import pytest
from testbed import certificate as certificates
from testbed.s3 import S3Server
from testbed.server import QUICK, ArkaServer, stopped_in_the_end


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Attaches the output of every server of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for number, server in enumerate(getattr(item, "servers", []), 1):
            report.sections.append((f"arka server {number}", server.log()[-20_000:]))


@pytest.fixture
def start_server(request, tmp_path):
    """start_server(settings, name=…, …) -> ArkaServer; all are stopped, and must exit with 0."""
    request.node.servers = []

    def start(settings=None, *, name="data", **options):
        server = ArkaServer(tmp_path / name, settings, **options)
        request.node.servers.append(server)
        return server

    with stopped_in_the_end(request.node.servers):
        yield start


@pytest.fixture
def server(start_server):
    """A server that commits five times a second."""
    return start_server(QUICK)


@pytest.fixture
def slow_server(start_server):
    """A server with the default intervals: nothing reaches COMMITTED by itself in a test."""
    return start_server()


@pytest.fixture
def s3(tmp_path):
    """A real S3 server with an empty bucket."""
    server = S3Server(tmp_path / "s3")
    yield server
    server.stop()


@pytest.fixture
def certificate(tmp_path):
    """(certificate, key): PEM files of a self-signed certificate for localhost."""
    return certificates.make(tmp_path)


@pytest.fixture
def tls_server(start_server, certificate):
    """As `server`, with TLS."""
    cert, key = certificate
    return start_server({**QUICK, "server.tls.cert": str(cert), "server.tls.key": str(key)})


@pytest.fixture
def client(server):
    with server.connect() as connected:
        yield connected
