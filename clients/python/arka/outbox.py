"""What a stream has taken on and not yet delivered, and who waits for it.

Between those who write and wait (arka.stream) and the two threads that send and read (arka.courier). One
lock guards all of it; nothing here does I/O, and nothing calls back while the lock is held.
"""

from __future__ import annotations

import collections
import concurrent.futures
import heapq
import itertools
import threading
import time
from typing import Callable, Deque, List, Optional, Tuple

import pyarrow as pa

from arka.acks import Ack, AckLedger
from arka.errors import ArkaError, BudgetExceeded, DeadlineExceeded, StreamClosed
from arka.levels import Level
from arka.write import Write

ACKS_KEPT = 1 << 18  # of those that nobody has taken yet; beyond that the oldest are forgotten

Future = concurrent.futures.Future


class Outbox:
    """Writes have numbers, 1 for the first; `offset` makes them the producer's seq."""

    def __init__(self, *, budget: int, offset: Optional[int], keep_acks: bool):
        self.lock = threading.Lock()
        self.work = threading.Condition(self.lock)  # for the courier
        self.ledger = AckLedger()
        self.offset = offset  # None: not known yet
        self.last = 0  # number of the last write
        self.kept: Deque[Write] = collections.deque()  # not on LOCAL_DISK yet, in order
        self.held = 0  # bytes of those
        self.closing = False  # nothing more is taken on
        self.ended = False  # nothing more will be acknowledged
        self.failure: Optional[ArkaError] = None  # why, where it was not closed
        self._budget = budget
        self._unsent: Deque[Write] = collections.deque()  # those of kept that are due on the connection
        self._waiters: List[List[Tuple[int, int, Future]]] = [[], [], [], []]  # by level
        self._tickets = itertools.count()
        self._room = threading.Condition(self.lock)
        self._room_waiters: List[Future] = []
        self._heard = threading.Condition(self.lock)
        self._acks: Optional[Deque[Ack]] = collections.deque(maxlen=ACKS_KEPT) if keep_acks else None

    # For those who write

    def put(self, size: int, make: Callable[[int], Write], timeout: float, block: bool) -> Write:
        """Takes on make(number) once there is room for `size` bytes."""
        until = None
        with self.lock:
            while True:
                if self.failure is not None:
                    raise self.failure
                if self.closing:
                    raise StreamClosed()
                if self.held + size <= self._budget or not self.held:
                    break
                if not block:
                    raise BudgetExceeded(f"{self.held} bytes wait for the server; "
                                         f"{size} more are over the budget of {self._budget}")
                if until is None:
                    until = time.monotonic() + timeout
                left = until - time.monotonic()
                if left <= 0:
                    raise DeadlineExceeded(f"no room for {size} bytes: {self.held} of "
                                           f"{self._budget} wait for the server")
                self._room.wait(left)
            write = make(self.last + 1)
            self.last += 1
            self.held += size
            self.ledger.written(time.monotonic())
            self.kept.append(write)
            self._unsent.append(write)
            self.work.notify()
        return write

    def when_room(self) -> Future:
        """Done when bytes of the budget are next freed, or the stream has ended."""
        future: Future = Future()
        with self.lock:
            if self.ended:
                future.set_result(None)
            else:
                self._room_waiters = [other for other in self._room_waiters if not other.cancelled()]
                self._room_waiters.append(future)
        return future

    def close(self) -> None:
        with self.lock:
            self.closing = True
            self._room.notify_all()

    # For those who wait

    def when(self, number: int, level: Level) -> Future:
        """Done when every write up to that number has the level. The lock is held."""
        future: Future = Future()
        if number <= self.ledger.reached[level]:
            future.set_result(None)
        elif self.failure is not None:
            future.set_exception(self.failure)
        elif self.ended:
            future.set_exception(
                StreamClosed(f"the stream was closed before the write reached {level}"))
        else:
            heapq.heappush(self._waiters[level], (number, next(self._tickets), future))
            self.work.notify()
        return future

    def take_acks(self, timeout: Optional[float]) -> List[Ack]:
        """Those that nobody has taken yet; waits for the first."""
        if self._acks is None:
            raise ValueError("open the stream with keep_acks=True")
        with self.lock:
            while not self._acks:
                if self.ended or not self._heard.wait(timeout):
                    return []
            acks = list(self._acks)
            self._acks.clear()
        return acks

    def end(self, error: ArkaError) -> None:
        """Nothing will be acknowledged any more: tells those who wait. Again: no effect."""
        with self.lock:
            self.closing = self.ended = True
            waiting = [future for level in self._waiters for _, _, future in level]
            self._waiters = [[], [], [], []]
            writers, self._room_waiters = self._room_waiters, []
            self._room.notify_all()
            self._heard.notify_all()
        settle(waiting, error)
        settle(writers, None)  # their next write tells them

    # For the courier

    def is_needed(self) -> bool:
        """Whether somebody waits for the server. The lock is held."""
        listened = self._acks is not None and self.ledger.reached[Level.COMMITTED] < self.last
        return bool(self.kept or any(self._waiters) or listened)

    def oldest_kept(self) -> Optional[float]:
        """When the first write that is not on LOCAL_DISK was handed over; None: all are."""
        with self.lock:
            return self.ledger.oldest_below(Level.LOCAL_DISK)

    def begin(self) -> None:
        """A new connection: everything that is kept is due. The lock is held."""
        self.ledger.begin()
        self._unsent = collections.deque(self.kept)

    def due(self) -> List[Write]:
        """The next writes to send. The lock is held."""
        return list(itertools.islice(self._unsent, 64))

    def sending(self, write: Write) -> None:
        """It is the first of those that are due, and is one no longer. The lock is held."""
        self._unsent.popleft()
        self.ledger.sent(write.number)

    def take(self, acks: pa.RecordBatch) -> None:
        """Counts a batch of acks: frees what is on disk, tells those who wait. ProtocolViolation, before which
        all holds that came before it."""
        done: List[Future] = []
        try:
            with self.lock:
                ledger, kept = self.ledger, self.kept
                named = ledger.reached[Level.MEMORY]
                try:
                    ledger.take(acks, None if self._acks is None else self._tell)
                finally:
                    first = kept[0].number if kept else 0
                    for number in range(max(named + 1, first), ledger.reached[Level.MEMORY] + 1):
                        kept[number - first]._lsn = ledger.lsn_of(number)
                    ledger.trim()
                    done = self._free() + self._resolved()
                    if self._acks:
                        self._heard.notify_all()
        finally:
            settle(done, None)

    def _free(self) -> List[Future]:
        on_disk, freed = self.ledger.reached[Level.LOCAL_DISK], 0
        while self.kept and self.kept[0].number <= on_disk:
            write = self.kept.popleft()
            write.batch = None
            freed += write.size
        if not freed:
            return []
        self.held -= freed
        self._room.notify_all()
        waiting, self._room_waiters = self._room_waiters, []
        return waiting

    def _resolved(self) -> List[Future]:
        done = []
        for level, waiting in enumerate(self._waiters):
            through = self.ledger.reached[level]
            while waiting and waiting[0][0] <= through:
                done.append(heapq.heappop(waiting)[2])
        return done

    def _tell(self, number: int, lsn: int, level: int, time_us: Optional[int],
              snapshot_id: Optional[int]) -> None:
        assert self._acks is not None
        self._acks.append(Ack(lsn, Level(level), self.seq_of(number), time_us, snapshot_id))

    def seq_of(self, number: int) -> int:
        return number + (self.offset or 0)


def settle(futures: List[Future], error: Optional[ArkaError]) -> None:
    for future in futures:
        if not future.set_running_or_notify_cancel():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
