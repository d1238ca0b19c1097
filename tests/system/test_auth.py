"""Who may do what: every call without, with wrong, revoked, expired and too weak credentials."""

import json
import subprocess
import urllib.error
import urllib.request

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed.credentials import CredentialsFile, basic, bearer
from testbed.every_call import ACTIONS, BATCH, EVERY_CALL, SCHEMA, make
from testbed.server import BUILD_DIR, QUICK, ServerExited, eventually
from testbed.write_stream import WriteStream

TOKENS = {name: f"{name}-token-0123456789abcdef" for name in ("writer", "reader", "admin", "other")}
PASSWORD = "correct horse battery staple"
ORDERS = flight.FlightDescriptor.for_path("sales", "orders")


@pytest.fixture
def credentials(tmp_path):
    made = CredentialsFile(tmp_path / "credentials.yaml")
    made.user("alice", password=PASSWORD)
    for name, token in TOKENS.items():
        made.user(name, tokens=[token])
    made.grant("alice", "sales.*", "read", "write")
    made.grant("writer", "sales.*", "write")
    made.grant("reader", "sales.*", "read")
    made.grant("admin", "*", "admin")
    made.grant("other", "other.*", "read", "write", "admin")
    return made.save()


@pytest.fixture
def auth_server(start_server, credentials):
    return start_server({**QUICK, "auth.credentials": str(credentials.path)})


def options(headers):
    return flight.FlightCallOptions(headers=headers, timeout=30)


def put(client, headers, path=("sales", "orders"), batch=BATCH):
    """One whole DoPut; returns the LSN."""
    writer, reader = client.do_put(flight.FlightDescriptor.for_path(*path), batch.schema,
                                   options(headers))
    with writer:
        writer.write_batch(batch)
        writer.done_writing()
        result = reader.read()
        return json.loads(result.to_pybytes())["lsn"] if result else None


def act(client, headers, kind, body=None):
    text = json.dumps(body).encode() if body is not None else b""
    return [json.loads(r.body.to_pybytes()) for r in
            client.do_action(flight.Action(kind, text), options(headers))]


def rows(client, headers):
    info = client.get_flight_info(ORDERS, options(headers))
    return sum(client.do_get(e.ticket, options(headers)).read_all().num_rows
               for e in info.endpoints)


def test_every_action_that_there_is_is_among_the_calls(auth_server):
    with auth_server.connect() as client:
        listed = {kind.type for kind in client.list_actions(options(bearer(TOKENS["other"])))}
    assert listed == set(ACTIONS)


def codes(server, headers, calls=EVERY_CALL):
    """{name of a call: the name of the code that it ended with}; nothing else came of refused ones."""
    found = {}
    for name, call in calls.items():
        answer = make(server, call, headers)
        found[name] = answer.code.name
        if found[name] in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            assert not answer.messages and answer.trailers["arka-retryable"] == "false", answer
    return found


@pytest.mark.parametrize("headers", [
    [], bearer("wrong"), bearer(TOKENS["writer"][:-1]), [(b"authorization", b"Digest x")]])
def test_every_call_needs_credentials_that_are_right(auth_server, headers):
    assert codes(auth_server, headers) == dict.fromkeys(EVERY_CALL, "UNAUTHENTICATED")


@pytest.mark.parametrize("headers", [
    basic("writer", TOKENS["writer"]), basic("alice", "wrong"), basic("nobody", PASSWORD)])
def test_every_call_needs_a_password_that_is_right(auth_server, headers):
    found = codes(auth_server, headers)
    # Who has guessed for a while has to wait.
    assert set(found.values()) <= {"UNAUTHENTICATED", "RESOURCE_EXHAUSTED"}, found
    assert list(found.values())[0] == "UNAUTHENTICATED"


WHO_MAY = {"read": "reader", "write": "writer", "admin": "admin"}


