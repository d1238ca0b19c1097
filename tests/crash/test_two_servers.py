"""Two servers that share tables: each sleeps for a while and is woken; both go by one name."""

import os
import signal
import time

import pyarrow.flight as flight
from crash.trial import SEQ
from crash.workload import SCHEMA, TABLES
from testbed.write_stream import refusal

SLEEP_SECONDS = 5  # each


def put_to_sleep(sleeper, other):
    """Stops a server, but not where that stops the other one too: with the SQLite catalog locked."""
    for _ in range(5):
        os.kill(sleeper.server.process.pid, signal.SIGSTOP)
        if other.wait_for_acks("COMMITTED", 100, 15):
            return
        os.kill(sleeper.server.process.pid, signal.SIGCONT)
        assert other.wait_for_acks("COMMITTED", 100, 60)
    raise AssertionError("no commits while the other server sleeps, five times over")


def test_a_server_that_sleeps_beside_another_finds_its_place_again(start_trial):
    first = start_trial(pause=1.0)
    streams = [(name, table, SEQ) for name in ("eve", "fay") for table in TABLES]
    second = start_trial(beside=first, node="node-2", streams=streams, pause=1.0)
    both = (first, second)

    def commits_go_on(*trials):
        return all(trial.wait_for_acks("COMMITTED", 100, 60) for trial in trials)

    assert commits_go_on(*both)
    for sleeper, other in (both, both[::-1]):
        put_to_sleep(sleeper, other)
        time.sleep(SLEEP_SECONDS)
        os.kill(sleeper.server.process.pid, signal.SIGCONT)
        assert commits_go_on(*both)
    for trial in both:
        trial.come_to_rest()
    print(dict(first.check()))


def test_a_second_server_by_the_same_name_is_refused_the_tables_of_the_first(start_trial):
    first = start_trial(pause=1.0)
    assert first.wait_for_acks("COMMITTED", 100, 60)
    second = start_trial(beside=first, node="second", streams=[], settings={
        "server.node_id": "node-1"})
    with second.server.connect() as client:
        error = refusal(client, SCHEMA, TABLES[0])
    assert isinstance(error, flight.FlightUnavailableError)
    assert "server.node_id" in str(error)
    assert first.wait_for_acks("COMMITTED", 100, 60)
    print(dict(first.finish()))
