"""Exactly once: producers that number their batches, send them again, and find each there once."""

import collections
import json
import subprocess
import threading

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import golang, lake
from testbed.server import QUICK, eventually
from testbed.write_stream import WriteStream, check_order

SCHEMA = pa.schema([("seq", pa.int64()), ("text", pa.string())])


def batch(seq, rows=1):
    return pa.record_batch([pa.array([seq] * rows, pa.int64()), pa.array([f"batch {seq}"] * rows)],
                           schema=SCHEMA)


def open_stream(client, producer, table="once", until="LOCAL_DISK", **headers):
    return WriteStream(client, SCHEMA, table, headers={
        "arka-producer": producer, "arka-ack-until": until, **headers})


def send(stream, seqs):
    for seq in seqs:
        stream.write(batch(seq), json.dumps({"seq": seq}).encode())


def last_seq(client, producer, table="once"):
    body = json.dumps({"producer": producer, "table": table}).encode()
    results = list(client.do_action(flight.Action("last_seq", body)))
    assert len(results) == 1
    return json.loads(results[0].body.to_pybytes())


def seqs_in(server, table="once"):
    return collections.Counter(
        lake.read_with_pyiceberg(server, f"arka.{table}").column("seq").to_pylist())


def test_what_is_sent_again_has_its_first_lsn_and_is_there_once(server):
    with server.connect() as client:
        stream = open_stream(client, "p", until="COMMITTED")
        send(stream, [1, 2, 3, 2, 1, 4, 4])
        stream.finish()
        assert stream.lsns("MEMORY") == [1000, 1001, 1002, 1001, 1000, 1003, 1003]
        for tier in ("LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"):
            assert sorted(stream.lsns(tier)) == sorted(stream.lsns("MEMORY"))
        initial = [ack for ack in stream.acks if not ack.is_durability_update]
        assert [ack.durability_level for ack in initial] == ["MEMORY"] * 7
        assert last_seq(client, "p") == {
            "producer": "p", "table": "arka.once", "last_seq": 4, "lsn": 1003}
    assert seqs_in(server) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_producers_and_tables_count_for_themselves(server):
    with server.connect() as client:
        for producer, table in (("p", "a"), ("q", "a"), ("p", "b")):
            stream = open_stream(client, producer, table, until="COMMITTED")
            send(stream, range(1, 11))
            stream.finish()
        assert last_seq(client, "q", "arka.a")["last_seq"] == 10
        assert last_seq(client, "q", "b") == {
            "producer": "q", "table": "arka.b", "last_seq": 0, "lsn": None}
    assert set(seqs_in(server, "a").values()) == {2}
    assert set(seqs_in(server, "b").values()) == {1}


def claim(client, producer, table="once"):
    body = json.dumps({"producer": producer, "table": table}).encode()
    [result] = client.do_action(flight.Action("claim_producer", body))
    return json.loads(result.body.to_pybytes())


def test_what_an_earlier_program_of_the_name_sends_is_refused_also_after_a_kill(server):
    with server.connect() as client:
        earlier = open_stream(client, "p")
        send(earlier, [1, 2])
        eventually(lambda: earlier.lsns("LOCAL_DISK") == [1000, 1001])
        claimed = claim(client, "p")
        assert (claimed["last_seq"], claimed["lsn"]) == (2, 1001)
        later = open_stream(client, "p", **{"arka-producer-epoch": str(claimed["epoch"])})
        later.write(batch(30), b'{"seq": 3}')
        eventually(lambda: len(later.lsns("LOCAL_DISK")) == 1)
        with pytest.raises(pa.ArrowException, match="claimed by another program"):
            send(earlier, [3])
            earlier.finish()
    server.kill()
    server.start()
    with server.connect() as client:
        again = open_stream(client, "p")
        with pytest.raises(pa.ArrowException, match="claimed by another program"):
            send(again, [4])
            again.finish()
        later = open_stream(client, "p", until="COMMITTED",
                            **{"arka-producer-epoch": str(claimed["epoch"])})
        later.write(batch(30), b'{"seq": 3}')
        later.write(batch(40), b'{"seq": 4}')
        later.finish()
        assert claim(client, "p")["epoch"] > claimed["epoch"]
    assert seqs_in(server) == {1: 1, 2: 1, 30: 1, 40: 1}


