"""A disk that fills up and is freed while clients write."""

import pytest
from crash import full_disk
from testbed.small_disk import small_disk

CYCLES = 3


@pytest.mark.timeout(400)
def test_a_disk_that_fills_and_is_freed_stops_the_server_only_for_that_time(start_trial, tmp_path):
    try:
        disk = small_disk(tmp_path, full_disk.MEGABYTES)
        with disk as mounted:
            trial = start_trial(settings=full_disk.SETTINGS, parent=mounted.path, pause=0.1)
            full_disk.full_cycles(trial, mounted, CYCLES, print)
            figures = trial.finish()
    except PermissionError as error:
        pytest.skip(str(error))
    print(dict(figures))
    assert figures["kills"] == 0
