"""start_trial: a Trial whose seed is printed, whose server is shown and kept where it fails."""

import os
import time

import pytest
from crash.trial import Trial


@pytest.fixture
def start_trial(request, tmp_path):
    """start_trial(settings=…, …) -> a started Trial; ARKA_CRASH_SEED repeats a run."""
    request.node.servers = []
    trials = []

    def start(*, server_too=True, parent=tmp_path, **options):
        seed = int(os.environ.get("ARKA_CRASH_SEED", time.time_ns() % 1_000_000))
        directory = parent / f"trial-{len(trials)}" / "data"
        print(f"again: ARKA_CRASH_SEED={seed}; the data directory is {directory}")
        trial = Trial(directory, seed, **options)
        trials.append(trial)
        trial.start(server_too=server_too)
        request.node.servers.append(trial.server)
        return trial

    yield start
    for trial in trials:
        trial.close()
