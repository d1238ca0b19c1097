"""What becomes of a session's writes, as server-sent events: GET /api/v1/acks/{session}."""

import collections
import concurrent.futures
import subprocess

import pyarrow as pa
from testbed.http import AckListener, post_rows, request, stream_of
from testbed.server import eventually
from testbed.write_stream import WriteStream

LEVELS = ["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"]


def ids(first):
    return stream_of(pa.record_batch([pa.array([first])], names=["id"]))


def every_level(lsns):
    return {(lsn, level): 1 for lsn in lsns for level in LEVELS}


def test_every_write_is_told_every_level_once(server):
    post_rows(server, "sales.orders", ids(0), arka_session="s")
    listener = AckListener(server, "s")
    assert listener.response.status == 200
    assert listener.response.getheader("content-type") == "text/event-stream"
    lsns = [post_rows(server, table, ids(i), arka_session="s").json["last_lsn"]
            for i in range(1, 20) for table in ("sales.orders", "sales.returns")]
    eventually(lambda: len(listener.told()) >= 4 * 39)
    assert collections.Counter(listener.told()) == every_level([1000, *lsns])
    by_lsn = collections.defaultdict(list)
    for lsn, level in listener.told():
        by_lsn[lsn].append(level)
    assert all(levels == LEVELS for levels in by_lsn.values())
    snapshots = [e for e in listener.events if e["durability_level"] == "COMMITTED"]
    assert all(event["snapshot_id"] for event in snapshots)


def test_flights_streams_are_heard_too(server, client):
    batch = pa.record_batch([pa.array([1])], names=["id"])
    stream = WriteStream(client, batch.schema, headers={"arka-session": "f"})
    stream.write(batch)
    stream.wait("LOCAL_DISK")
    listener = AckListener(server, "f")
    for _ in range(5):
        stream.write(batch)
    stream.wait("COMMITTED")
    stream.finish()
    eventually(lambda: len(listener.told()) >= 24)
    assert collections.Counter(listener.told()) == every_level(range(1000, 1006))


def test_who_comes_back_misses_nothing(server):
    post_rows(server, "sales.orders", ids(0), arka_session="s")
    heard, last_id, headers = [], None, {}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        writes = pool.submit(lambda: [
            post_rows(server, "sales.orders", ids(i), arka_session="s") for i in range(100)])
        while not writes.done():
            listener = AckListener(server, "s", **headers)
            eventually(lambda: listener.ids)
            listener.close()
            heard += listener.told()
            last_id = listener.ids[-1]
            headers = {"Last_Event_ID": last_id}
    listener = AckListener(server, "s", **headers)
    expected = set(every_level(range(1000, 1101)))
    eventually(lambda: set(heard + listener.told()) >= expected)
    assert set(heard + listener.told()) == expected


def test_what_was_heard_long_ago_is_not_told_again(server):
    for i in range(10):
        post_rows(server, "sales.orders", ids(i), arka_session="s")
    first = AckListener(server, "s")
    eventually(lambda: len(first.told()) == 40)
    # A position lags a second behind; the next event has one from after the commits.
    eventually(lambda: post_rows(server, "sales.orders", ids(0), arka_session="s")
               and first.ids and int(first.ids[-1].split(".")[3]) >= 1009, every=0.5)
    again = AckListener(server, "s", Last_Event_ID=first.ids[-1])
    eventually(lambda: again.told())
    assert min(lsn for lsn, _ in again.told()) > 1009


def test_a_session_that_is_not_there_and_ids_that_are_none(server):
    answer = request(server, "GET", "/api/v1/acks/nobody")
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    post_rows(server, "sales.orders", ids(0), arka_session="s")
    for bad in ("x", "1.2.3", "1.2.3.4.5", "-1.2.3.4", "1.2.3.99999999999999999999"):
        assert request(server, "GET", "/api/v1/acks/s", Last_Event_ID=bad).status == 400
    assert request(server, "POST", "/api/v1/acks/s").status == 405


def test_a_listener_is_told_the_commits_of_the_end_and_then_ended(slow_server):
    post_rows(slow_server, "sales.orders", ids(0), arka_session="s")
    listener = AckListener(slow_server, "s")
    eventually(lambda: len(listener.told()) >= 2)
    slow_server.stop()
    eventually(lambda: listener.ended)
    assert collections.Counter(listener.told()) == every_level([1000])


def test_curl_listens_over_http2(server):
    post_rows(server, "sales.orders", ids(0), arka_session="s", arka_acks="COMMITTED")
    done = subprocess.run(["curl", "-sN", "--http2-prior-knowledge", "--max-time", "1",
                           f"{server.url}/api/v1/acks/s"], capture_output=True, timeout=30)
    assert done.stdout.count(b'"lsn":1000') == 4


def test_listeners_that_go_are_let_go_of(server):
    post_rows(server, "sales.orders", ids(0), arka_session="s")
    for _ in range(50):
        AckListener(server, "s").close()
    before = server.resident_mb
    for _ in range(200):
        AckListener(server, "s").close()
    assert server.resident_mb < before + 20
    assert request(server, "GET", "/healthz").status == 200
