"""What is kept, freed and named, without a server."""

import pyarrow as pa
import pytest
from test_acks import acks

import arka
from arka.levels import Level
from arka.outbox import Outbox
from arka.write import Write

BATCH = pa.record_batch({"id": [1]})


@pytest.fixture
def outbox():
    return Outbox(budget=1 << 20, offset=0, keep_acks=True)


def put(outbox, count=1):
    return [outbox.put(10, lambda number: Write(None, number, BATCH, 10), 0, False)
            for _ in range(count)]


def send(outbox):
    with outbox.lock:
        while writes := outbox.due():
            for write in writes:
                outbox.sending(write)


def test_a_write_is_kept_until_it_is_on_disk(outbox):
    (write,) = put(outbox)
    send(outbox)
    outbox.take(acks((1000, "MEMORY")))
    assert (outbox.held, list(outbox.kept), write.lsn, write.batch) == (10, [write], 1000, BATCH)
    outbox.take(acks((1000, "LOCAL_DISK")))
    assert (outbox.held, list(outbox.kept), write.lsn, write.batch) == (0, [], 1000, None)


def test_writes_that_reach_all_levels_at_once_have_their_lsns(outbox):
    """So many that the ledger forgets those that are committed."""
    writes = put(outbox, 10_000)
    send(outbox)
    for first in range(0, 10_000, 5000):
        lsns = range(1000 + first, 6000 + first)
        outbox.take(acks(*[(lsn, level.name) for level in Level for lsn in lsns]))
    assert [write.lsn for write in writes] == list(range(1000, 11_000))
    assert len(outbox.take_acks(0)) == 40_000


def test_a_new_connection_is_due_everything_that_is_kept(outbox):
    writes = put(outbox, 3)
    send(outbox)
    outbox.take(acks((1000, "MEMORY"), (1001, "MEMORY"), (1000, "LOCAL_DISK")))
    with outbox.lock:
        assert outbox.due() == []
        outbox.begin()
        assert outbox.due() == writes[1:]


def test_who_waits_is_told_when_it_is_reached_or_when_it_cannot_be_any_more(outbox):
    put(outbox, 2)
    send(outbox)
    with outbox.lock:
        first, second = outbox.when(1, Level.LOCAL_DISK), outbox.when(2, Level.LOCAL_DISK)
    room = outbox.when_room()
    outbox.take(acks((1000, "MEMORY"), (1001, "MEMORY")))
    assert not first.done() and not room.done()
    outbox.take(acks((1000, "LOCAL_DISK")))
    assert first.done() and room.done() and not second.done()
    outbox.end(arka.ArkaError("UNAVAILABLE", "gone", True))
    with pytest.raises(arka.ArkaError, match="gone"):
        second.result(0)
    with pytest.raises(arka.StreamClosed):
        put(outbox)


def test_what_came_before_a_violation_is_told_to_those_who_wait(outbox):
    put(outbox)
    send(outbox)
    with outbox.lock:
        waiting = outbox.when(1, Level.LOCAL_DISK)
    with pytest.raises(arka.ArkaError, match="broke|nothing was sent"):
        outbox.take(acks((1000, "MEMORY"), (1000, "LOCAL_DISK"), (1001, "MEMORY")))
    assert waiting.result(0) is None
