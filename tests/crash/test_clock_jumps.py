"""A wall clock that jumps."""

import pytest
from crash import clock_jumps
from crash.shim import Shim

CYCLES = 50


@pytest.mark.timeout(400)
def test_a_clock_that_jumps_changes_neither_lsns_nor_rows(start_trial, tmp_path):
    shim = Shim(tmp_path)
    trial = start_trial(env=shim.environment, pause=0.3)
    clock_jumps.jump_cycles(trial, shim, CYCLES, print)
    print(dict(trial.finish()))
