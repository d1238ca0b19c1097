"""The disk answers EIO to a write or a sync of the log: from then on nothing is acknowledged."""

import time
import urllib.error
import urllib.request

import pytest
from crash.shim import Shim
from testbed.server import eventually


def readiness(server):
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("fault", ["fail_syncs", "fail_writes"])
def test_after_an_error_of_the_log_nothing_is_acknowledged_until_a_restart(
        start_trial, tmp_path, fault):
    shim = Shim(tmp_path)
    trial = start_trial(env=shim.environment, pause=0.1)
    levels = ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")

    def acks():
        return [sum(p.acks_of(level) for p in trial.producers) for level in levels]

    assert trial.wait_for_acks("COMMITTED", 100, 30)
    assert readiness(trial.server)[0] == 200
    shim.set(fault, 1)
    code, why = eventually(lambda: (r := readiness(trial.server))[0] == 503 and r, timeout=30)
    assert shim.get("failures") > 0
    assert "log" in why or "wal" in why, why
    shim.set(fault, 0)  # a disk that seems well again has forgotten what it could not write
    eventually(lambda: trial.idle, timeout=30)
    before = acks()
    time.sleep(2)
    assert acks() == before, "acknowledged by a server whose log is broken"
    assert readiness(trial.server)[0] == 503
    trial.kill()
    trial.restart()
    assert readiness(trial.server)[0] == 200
    assert trial.wait_for_acks("COMMITTED", 100, 30)
    print(code, why, dict(trial.finish()))