def test_a_call_on_a_table_needs_its_right_there(auth_server):
    with auth_server.connect() as client:
        put(client, bearer(TOKENS["writer"]))
    on_tables = {name: call for name, call in EVERY_CALL.items() if call.right}
    expected = {name: {who: "OK" if who == WHO_MAY.get(call.right) else "PERMISSION_DENIED"
                       for who in TOKENS} for name, call in on_tables.items()}
    found = {name: {who: make(auth_server, call, bearer(TOKENS[who])).code.name for who in TOKENS}
             for name, call in on_tables.items()}
    assert found == expected


def test_a_refusal_names_who_lacks_what(auth_server):
    with auth_server.connect() as client:
        put(client, bearer(TOKENS["writer"]))
    for name, call in EVERY_CALL.items():
        if call.right:
            details = make(auth_server, call, bearer(TOKENS["other"])).details
            assert "'other' has no" in details and "sales." in details, (name, details)


def test_other_calls_need_no_more_than_credentials(auth_server):
    found = codes(auth_server, bearer(TOKENS["other"]),
                  {name: call for name, call in EVERY_CALL.items() if not call.right})
    refusals = {"UNAUTHENTICATED", "PERMISSION_DENIED", "INTERNAL", "UNKNOWN"}
    assert not {name: code for name, code in found.items() if code in refusals}


def test_rows_go_in_and_out_with_the_right_rights(auth_server):
    with auth_server.connect() as client:
        put(client, bearer(TOKENS["writer"]))
        assert rows(client, bearer(TOKENS["reader"])) == 3
        assert rows(client, basic("alice", PASSWORD)) == 3
        names = [".".join(part.decode() for part in info.descriptor.path) for info in
                 client.list_flights(b"", options(bearer(TOKENS["reader"])))]
        assert names == ["sales.orders"]
        assert not list(client.list_flights(b"", options(bearer(TOKENS["other"]))))


def test_a_login_answers_a_token(auth_server):
    with auth_server.connect() as client:
        with pytest.raises(flight.FlightUnauthenticatedError):
            client.authenticate_basic_token("alice", "wrong")
        token = client.authenticate_basic_token("alice", PASSWORD)
        assert token[1].startswith(b"Bearer ")
        assert put(client, [token]) >= 1000
        assert rows(client, [token]) == 3


class Login(flight.ClientAuthHandler):
    """What Java's BasicAuth does: user and password as the Handshake's payload."""

    def __init__(self, user, password):
        super().__init__()
        self.basic, self.token = flight.BasicAuth(user, password), None

    def authenticate(self, outgoing, incoming):
        outgoing.write(self.basic.serialize())
        self.token = incoming.read()

    def get_token(self):
        return self.token


def test_a_handshake_with_a_payload_logs_the_client_in(auth_server):
    with auth_server.connect() as client:
        with pytest.raises(flight.FlightUnauthenticatedError):
            client.authenticate(Login("alice", "wrong"))
    with auth_server.connect() as client:
        client.authenticate(Login("alice", PASSWORD))
        assert put(client, []) >= 1000


def test_an_expired_token_is_refused_and_ends_what_runs(start_server, credentials):
    server = start_server({**QUICK, "auth.credentials": str(credentials.path),
                           "auth.token_lifetime": "2s"})
    with server.connect() as client:
        token = client.authenticate_basic_token("alice", PASSWORD)
        stream = WriteStream(client, SCHEMA, "sales", "orders",
                             headers={"authorization": token[1].decode()})
        stream.write(BATCH)
        stream.wait("COMMITTED")
        eventually(lambda: stream.ended)
        assert isinstance(stream.error, flight.FlightUnauthenticatedError)
        assert "has expired" in str(stream.error)
        with pytest.raises(flight.FlightUnauthenticatedError, match="has expired"):
            rows(client, [token])
        assert rows(client, basic("alice", PASSWORD)) == 3, "what was acknowledged is there"


