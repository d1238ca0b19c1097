"""What an AckLedger takes, and what it refuses to believe."""

import pyarrow as pa
import pytest

from arka.acks import AckLedger
from arka.errors import ProtocolViolation
from arka.levels import Level

UTC = pa.timestamp("us", tz="UTC")


def acks(*rows):
    """(LSN, level) is an ack, (s3_lsn, committed_lsn) after "watermark" a watermark row."""
    columns = [[] for _ in range(9)]
    for row in rows:
        mark = row[0] == "watermark"
        values = (9999, "MEMORY", False, 7, True, 0, row[1], row[2], None) if mark else (
            row[0], row[1], row[1] != "MEMORY", 7, False, None, None, None,
            5 if row[1] == "COMMITTED" else None)
        for column, value in zip(columns, values):
            column.append(value)
    types = [pa.int64(), pa.string(), pa.bool_(), UTC, pa.bool_(), *[pa.int64()] * 4]
    return pa.record_batch([pa.array(c, t) for c, t in zip(columns, types)],
                           names=["lsn", "durability_level", "is_durability_update", "timestamp",
                                  "is_watermark_update", "disk_lsn", "s3_lsn", "committed_lsn",
                                  "snapshot_id"])


@pytest.fixture
def ledger():
    """Three writes were sent."""
    made = AckLedger()
    for write in range(1, 4):
        made.written(float(write))
        made.sent(write)
    return made


def test_levels_count_upwards_each_by_itself(ledger):
    ledger.take(acks((1000, "MEMORY"), (1002, "MEMORY"), (1000, "LOCAL_DISK")))
    assert ledger.reached == [2, 1, 0, 0] and ledger.reached_lsn == [1002, 1000, 0, 0]
    ledger.take(acks((1002, "LOCAL_DISK"), (1000, "OBJECT_STORAGE"), (1000, "COMMITTED")))
    assert ledger.reached == [2, 2, 1, 1]
    assert (ledger.oldest_below(Level.COMMITTED), ledger.oldest_below(Level.MEMORY)) == (2.0, 3.0)


@pytest.mark.parametrize("lie, words", [
    ([(lsn, "MEMORY") for lsn in range(1000, 1004)], "nothing was sent"),
    ([(1000, "MEMORY")] * 2, "after LSN 1000"),
    ([(1001, "MEMORY"), (1000, "MEMORY")], "after LSN 1001"),
    ([(1000, "LOCAL_DISK")], "not at MEMORY"),
    ([(1000, "MEMORY"), (1000, "OBJECT_STORAGE")], "not at LOCAL_DISK"),
    ([(1000, "MEMORY"), (1001, "LOCAL_DISK")], "where LSN 1000 was due"),
    ([(1000, "MEMORY"), (1000, "LOCAL_DISK"), (1000, "LOCAL_DISK")], "not at MEMORY"),
    ([(1000, "PAPER")], "'PAPER'"),
])
def test_an_ack_that_cannot_be_is_a_violation(ledger, lie, words):
    with pytest.raises(ProtocolViolation, match=words):
        ledger.take(acks(*lie))


def test_after_a_reconnect_memory_counts_from_what_is_on_disk(ledger):
    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY"), (1000, "LOCAL_DISK")))
    assert ledger.begin() == 2
    assert ledger.reached == [1, 1, 0, 0]
    with pytest.raises(ProtocolViolation, match="nothing was sent"):
        ledger.take(acks((1001, "MEMORY")))
    ledger.sent(2)
    ledger.take(acks((1005, "MEMORY"), (1005, "LOCAL_DISK")))  # a crash took LSN 1001
    assert ledger.reached == [2, 2, 0, 0] and ledger.lsn_of(2) == 1005


def test_an_lsn_that_a_crash_took_stands_for_the_last_write_that_lost_its_own(ledger):
    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY"), (1002, "MEMORY"), (1000, "LOCAL_DISK")))
    assert [ledger.number_of(lsn) for lsn in (999, 1000, 1001, 1002, 1003)] == [None, 1, 2, 3, None]
    ledger.begin()
    ledger.sent(2)
    ledger.take(acks((1005, "MEMORY"), (1005, "LOCAL_DISK"), (1005, "OBJECT_STORAGE")))
    assert [ledger.number_of(lsn) for lsn in (1000, 1001, 1002, 1005)] == [1, 3, 3, 2]
    ledger.begin()  # before write 3 had a name again
    ledger.sent(3)
    ledger.take(acks((1006, "MEMORY")))
    assert [ledger.number_of(lsn) for lsn in (1001, 1002, 1005, 1006, 1007)] == [3, 3, 2, 3, None]


