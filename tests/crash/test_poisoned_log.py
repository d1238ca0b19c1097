"""The disk answers EIO to a write or a sync of the log: from then on nothing is acknowledged."""

import json
import time
import urllib.error
import urllib.request

import pytest
from crash.producer import Kind
from crash.shim import Shim
from testbed.server import eventually


def readiness(server):
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def status(server):
    with urllib.request.urlopen(f"{server.url}/api/v1/status", timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("fault", ["fail_syncs", "fail_writes"])
def test_after_an_error_of_the_log_nothing_is_acknowledged_until_a_restart(
        start_trial, tmp_path, fault):
    shim = Shim(tmp_path)
    trial = start_trial(env=shim.environment, pause=0.1)
    levels = ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")

    def acks():
        """Without those of producers with seq: what they send again is answered with the truth of old."""
        return [sum(p.acks_of(level) for p in trial.producers if p.kind is not Kind.EXACTLY_ONCE)
                for level in levels]

    assert trial.wait_for_acks("COMMITTED", 100, 30)
    assert readiness(trial.server)[0] == 200
    shim.set(fault, 1)
    code, why = eventually(lambda: (r := readiness(trial.server))[0] == 503 and r, timeout=30)
    assert shim.get("failures") > 0
    assert "log" in why or "wal" in why, why
    shim.set(fault, 0)  # a disk that seems well again has forgotten what it could not write
    disk_lsn = status(trial.server)["disk_lsn"]
    time.sleep(1)  # for what was on its way
    before = acks()
    time.sleep(2)
    assert acks() == before, "acknowledged by a server whose log is broken"
    assert status(trial.server)["disk_lsn"] == disk_lsn
    assert max(trial.history.durable_lsns()) <= disk_lsn
    assert readiness(trial.server)[0] == 503
    trial.kill()
    trial.restart()
    assert readiness(trial.server)[0] == 200
    assert trial.wait_for_acks("COMMITTED", 100, 30)
    print(code, why, dict(trial.finish()))
