"""Death at every step of log, upload and commit, once before it and once after its effect."""

import pytest
from crash import kill_points


@pytest.mark.timeout(600)
def test_death_at_any_step_of_upload_and_commit_loses_and_doubles_nothing(start_trial):
    trial = start_trial(pause=0.2, server_too=False)
    missed = kill_points.die_everywhere(trial, print)
    trial.restart()
    print(dict(trial.finish()))
    assert not missed, f"seed {trial.seed}: these points were not reached: {missed}"
