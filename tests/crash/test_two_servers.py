"""Two servers that share tables: one that sleeps and comes back, and two that go by one name."""

import os
import signal
import time

import pytest
from crash.producer import Kind
from crash.trial import Trial
from crash.workload import TABLES
from testbed import lake

SLEEP_SECONDS = 10


def beside(trial, directory, seed, names, **settings):
    """A second trial: another data directory and other producers, the first one's tables."""
    streams = [(name, table, Kind.AT_LEAST_ONCE) for name in names for table in TABLES]
    return Trial(directory / "second" / "data", seed, streams=streams, pause=0.2, settings={
        "catalog.uri": str(trial.directory / "catalog.db"),
        "catalog.warehouse": f"file://{trial.directory}/warehouse", **settings})


def test_a_server_that_sleeps_beside_another_finds_its_place_again(start_trial, tmp_path):
    first = start_trial(pause=0.2)
    with beside(first, tmp_path, first.seed + 1, ("dot", "eve"), **{"server.node_id": "node-2"}) as second:
        second.start()
        for trial in (first, second):
            assert trial.wait_for_acks("COMMITTED", 100, 30)
        for sleeper, other in ((first, second), (second, first)):
            os.kill(sleeper.server.process.pid, signal.SIGSTOP)
            assert other.wait_for_acks("COMMITTED", 100, 30)
            time.sleep(SLEEP_SECONDS / 2)
            os.kill(sleeper.server.process.pid, signal.SIGCONT)
            for trial in (first, second):
                assert trial.wait_for_acks("COMMITTED", 100, 30)
        print(finish_both(first, second))


def finish_both(first, second):
    """Both trials' figures; each is checked against its own producers' rows."""
    return [dict(trial.finish()) for trial in (first, second)]
