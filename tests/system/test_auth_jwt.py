"""JSON Web Tokens of an issuer, its keys in a file and at a URL."""

import base64
import hashlib
import hmac
import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed.credentials import CredentialsFile, bearer
from testbed.jwt_issuer import JwksServer, JwtIssuer
from testbed.server import ServerExited, eventually

STATUS = flight.FlightDescriptor.for_path("status")
TABLE = flight.FlightDescriptor.for_path("sales", "orders")


@pytest.fixture
def issuer(tmp_path):
    return JwtIssuer(tmp_path)


@pytest.fixture
def settings(tmp_path, issuer):
    credentials = CredentialsFile(tmp_path / "credentials.yaml").grant(
        "alice", "sales.*", "write").save()
    (tmp_path / "keys.pem").write_text(issuer.pem())
    return {"auth.credentials": str(credentials.path), "auth.jwt.keys": str(tmp_path / "keys.pem"),
            "auth.jwt.issuer": issuer.name, "auth.jwt.audience": issuer.audience}


def ask(client, token):
    options = flight.FlightCallOptions(headers=bearer(token), timeout=30)
    return client.get_flight_info(STATUS, options)


def write(client, token):
    batch = pa.record_batch([pa.array([1])], names=["id"])
    options = flight.FlightCallOptions(headers=bearer(token), timeout=30)
    writer, reader = client.do_put(TABLE, batch.schema, options)
    with writer:
        writer.write_batch(batch)
        writer.done_writing()
        reader.read()


def test_a_jwt_is_its_subject(start_server, settings, issuer):
    with start_server(settings).connect() as client:
        write(client, issuer.token())
        with pytest.raises(flight.FlightUnauthorizedError, match="'bob' has no 'write' right"):
            write(client, issuer.token("bob"))


def test_a_jwt_that_breaks_a_rule_is_refused(start_server, settings, issuer, tmp_path):
    now = int(time.time())

    def unsigned(algorithm, sign=lambda text: b""):
        head, claims, _ = issuer.token(header={"alg": algorithm}).split(".")
        signature = base64.urlsafe_b64encode(sign(f"{head}.{claims}")).decode().rstrip("=")
        return f"{head}.{claims}.{signature}"

    good = issuer.token()
    other = tmp_path / "other"
    other.mkdir()
    bad = {
        "expired": issuer.token(exp=now - 60),
        "not valid yet": issuer.token(nbf=now + 600),
        "another audience": issuer.token(aud="somebody else"),
        "another issuer": issuer.token(iss="https://elsewhere"),
        "wrong signature": JwtIssuer(other).token(),
        "names no principal": issuer.token(""),
        "no key here has": unsigned("none"),
        "algorithm": unsigned("HS256", lambda text: hmac.digest(
            issuer.pem().encode(), text.encode(), hashlib.sha256)),
        "signature": good[:-20] + ("A" * 20),
    }
    with start_server(settings).connect() as client:
        assert ask(client, good)
        for why, token in bad.items():
            with pytest.raises(flight.FlightUnauthenticatedError, match=why):
                ask(client, token)


def test_new_keys_of_the_file_are_taken_without_a_restart(start_server, settings, issuer,
                                                            tmp_path):
    with start_server(settings).connect() as client:
        old = issuer.token()
        issuer.rotate()
        (tmp_path / "keys.new").write_text(issuer.pem())
        (tmp_path / "keys.new").rename(tmp_path / "keys.pem")

        def is_in():
            try:
                return ask(client, issuer.token())
            except flight.FlightUnauthenticatedError:
                return None
        assert eventually(is_in)
        with pytest.raises(flight.FlightUnauthenticatedError, match="wrong signature"):
            ask(client, old)


def test_keys_come_from_a_url(start_server, settings, issuer):
    keys = JwksServer(issuer)
    try:
        with start_server({**settings, "auth.jwt.keys": keys.url}).connect() as client:
            assert ask(client, issuer.token())
            with pytest.raises(flight.FlightUnauthenticatedError, match="not among the issuer's"):
                ask(client, issuer.token(header={"kid": "another"}))
    finally:
        keys.stop()


def test_keys_over_an_open_network_are_refused(start_server, settings):
    with pytest.raises(ServerExited, match="expected https://"):
        start_server({**settings, "auth.jwt.keys": "http://issuer.example/jwks.json"})