def test_whoever_is_taken_out_of_the_file_is_out_without_a_restart(auth_server, credentials):
    with auth_server.connect() as client:
        stream = WriteStream(client, SCHEMA, "sales", "orders",
                             headers={"authorization": f"Bearer {TOKENS['writer']}"})
        stream.write(BATCH)
        stream.wait("COMMITTED")
        token = client.authenticate_basic_token("alice", PASSWORD)
        del credentials.users["writer"]
        credentials.user("alice", password="another one").save()
        eventually(lambda: stream.ended)
        assert isinstance(stream.error, flight.FlightUnauthenticatedError)
        for headers in (bearer(TOKENS["writer"]), [token], basic("alice", PASSWORD)):
            with pytest.raises(flight.FlightUnauthenticatedError):
                put(client, headers)
        assert put(client, basic("alice", "another one")) >= 1000


def test_a_right_that_is_taken_away_ends_what_used_it(auth_server, credentials):
    with auth_server.connect() as client:
        stream = WriteStream(client, SCHEMA, "sales", "orders",
                             headers={"authorization": f"Bearer {TOKENS['writer']}"})
        stream.write(BATCH)
        stream.wait("COMMITTED")
        credentials.grants = [g for g in credentials.grants if g["principals"] != ["writer"]]
        credentials.save()
        eventually(lambda: stream.ended)
        assert isinstance(stream.error, flight.FlightUnauthorizedError)
        with pytest.raises(flight.FlightUnauthorizedError):
            put(client, bearer(TOKENS["writer"]))


def test_a_file_that_got_broken_changes_nothing(auth_server, credentials):
    credentials.path.write_text("users: [")
    eventually(lambda: "not taken, what was read before stays" in auth_server.log())
    with auth_server.connect() as client:
        assert put(client, bearer(TOKENS["writer"])) >= 1000
    credentials.user("late", tokens=["late-token-0123456789abcdef"]).grant(
        "late", "*", "write").save()
    with auth_server.connect() as client:
        def is_in():
            try:
                return put(client, bearer("late-token-0123456789abcdef"))
            except flight.FlightUnauthenticatedError:
                return None
        assert eventually(is_in) >= 1000


def test_sessions_and_tickets_are_of_whom_they_were_given_to(auth_server):
    with auth_server.connect() as client:
        writer, _ = client.do_put(ORDERS, SCHEMA, options(
            [*bearer(TOKENS["writer"]), (b"arka-session", b"mine")]))
        writer.write_batch(BATCH)
        writer.close()
        asked = {"session": "mine"}
        assert act(client, bearer(TOKENS["writer"]), "durability_status", asked)[0]["events"]
        with pytest.raises(KeyError):
            act(client, basic("alice", PASSWORD), "durability_status", asked)
        assert act(client, basic("alice", PASSWORD), "list_sessions")[0]["sessions"] == []
        ticket = client.get_flight_info(ORDERS, options(bearer(TOKENS["reader"]))).endpoints[0].ticket
        with pytest.raises(KeyError):
            client.do_get(ticket, options(basic("alice", PASSWORD))).read_all()
        assert client.do_get(ticket, options(bearer(TOKENS["reader"]))).read_all().num_rows == 3