def test_a_gap_names_what_is_expected_and_spares_what_came_before(server):
    with server.connect() as client:
        stream = open_stream(client, "p", until="COMMITTED")
        send(stream, [1, 2])
        stream.wait("LOCAL_DISK")
        send(stream, [9])
        error = stream.join()
        assert isinstance(error, pa.ArrowInvalid), repr(error)
        assert "batch 2" in str(error) and "9" in str(error) and "3" in str(error)
        assert stream.lsns("LOCAL_DISK") == [1000, 1001]
        again = open_stream(client, "p", until="COMMITTED")
        send(again, [3])
        again.finish()
    assert seqs_in(server) == {1: 1, 2: 1, 3: 1}


@pytest.mark.timeout(180)
def test_the_same_batches_ten_times_on_two_streams_over_kill_9_are_there_once(start_server):
    server = start_server(QUICK)
    lsn_of = {}
    count = 0

    def resend(client, upto, failures):
        try:
            stream = open_stream(client, "p", until="OBJECT_STORAGE")
            send(stream, range(1, upto + 1))
            stream.finish()
            lsns = stream.lsns("MEMORY")
            assert len(lsns) == upto
            for seq, lsn in enumerate(lsns, 1):
                assert lsn_of.setdefault(seq, lsn) == lsn, f"seq {seq} got LSN {lsn}"
            assert len(stream.lsns("OBJECT_STORAGE")) == upto
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    for life in range(5):
        with server.connect() as one, server.connect() as other:
            count += 40
            for _ in range(2):
                failures = []
                threads = [threading.Thread(target=resend, args=(client, count, failures))
                           for client in (one, other)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(60)
                assert not failures, failures
            assert last_seq(one, "p")["last_seq"] == count
        server.kill()
        server.restart()
    with server.connect() as client:
        known = last_seq(client, "p")
        assert (known["last_seq"], known["lsn"]) == (count, lsn_of[count])
    eventually(lambda: len(seqs_in(server)) == count)
    server.stop()
    assert seqs_in(server) == {seq: 1 for seq in range(1, count + 1)}


@pytest.mark.timeout(120)
def test_a_producer_that_was_cut_off_goes_on_where_last_seq_says(start_server):
    server = start_server(QUICK)
    with server.connect() as client:
        stream = open_stream(client, "p")
        try:
            for seq in range(1, 100_000):
                send(stream, [seq])
                if seq == 500:
                    stream.wait("LOCAL_DISK", 100)
                    server.kill()
        except (pa.ArrowException, flight.FlightError):
            pass
        stream.join()
        durable = len(stream.lsns("LOCAL_DISK"))
    server.restart()
    with server.connect() as client:
        known = last_seq(client, "p")["last_seq"]
        assert known >= durable >= 100
        stream = open_stream(client, "p", until="COMMITTED")
        send(stream, range(known + 1, 1001))
        stream.finish()
        assert last_seq(client, "p")["last_seq"] == 1000
    assert seqs_in(server) == {seq: 1 for seq in range(1, 1001)}


@pytest.mark.timeout(180)
def test_many_batches_sent_again_from_the_first_are_answered_fast_and_in_bounded_memory(server):
    count = 20_000
    with server.connect() as client:
        stream = open_stream(client, "p", until="COMMITTED", **{"arka-acks": "COMMITTED"})
        send(stream, range(1, count + 1))
        stream.finish(120)
        before = server.resident_mb
        again = open_stream(client, "p", until="COMMITTED")
        send(again, range(1, count + 1))
        again.finish(120)
        assert again.lsns("MEMORY") == list(range(1000, 1000 + count))
        levels = check_order(again.acks)
        assert all(len(steps) == 4 for steps in levels.values())
        assert server.resident_mb - before < 100
    assert seqs_in(server) == {seq: 1 for seq in range(1, count + 1)}


@pytest.mark.timeout(600)
@pytest.mark.skipif(golang.find_go() is None, reason="no Go toolchain: ./dev setup brings one")
def test_a_go_client_that_runs_twice_writes_once(server):
    program = golang.build("clients_go")

    def run():
        done = subprocess.run(
            [program, f"-address=localhost:{server.port}", "-writes=500", "-producer=go 1"],
            capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    first, second = run(), run()
    assert first == second
    assert first["lsns"] == list(range(1000, 1500))
    assert first["acks"]["COMMITTED"] == 500
    numbers = lake.read_with_pyiceberg(server, "arka.from_go").column("number").to_pylist()
    assert sorted(numbers) == list(range(500))
