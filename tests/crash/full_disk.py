"""The disk fills up, is freed, and the server goes on by itself: no restart, nothing lost."""

import time

from crash.history import Violation

MEGABYTES = 192
SETTINGS = {
    "server.max_batch_bytes": "2MB",
    "wal.segment_size": "4MB",
    "wal.recycled_segments": "1",
    "wal.keep_free_bytes": "48MB",  # the tables are on this disk too
    "write_buffer.admission_timeout": "1s",
}


def full_cycles(trial, disk, cycles, say=lambda text: None):
    """Fills and frees the disk under the trial's data directory `cycles` times."""
    for cycle in range(1, cycles + 1):
        trial.wait_for_acks("COMMITTED", 50, 20)
        disk.fill()
        stalled = _wait_for_stall(trial, disk)
        time.sleep(trial.rng.uniform(0.1, 2))
        disk.free()
        began = time.monotonic()
        if not trial.wait_for_acks("COMMITTED", 50, 60):
            raise Violation(f"no commits {time.monotonic() - began:.0f} s after the disk was freed")
        trial.history.raise_violations()
        if trial.server.process.poll() is not None:
            raise Violation("the server died of a full disk")
        say(f"cycle {cycle}/{cycles}: full, nothing durable any more after {stalled:.1f} s, commits "
            f"{time.monotonic() - began:.1f} s after it was freed, {trial.history.sends} writes, "
            f"{trial.history.acks} acks")


def _wait_for_stall(trial, disk):
    """Until no write becomes durable any more: first the segments in hand are used up."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        disk.fill()  # what was deleted since
        if not trial.wait_for_acks("LOCAL_DISK", 1, 1.5):
            return time.monotonic() - began
    raise Violation("writes became durable for 60 s on a disk without a free byte")
