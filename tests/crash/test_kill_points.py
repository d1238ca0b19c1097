"""Death at every step of log, upload and commit, once before it and once after its effect."""

import pytest
from crash import kill_points


@pytest.mark.timeout(600)
@pytest.mark.parametrize("points_of", [kill_points.creation_points, kill_points.all_other_points])
def test_death_at_any_step_loses_and_doubles_nothing(start_trial, points_of):
    trial = start_trial(pause=0.3, server_too=False)
    missed = kill_points.die_everywhere(trial, points_of(trial.rng), print)
    trial.restart()
    print(dict(trial.finish()))
    assert not missed, f"seed {trial.seed}: these points were not reached: {missed}"