def get(server, path, headers=()):
    request = urllib.request.Request(server.url + path, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_http_asks_for_the_same_credentials_but_for_the_probes(auth_server):
    for path in ("/", "/api/v1/status", "/nothing"):
        code, headers, _ = get(auth_server, path)
        assert code == 401
        assert {scheme.split()[0] for scheme in headers.get_all("WWW-Authenticate")} == {
            "Bearer", "Basic"}
    assert get(auth_server, "/healthz")[0] == 200
    assert get(auth_server, "/readyz")[0] == 200
    for name, value in bearer(TOKENS["reader"]) + basic("alice", PASSWORD):
        assert get(auth_server, "/api/v1/status", [(name.decode(), value.decode())])[0] == 200


def test_who_guesses_has_to_wait(auth_server):
    with auth_server.connect() as client:
        client.authenticate_basic_token("alice", PASSWORD)
        codes = []
        for number in range(12):
            with pytest.raises((flight.FlightUnauthenticatedError, pa.ArrowException)) as error:
                client.authenticate_basic_token("alice", f"guess {number}")
            codes.append(type(error.value))
        assert codes[0] is flight.FlightUnauthenticatedError
        assert codes[-1] is not flight.FlightUnauthenticatedError, "told to wait"
        assert client.authenticate_basic_token("alice", PASSWORD), "who is known is not shut out"


def test_secrets_are_in_nothing_that_the_server_says(auth_server, credentials):
    said = []
    with auth_server.connect() as client:
        token = client.authenticate_basic_token("alice", PASSWORD)
        put(client, [token])
        for headers in (bearer("hunter2-hunter2-hunter2"), basic("alice", "hunter2"),
                        basic("hunter2", "x"), [(b"authorization", b"hunter2")]):
            said += [make(auth_server, call, headers).details for call in EVERY_CALL.values()]
        credentials.path.write_text("users: {alice: {password: hunter2, tokens: [hunter2]}}")
        eventually(lambda: "not taken" in auth_server.log())
        status = client.get_flight_info(flight.FlightDescriptor.for_path("status"), options([token]))
        said.append(status.app_metadata.decode())
    said.append(get(auth_server, "/", [("Authorization", "Basic hunter2")])[2])
    auth_server.stop()
    said.append(auth_server.log())
    secrets = ["hunter2", PASSWORD, token[1].decode().split()[1], *TOKENS.values(),
               *(entry.get("password", "scrypt$1024") for entry in credentials.users.values())]
    for secret in secrets:
        assert not [text for text in said if secret in text]


@pytest.mark.parametrize("settings, missing", [
    ({}, "neither auth.credentials nor server.tls.cert"),
    ({"auth.credentials": "/x"}, "server.tls.cert is not set"),
    ({"server.tls.cert": "/x", "server.tls.key": "/x"}, "auth.credentials is not set"),
])
def test_listening_for_other_machines_without_both_is_refused(start_server, settings, missing):
    with pytest.raises(ServerExited, match="exited with 2") as error:
        start_server(settings, listen="0.0.0.0:0")
    assert missing in str(error.value)
    assert "server.allow_insecure" in str(error.value)


def test_a_hash_of_the_command_line_is_one_that_the_server_takes(start_server, credentials):
    def arka(*arguments, given=""):
        return subprocess.run([BUILD_DIR / "arka", *arguments], input=given, text=True, check=True,
                              capture_output=True).stdout
    token, hashed = (line.split()[1] for line in
                     arka("hash-token", "--generate").splitlines())
    assert arka("hash-token", given=token + "\n").strip() == hashed
    credentials.users = {"made": {"password": arka("hash-password", given="secret\n").strip(),
                                  "tokens": [hashed]}}
    credentials.grant("made", "*", "write").save()
    server = start_server({"auth.credentials": str(credentials.path)})
    with server.connect() as client:
        assert put(client, bearer(token)) >= 1000
        assert put(client, basic("made", "secret")) >= 1000


def post_rows(server, headers, table="sales/orders"):
    """One row by HTTP; returns the status."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/tables/{table}", data=b'{"id": 1}\n', method="POST",
        headers={"Content-Type": "application/x-ndjson",
                 **{name.decode(): value.decode() for name, value in headers}})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_http_writes_need_the_same_rights(auth_server):
    with auth_server.connect() as client:
        put(client, bearer(TOKENS["writer"]))  # which makes the table
        assert post_rows(auth_server, []) == 401
        assert post_rows(auth_server, bearer("wrong")) == 401
        assert post_rows(auth_server, bearer(TOKENS["reader"])) == 403
        assert post_rows(auth_server, bearer(TOKENS["writer"]), "hr/salaries") == 403
        assert rows(client, bearer(TOKENS["reader"])) == 3, "none of these wrote"
        assert post_rows(auth_server, bearer(TOKENS["writer"])) == 200
        assert post_rows(auth_server, basic("alice", PASSWORD)) == 200
        assert rows(client, bearer(TOKENS["reader"])) == 5
