"""What an AckTracker says of LSNs, also of those that a crash took."""

import pytest

import arka
from arka.acks import Ack
from arka.levels import Level


@pytest.fixture
def tracker():
    """Three writes are in MEMORY as 1000, 1001, 1002; the first is on disk."""
    made = arka.AckTracker()
    hear(made, "MEMORY", (1, 1000), (2, 1001), (3, 1002))
    hear(made, "LOCAL_DISK", (1, 1000))
    return made


def hear(tracker, level, *writes):
    for seq, lsn in writes:
        tracker.on_ack(Ack(lsn, Level[level], seq))


def levels(tracker, *lsns):
    return [None if level is None else level.name for level in map(tracker.level_of, lsns)]


def test_levels_of_lsns(tracker):
    assert levels(tracker, 1000, 1001, 1002, 1003) == ["LOCAL_DISK", "MEMORY", "MEMORY", None]
    with pytest.raises(arka.DeadlineExceeded):
        tracker.wait_all_durable([1000, 1001], "LOCAL_DISK", timeout=0.01)
    hear(tracker, "LOCAL_DISK", (2, 1001))
    tracker.wait_all_durable([1000, 1001], "LOCAL_DISK", timeout=0.01)


def test_an_lsn_that_a_crash_took_waits_for_the_write_that_had_it(tracker):
    hear(tracker, "MEMORY", (2, 1005))
    for level in ("LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"):
        hear(tracker, level, (2, 1005))
    assert levels(tracker, 1001, 1002, 1005) == [None, None, "COMMITTED"]  # write 3 is nowhere yet
    hear(tracker, "MEMORY", (3, 1006))
    hear(tracker, "LOCAL_DISK", (3, 1006))
    assert levels(tracker, 1000, 1001, 1002, 1006) == ["COMMITTED"] + ["LOCAL_DISK"] * 3
    for level in ("OBJECT_STORAGE", "COMMITTED"):
        hear(tracker, level, (3, 1006))
    assert levels(tracker, 1001, 1002, 1006) == ["COMMITTED"] * 3 and not tracker._lost


def test_a_second_crash_before_all_had_names_again(tracker):
    hear(tracker, "MEMORY", (2, 1005), (2, 1007))
    hear(tracker, "LOCAL_DISK", (2, 1007))
    assert levels(tracker, 1001, 1002, 1005, 1007) == [None, None, None, "LOCAL_DISK"]
    hear(tracker, "MEMORY", (3, 1008))
    hear(tracker, "LOCAL_DISK", (3, 1008))
    assert levels(tracker, 1001, 1002, 1005, 1007) == ["LOCAL_DISK"] * 4


def test_a_producer_that_the_server_forgot_counts_from_1_again(tracker):
    hear(tracker, "MEMORY", (1, 1005))  # write 2
    assert levels(tracker, 1000, 1001, 1002, 1005) == ["COMMITTED", None, None, "MEMORY"]
    hear(tracker, "MEMORY", (2, 1006))
    hear(tracker, "LOCAL_DISK", (1, 1005), (2, 1006))
    assert levels(tracker, 1001, 1002, 1005) == ["LOCAL_DISK"] * 3
