"""The oracle is tested too: for every kind of broken promise it says which one was broken."""

import types

import pytest
from crash import oracle
from crash.connection import Ack
from crash.history import History, Violation
from crash.oracle import TableContents
from crash.workload import Workload

WORKLOAD = Workload(1)
LEVELS = ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")


def acks(lsn, levels=LEVELS, snapshot=7):
    return [Ack(0.0, lsn, level, level != "MEMORY", snapshot if level == "COMMITTED" else None)
            for level in levels]


def heard(*connections, exactly_once=True):
    """A History of connections of one producer, ([numbers sent], [acks]) each."""
    history = History()
    for sent, received in connections:
        history.add("orders", "ann", types.SimpleNamespace(opened=0.0, sent=sent, acks=received),
                    exactly_once=exactly_once)
    return history


def held(*numbers, snapshots=(7,), brought_by=7):
    """What a table with these writes of ann would show; `snapshots` in their order."""
    contents = TableContents.__new__(TableContents)
    contents.rows = WORKLOAD.table("orders", [("ann", n) for n in numbers])
    contents.copies = oracle.collections.Counter(("ann", n) for n in numbers)
    contents.snapshots_of = {("ann", n): {brought_by} for n in numbers}
    contents.place_of = {snapshot: place for place, snapshot in enumerate(snapshots)}
    return contents


def check(history, contents):
    history.raise_violations()
    writes = history.writes["orders", "ann"]
    writes = {("ann", number): write for number, write in writes.items()}
    oracle._check_copies("orders", contents, writes, history.exactly_once)
    oracle._check_order("orders", writes, history.exactly_once)
    oracle._check_values("orders", contents, WORKLOAD)
    contents.table = None
    oracle._check_snapshots("orders", contents, writes, types.SimpleNamespace(sample=lambda *_: []))


def test_what_is_as_promised_passes():
    check(heard(([1, 2], acks(1000) + acks(1001))), held(1, 2))


def test_a_write_that_was_only_in_memory_may_be_lost():
    check(heard(([1], acks(1000, ("MEMORY",)))), held())


def test_a_retry_that_is_answered_with_the_first_lsn_passes():
    check(heard(([1, 2], acks(1000)), ([1, 2], acks(1000) + acks(1001))), held(1, 2))


def test_a_write_that_was_lost_before_it_was_durable_may_get_another_lsn():
    check(heard(([1], acks(1000, ("MEMORY",))), ([1], acks(1001))), held(1))


def test_a_late_resend_may_bring_an_lsn_below_those_already_known():
    check(heard(([1, 2], []), ([3], acks(1002)), ([1, 2, 3], acks(1000) + acks(1001))),
          held(1, 2, 3))


def test_a_write_sent_twice_without_seq_may_be_there_twice():
    check(heard(([1], acks(1000)), ([1], acks(1001)), exactly_once=False), held(1, 1))


@pytest.mark.parametrize("broken, history, contents", [
    ("are lost", heard(([1, 2], acks(1000) + acks(1001, LEVELS[:2]))), held(1)),
    ("are doubled", heard(([1], acks(1000)), ([1], acks(1000))), held(1, 1)),
    ("are doubled", heard(([1], acks(1000)), exactly_once=False), held(1, 1)),
    ("nobody sent", heard(([1], acks(1000))), held(1, 2)),
    ("was given again", heard(([1], acks(1000)), ([2], acks(1000))), held(1, 2)),
    ("do not increase", heard(([1, 2], acks(1001) + acks(1000))), held(1, 2)),
    ("do not increase", heard(([1], acks(1001)), ([2], acks(1000))), held(1, 2)),
    ("with the seq", heard(([1, 2], []), ([1, 2], acks(1001) + acks(1000))), held(1, 2)),
    ("has LSN 1000 for write 2", heard(([2], []), ([1], acks(1001)), ([2], acks(1000))), held(1, 2)),
    ("a retry got", heard(([1], acks(1000)), ([1], acks(1001))), held(1)),
    ("after MEMORY", heard(([1], acks(1000, ("MEMORY", "COMMITTED")))), held(1)),
    ("after nothing", heard(([1], acks(1000, ("LOCAL_DISK", "MEMORY")))), held(1)),
    ("after LOCAL_DISK", heard(([1], acks(1000, ("MEMORY", "LOCAL_DISK", "MEMORY")))), held(1)),
    ("initial acks", heard(([1], acks(1000) + acks(1001))), held(1)),
    ("is not there", heard(([1], acks(1000, snapshot=8))), held(1)),
    ("is older than", heard(([1], acks(1000))), held(1, snapshots=(7, 9), brought_by=9)),
])
def test_a_broken_promise_is_seen(broken, history, contents):
    with pytest.raises(Violation, match=broken):
        check(history, contents)


def test_a_row_that_changed_or_is_missing_is_seen():
    contents = held(1, 2)
    contents.rows = contents.rows.slice(1)
    with pytest.raises(Violation, match="rows, not"):
        check(heard(([1, 2], acks(1000) + acks(1001))), contents)
    contents = held(1)
    place = contents.rows.schema.get_field_index("value")
    changed = oracle.pc.add(contents.rows["value"], 1)
    contents.rows = contents.rows.set_column(place, contents.rows.schema.field(place), changed)
    with pytest.raises(Violation, match="value of"):
        check(heard(([1], acks(1000))), contents)