def test_a_crash_that_left_less_than_the_one_before_brings_no_write_forward(ledger):
    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY"), (1002, "MEMORY")))
    ledger.begin()
    ledger.sent(1)
    ledger.take(acks((1005, "MEMORY")))
    ledger.begin()
    assert [ledger.number_of(lsn) for lsn in (1000, 1002, 1005)] == [3, 3, 3]


def test_a_new_write_has_a_new_lsn_and_a_retry_may_share_one(ledger):
    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY")))
    with pytest.raises(ProtocolViolation, match="after LSN 1001"):
        ledger.take(acks((1001, "MEMORY")))
    ledger.begin()
    for write in (1, 2, 3):
        ledger.sent(write)
    ledger.take(acks((1001, "MEMORY"), (1001, "MEMORY"), (1002, "MEMORY")))
    ledger.written(4.0)
    ledger.sent(4)
    with pytest.raises(ProtocolViolation, match="after LSN 1002"):
        ledger.take(acks((1002, "MEMORY")))


def test_memory_is_told_again_only_under_another_lsn(ledger):
    heard = []
    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY")))
    ledger.begin()
    for write in (1, 2, 3):
        ledger.sent(write)
    ledger.take(acks((1000, "MEMORY"), (1004, "MEMORY"), (1005, "MEMORY")),
                lambda *event: heard.append(event[:3]))
    assert heard == [(2, 1004, 0), (3, 1005, 0)]


def test_a_watermark_cannot_bring_a_level_without_the_one_below(ledger):
    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY"), (1000, "LOCAL_DISK"), (1001, "LOCAL_DISK")))
    ledger.begin()
    ledger.take(acks(("watermark", 1000, 1001)))
    assert ledger.reached == [2, 2, 1, 1]


def test_watermarks_speak_for_the_writes_of_earlier_connections_only(ledger):
    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY"), (1000, "LOCAL_DISK"), (1001, "LOCAL_DISK")))
    ledger.take(acks(("watermark", 1001, 1001)))
    assert ledger.reached == [2, 2, 0, 0]
    ledger.begin()
    ledger.sent(3)
    ledger.take(acks((1002, "MEMORY"), ("watermark", 1002, 1000)))
    assert ledger.reached == [3, 2, 2, 1]


def test_who_listens_hears_of_every_level_of_every_write_once(ledger):
    heard = []

    def tell(*event):
        heard.append(event)

    ledger.take(acks((1000, "MEMORY"), (1001, "MEMORY"), (1000, "LOCAL_DISK"), (1001, "LOCAL_DISK"),
                     (1000, "OBJECT_STORAGE")), tell)
    ledger.begin()
    ledger.sent(3)
    ledger.take(acks((1002, "MEMORY"), ("watermark", 1001, 999), (1002, "LOCAL_DISK"),
                     (1002, "OBJECT_STORAGE"), (1002, "COMMITTED")), tell)
    assert [(write, level) for write, _, level, _, _ in heard] == [
        (1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (3, 0), (2, 2), (3, 1), (3, 2), (1, 3), (2, 3), (3, 3)]
    assert heard[-1] == (3, 1002, 3, 7, 5) and heard[0] == (1, 1000, 0, 7, None)


def test_what_is_committed_is_forgotten():
    ledger = AckLedger()
    lsn = 1000
    for _ in range(10):
        for write in range(ledger.reached[0] + 1, ledger.reached[0] + 1001):
            ledger.written(0.0)
            ledger.sent(write)
        for level in Level:
            ledger.take(acks(*[(lsn + n, level.name) for n in range(1000)]))
        ledger.trim()
        lsn += 1000
    assert len(ledger._lsns) == len(ledger._written_at) <= 5000
    assert ledger.reached == [10_000] * 4 and ledger.reached_lsn == [lsn - 1] * 4
