"""Sessions: what a client that was cut off can learn about its writes when it is back."""

import collections
import datetime
import json

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed.server import eventually
from testbed.write_stream import TIERS, ResponseHeaders, WriteStream

SCHEMA = pa.schema([("id", pa.int64())])


def batch(number):
    return pa.record_batch([pa.array([number])], schema=SCHEMA)


def ask(client, action, **body):
    return [json.loads(result.body.to_pybytes())
            for result in client.do_action(flight.Action(action, json.dumps(body).encode()))]


def events_of(client, session, **body):
    """{LSN: [levels in their order]} of a session."""
    found = collections.defaultdict(list)
    for result in ask(client, "durability_status", session=session, **body):
        assert len(result["events"]) <= 1000
        for event in result["events"]:
            assert event["is_durability_update"] == (event["durability_level"] != "MEMORY")
            assert datetime.datetime.fromisoformat(event["timestamp"]).tzinfo is not None
            assert (event["snapshot_id"] is not None) <= (event["durability_level"] == "COMMITTED")
            found[event["lsn"]].append(event["durability_level"])
    return dict(found)


def levels_of(client, lsns):
    return [level for result in ask(client, "durability_status", lsns=lsns)
            for level in result["levels"]]


def write_and_vanish(server, session, count, table="t"):
    """Writes, reads nothing but the MEMORY acks, and is gone; answers the LSNs."""
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA, table, headers={"arka-session": session})
        for number in range(count):
            stream.write(batch(number))
        stream.wait("MEMORY")
        stream.reader.cancel()
        stream.join()
        return stream.lsns("MEMORY")


def test_a_client_that_is_back_hears_what_it_missed(server):
    lsns = write_and_vanish(server, "till 4", 50)
    with server.connect() as client:
        events = events_of(client, "till 4", until="COMMITTED")
        assert sorted(events) == lsns
        assert set(map(tuple, events.values())) == {TIERS}
        above = events_of(client, "till 4", after_lsn=lsns[-1], until="COMMITTED")
        assert set(above) <= set(lsns)
        for levels in above.values():  # the ones that came when the stream was gone, or just before
            assert tuple(levels) == TIERS[-len(levels):]
            assert levels[-1] == "COMMITTED"


def test_a_session_that_the_server_named_can_be_asked_for(server):
    headers = ResponseHeaders()
    with server.connect(middleware=[headers]) as client:
        stream = WriteStream(client, SCHEMA, "t")
        stream.write(batch(0))
        stream.wait("COMMITTED")
        stream.finish()
        session = headers.received["arka-session"][0]
        assert events_of(client, session) == {1000: list(TIERS)}


def test_two_streams_share_a_session(server):
    first = write_and_vanish(server, "shared", 10, "one")
    second = write_and_vanish(server, "shared", 10, "two")
    with server.connect() as client:
        events = events_of(client, "shared", until="COMMITTED")
    assert sorted(events) == sorted(first + second)
    assert set(map(tuple, events.values())) == {TIERS}


def test_a_session_that_is_unknown_or_over_is_explained(start_server):
    server = start_server({"acks.retention": "500ms", "durability.iceberg_commit_interval": "100ms"})
    lsns = write_and_vanish(server, "short", 5)
    with server.connect() as client:
        with pytest.raises(KeyError, match="acks.retention"):
            ask(client, "durability_status", session="nobody")

        def is_over():
            try:
                events_of(client, "short")
                return False
            except KeyError:
                return True

        eventually(is_over)
        assert {level["durability_level"] for level in levels_of(client, lsns)} == {"COMMITTED"}


@pytest.mark.timeout(120)
def test_after_kill_9_sessions_are_gone_and_levels_are_still_known(start_server):
    server = start_server({"durability.iceberg_commit_interval": "1h"})
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA, "t", headers={"arka-session": "s"})
        for number in range(20):
            stream.write(batch(number))
        durable = [ack.lsn for ack in stream.wait("OBJECT_STORAGE")]
        server.kill()
        stream.join()
    server.restart()
    with server.connect() as client:
        with pytest.raises(KeyError, match="last_seq"):
            ask(client, "durability_status", session="s")
        for level in levels_of(client, durable):
            assert level["lost"] is False
            assert TIERS.index(level["durability_level"]) >= TIERS.index("OBJECT_STORAGE")
        stream = WriteStream(client, SCHEMA, "t", headers={"arka-ack-until": "COMMITTED"})
        stream.write(batch(20))
        next_lsn = stream.wait("MEMORY")[0].lsn
        for level in levels_of(client, [durable[-1] + 1, next_lsn - 1]):
            assert level["lost"] is True, "between two lives of the server"
            assert level["durability_level"] is None
        with pytest.raises(KeyError, match=str(next_lsn + 5)):
            levels_of(client, [next_lsn, next_lsn + 5])


def test_sessions_and_status_can_be_listed(server):
    write_and_vanish(server, "gone", 3)
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA, "t", headers={"arka-session": "here"})
        stream.write(batch(3))
        stream.wait("COMMITTED")
        (listed,) = ask(client, "list_sessions")
        sessions = {session["session"]: session for session in listed["sessions"]}
        assert sessions["here"] == {
            "session": "here", "open_streams": 1, "ended_streams": 0, "last_lsn": 1003}
        assert sessions["gone"]["last_lsn"] == 1002
        (status,) = client.do_action("status")
        assert json.loads(status.body.to_pybytes())["committed_lsn"] == 1003
        stream.finish()


def test_list_actions_describes_what_there_is(server):
    with server.connect() as client:
        actions = {action.type: action.description for action in client.list_actions()}
    assert set(actions) >= {"last_seq", "durability_status", "flush", "commit", "status",
                            "list_sessions"}
    assert all(len(description) > 20 for description in actions.values())
