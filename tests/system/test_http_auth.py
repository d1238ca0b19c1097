"""Who may write and listen over plain HTTP."""

import pyarrow as pa
import pytest
from testbed.credentials import CredentialsFile
from testbed.http import AckListener, post_rows, request, stream_of
from testbed.server import eventually

TOKENS = {name: f"{name}-token-0123456789abcdef" for name in ("writer", "reader")}
BODY = stream_of(pa.record_batch([pa.array([1])], names=["id"]))


def bearer(token):
    return f"Bearer {token}"


@pytest.fixture
def auth_server(start_server, tmp_path):
    credentials = CredentialsFile(tmp_path / "credentials.yaml")
    for name, token in TOKENS.items():
        credentials.user(name, tokens=[token])
    credentials.grant("writer", "sales.*", "write")
    credentials.grant("reader", "sales.*", "read")
    return start_server({"auth.credentials": str(credentials.save().path),
                         "http.cors_origins": "https://app.example.com"})


def test_only_who_may_write_writes(auth_server):
    nobody = post_rows(auth_server, "sales.orders", BODY)
    assert (nobody.status, nobody.error["code"]) == (401, "UNAUTHENTICATED")
    reader = post_rows(auth_server, "sales.orders", BODY,
                       authorization=bearer(TOKENS["reader"]))
    assert (reader.status, reader.error["code"]) == (403, "PERMISSION_DENIED")
    writer = {"authorization": bearer(TOKENS["writer"])}
    assert post_rows(auth_server, "other.orders", BODY, **writer).status == 403
    assert post_rows(auth_server, "sales.orders", BODY, **writer).json["last_lsn"] == 1000


def test_a_session_is_heard_by_its_owner_alone(auth_server):
    writer = {"authorization": bearer(TOKENS["writer"])}
    post_rows(auth_server, "sales.orders", BODY, arka_session="s", **writer)
    assert request(auth_server, "GET", "/api/v1/acks/s").status == 401
    other = request(auth_server, "GET", "/api/v1/acks/s", authorization=bearer(TOKENS["reader"]))
    assert other.status == 404
    listener = AckListener(auth_server, "s", **writer)
    eventually(lambda: (1000, "LOCAL_DISK") in listener.told())
    listener.close()


def test_a_listener_is_let_go_of_when_its_caller_is_no_longer_who_he_was(start_server, tmp_path):
    credentials = CredentialsFile(tmp_path / "credentials.yaml")
    credentials.user("writer", tokens=[TOKENS["writer"]]).user("alice", password="secret")
    credentials.grant("writer", "sales.*", "write").grant("alice", "sales.*", "write").save()
    server = start_server({"auth.credentials": str(credentials.path), "auth.token_lifetime": "6s"})
    with server.connect() as client:
        expiring = client.authenticate_basic_token("alice", "secret")[1].decode()
    by_token, by_login = bearer(TOKENS["writer"]), expiring
    for authorization in (by_token, by_login):
        post_rows(server, "sales.orders", BODY, arka_session="s", authorization=authorization)
    listeners = [AckListener(server, "s", authorization=a) for a in (by_token, by_login)]
    eventually(lambda: all(listener.told() for listener in listeners))
    eventually(lambda: listeners[1].ended)
    assert not listeners[0].ended, "a token of the file does not expire"
    del credentials.users["writer"]
    credentials.save()
    eventually(lambda: listeners[0].ended)
    assert request(server, "GET", "/api/v1/acks/s", authorization=by_token).status == 401


def test_a_preflight_needs_no_credentials_and_gives_nothing_away(auth_server):
    answer = request(auth_server, "OPTIONS", "/api/v1/tables/sales/orders",
                     origin="https://app.example.com", access_control_request_method="POST")
    assert (answer.status, answer.body) == (200, b"")
    assert "authorization" in answer.headers["access-control-allow-headers"]
