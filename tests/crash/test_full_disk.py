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
            trial = start_trial(settings=full_disk.SETTINGS, parent=mounted.path, pause=0.02)
            full_disk.full_cycles(trial, mounted, CYCLES, print)
            figures = trial.finish()
    except PermissionError as error:
        pytest.skip(str(error))
    print(dict(figures))
    assert figures["kills"] == 0


@pytest.mark.timeout(400)
def test_a_log_that_grows_faster_than_it_is_committed_leaves_room_for_what_frees_it(
        start_trial, tmp_path):
    settings = {**full_disk.SETTINGS, "wal.keep_free_bytes": "16MB",
                "durability.s3_upload_interval": "3s", "durability.iceberg_commit_interval": "4s",
                "write_buffer.max_buffer_size": "64MB"}
    try:
        with small_disk(tmp_path, 96) as mounted:
            trial = start_trial(settings=settings, parent=mounted.path, pause=0)
            assert trial.wait_for_acks("COMMITTED", 5_000, 60)
            assert "writes wait" in trial.server.log()
            figures = trial.finish()
    except PermissionError as error:
        pytest.skip(str(error))
    assert figures["kills"] == 0
