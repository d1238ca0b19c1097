"""Who may write: passwords, tokens, certificates."""

import time

import pytest
from conftest import Rows, certificates
from driver import DriverError
from test_errors import refusal
from testbed.credentials import CredentialsFile, basic

ORDERS = "sales.orders"
TOKEN = "a-token-0123456789abcdefghij"


@pytest.fixture
def credentials(tmp_path):
    made = CredentialsFile(tmp_path / "credentials.yaml")
    made.user("writer", "correct horse", tokens=[TOKEN]).user("reader", "battery staple")
    made.grant("writer", "*", "read", "write").grant("ingest", "*", "read", "write")
    return made.grant("reader", "*", "read").save()


@pytest.fixture
def auth_server(start_server, credentials):
    return start_server({"auth.credentials": str(credentials.path)})


def write(driver):
    driver.open(table=ORDERS)
    driver.write(first=0, batches=10, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    assert driver.query(sql=f"SELECT count(*) FROM {ORDERS}")["rows"] == [[50]]
    driver.close(timeout_ms=30_000)


@pytest.mark.parametrize("options", [{"username": "writer", "password": "correct horse"},
                                     {"token": TOKEN}], ids=["password", "token"])
def test_good_credentials_are_let_in(auth_server, driver, options):
    driver.connect(url=auth_server.location, options=options)
    write(driver)


@pytest.mark.parametrize("options", [{}, {"token": "not-the-token-0123456789"},
                                     {"username": "writer", "password": "wrong"}],
                         ids=["none", "token", "password"])
def test_bad_credentials_are_refused_at_once(auth_server, driver, options):
    driver.connect(url=auth_server.location, options=options)
    error = refusal(driver)
    assert (error.code, error.retryable) == ("UNAUTHENTICATED", False)


def test_who_may_only_read_is_told_so(auth_server, driver):
    driver.connect(url=auth_server.location,
                   options={"username": "reader", "password": "battery staple"})
    error = refusal(driver)
    assert (error.code, error.retryable) == ("PERMISSION_DENIED", False)


def test_a_password_outlives_the_token_that_it_was_exchanged_for(
        start_server, credentials, driver):
    server = start_server({"auth.credentials": str(credentials.path)})
    driver.connect(url=server.location,
                   options={"username": "writer", "password": "correct horse"})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=10, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.kill()  # which forgets the tokens that it gave out
    server.restart()
    driver.write(first=50, batches=10, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    headers = basic("writer", "correct horse")
    Rows(server, headers=headers).check(100)


def test_every_stream_outlives_the_token_that_it_was_let_in_by(start_server, credentials, driver):
    """There are two, by the same token: that the one has asked for another is not the other's end."""
    server = start_server({"auth.credentials": str(credentials.path), "auth.token_lifetime": "2s"})
    driver.connect(url=server.location,
                   options={"username": "writer", "password": "correct horse"})
    driver.query(sql="SELECT 1")  # the password is exchanged
    driver.open(table=ORDERS)
    for first in (0, 10, 20):
        driver.write(first=first, batches=1, rows=5)
        driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
        driver.append_rows(first=first + 5, rows=5, table=ORDERS)
        driver.flush(level="LOCAL_DISK", timeout_ms=30_000)
        time.sleep(3.5)  # by then the server has ended both
    driver.close(timeout_ms=30_000)
    Rows(server, headers=basic("writer", "correct horse")).check(30)


def test_tls_with_a_root_of_ones_own(start_server, certificate, driver):
    cert, key = certificate
    server = start_server({"server.tls.cert": str(cert), "server.tls.key": str(key)})
    driver.connect(url=f"grpc+tls://localhost:{server.port}", options={"tls_root": str(cert)})
    write(driver)


def test_a_server_that_cannot_be_verified_is_not_spoken_to(start_server, certificate, driver):
    cert, key = certificate
    server = start_server({"server.tls.cert": str(cert), "server.tls.key": str(key)})
    driver.connect(url=f"grpc+tls://localhost:{server.port}", options={"deadline_ms": 3000})
    with pytest.raises(DriverError):
        write(driver)


def test_mtls_by_the_certificates_subject(start_server, certificate, credentials, driver, tmp_path):
    cert, key = certificate
    authority = certificates.Authority(tmp_path / "clients")
    own_cert, own_key = authority.issue("ingest")
    server = start_server({
        "server.tls.cert": str(cert), "server.tls.key": str(key),
        "server.tls.client_ca": str(authority.cert), "auth.credentials": str(credentials.path)})
    driver.connect(url=f"grpc+tls://localhost:{server.port}", options={
        "tls_root": str(cert), "client_cert": str(own_cert), "client_key": str(own_key)})
    write(driver)
