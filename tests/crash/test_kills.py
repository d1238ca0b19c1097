"""kill -9 at random moments under load, also while the server recovers from the last one."""

import pytest
from crash import kills

CYCLES = 20


@pytest.mark.timeout(600)
def test_kill_9_loses_nothing_acknowledged_and_repeats_nothing(start_trial):
    trial = start_trial()
    kills.kill_cycles(trial, CYCLES, print)
    figures = trial.finish()
    print(dict(figures))
    assert figures["kills"] >= CYCLES
    assert figures["writes"] > 100 * CYCLES, "too little was written for this to say anything"
    assert figures["committed acks"] > 0
