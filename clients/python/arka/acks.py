"""What the server has acknowledged: the writes of one stream, counted 1, 2, 3 …, by level.

A server acknowledges the writes of a connection in the order in which they were sent, at every level; so
how far each level has come is one number. What comes otherwise is a violation of the wire contract.
"""

from __future__ import annotations

import array
import bisect
import datetime
from typing import Callable, List, NamedTuple, Optional

import pyarrow as pa

from arka.errors import ProtocolViolation
from arka.levels import Level

_LEVELS = {level.name: int(level) for level in Level}
_MEMORY, _DISK = int(Level.MEMORY), int(Level.LOCAL_DISK)
_TRIM = 4096


class Ack(NamedTuple):
    """A write has reached a level. Time and snapshot are those that the server tells; a level that was
    reached while there was no connection comes without them."""

    lsn: int
    level: Level
    seq: int
    timestamp_us: Optional[int] = None
    snapshot_id: Optional[int] = None

    @property
    def timestamp(self) -> Optional[datetime.datetime]:
        if self.timestamp_us is None:
            return None
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return epoch + datetime.timedelta(microseconds=self.timestamp_us)


class AckLedger:
    """Not locked: its stream does that. `reached[level]` is the last write up to which all have."""

    def __init__(self) -> None:
        self.reached = [0, 0, 0, 0]
        self.reached_lsn: List[int] = [0, 0, 0, 0]
        self._lsns = array.array("q")  # of the writes from _base on
        self._base = 1
        self._written_at = array.array("d")  # of the same writes and those that have no LSN yet
        self._first = 1  # of this connection
        self._sent = 0
        self.sent_ever = 0  # the last write that was sent on any connection
        self._first_new = 1  # of this connection, of those that were sent on none before
        self._before = array.array("q")  # the LSNs that writes from _first on had before it
        self._lost_lsn, self._lost_write = -1, 0  # the last LSN and write that a crash may have taken
        self._forgotten_lsn = -1  # the last that trim() forgot
        self._next = [1, 1, 1, 1]  # by level: the write whose ack is due on this connection

    def begin(self) -> int:
        """A new connection, on which every write that is not on LOCAL_DISK is sent again; returns the
        first of them. What was in MEMORY only may be gone, and come back under another LSN."""
        on_disk = self.reached[_DISK]
        self._before = self._lsns[on_disk + 1 - self._base:]
        if self._before:
            self._lost_lsn = self._before[-1]
            self._lost_write = max(self._lost_write, on_disk + len(self._before))
        del self._lsns[on_disk + 1 - self._base:]
        self.reached[_MEMORY] = on_disk
        self.reached_lsn[_MEMORY] = self.reached_lsn[_DISK]
        self._first, self._sent = on_disk + 1, on_disk
        self._first_new = self.sent_ever + 1
        self._next = [self._first] * 4
        return self._first

    def written(self, at: float) -> None:
        """The next write was handed over, at that time of the monotonic clock."""
        self._written_at.append(at)

    def oldest_below(self, level: int) -> Optional[float]:
        """When the first write that has not reached `level` was handed over; None: all have."""
        place = self.reached[level] + 1 - self._base
        return self._written_at[place] if place < len(self._written_at) else None

    def sent(self, write: int) -> None:
        self._sent = write
        self.sent_ever = max(self.sent_ever, write)

    def lsn_of(self, write: int) -> int:
        return self._lsns[write - self._base]

    def number_of(self, lsn: int) -> Optional[int]:
        """A write that is in no level before the one of this LSN is; None: no write had the LSN."""
        place = bisect.bisect_left(self._lsns, lsn)
        if place < len(self._lsns) and self._lsns[place] == lsn:
            return self._base + place
        if lsn <= self._lost_lsn:  # whose of those that came again under others it was, is not kept
            return self._lost_write
        return 0 if lsn <= self._forgotten_lsn else None

    def take(self, acks: pa.RecordBatch,
             tell: Optional[Callable[[int, int, int, Optional[int], Optional[int]], None]] = None
             ) -> None:
        """Counts a batch of acks. `tell` hears (write, LSN, level, microseconds, snapshot) of each write
        that reaches a level. Raises ProtocolViolation."""
        lsns = acks.column(0).to_pylist()
        levels = acks.column(1).to_pylist()
        watermarks = acks.column(4)
        is_watermark = watermarks.to_pylist() if watermarks.true_count else None
        times = snapshots = None
        if tell is not None:
            times = acks.column(3).cast(pa.int64()).to_pylist()
            snapshots = acks.column(8).to_pylist()
        due, known, reached = self._next, self._lsns, self.reached
        for row, lsn in enumerate(lsns):
            if is_watermark is not None and is_watermark[row]:
                self._watermark(Level.OBJECT_STORAGE, acks.column(6)[row].as_py(), tell)
                self._watermark(Level.COMMITTED, acks.column(7)[row].as_py(), tell)
                continue
            level = _LEVELS.get(levels[row])
            if level is None:
                raise ProtocolViolation(f"an ack of level {levels[row]!r}, which there is not")
            write = due[level]
            if level == _MEMORY:
                if write > self._sent:
                    raise ProtocolViolation(f"LSN {lsn} is acknowledged, but nothing was sent for it")
                last = self.reached_lsn[_MEMORY]
                # A retry may be answered with an LSN above its own, but a new write has a new one.
                if lsn < last or (lsn == last and known and write >= self._first_new):
                    raise ProtocolViolation(f"LSN {lsn} is acknowledged after LSN {last}")
                known.append(lsn)
            elif write >= due[level - 1]:
                raise ProtocolViolation(
                    f"LSN {lsn} is acknowledged at {levels[row]}, but not at {Level(level - 1)}")
            elif known[write - self._base] != lsn:
                raise ProtocolViolation(f"LSN {lsn} is acknowledged at {levels[row]} where LSN "
                                        f"{known[write - self._base]} was due")
            due[level] = write + 1
            if write > reached[level]:
                known_before = level == _MEMORY and self._had(write, lsn)
                self._advance(level, write, None if known_before else tell,
                              times and times[row], snapshots and snapshots[row])

    def _had(self, write: int, lsn: int) -> bool:
        """Whether the write had this LSN on the connection before: then MEMORY is no news."""
        place = write - self._first
        return place < len(self._before) and self._before[place] == lsn

    def _watermark(self, level: int, through: Optional[int], tell) -> None:
        """Writes of earlier connections get no acks on this one: the watermark speaks for them."""
        if through is None or self.reached[level] >= self._first - 1:
            return
        end = self._first - self._base  # of what earlier connections wrote
        write = self._base + bisect.bisect_right(self._lsns, through, 0, end) - 1
        write = min(write, self.reached[level - 1])  # no level without the one below
        if write > self.reached[level]:
            self._advance(level, write, tell, None, None)

    def _advance(self, level: int, write: int, tell, time_us, snapshot_id) -> None:
        if tell is not None:
            for passed in range(self.reached[level] + 1, write):
                tell(passed, self.lsn_of(passed), level, None, None)
            tell(write, self.lsn_of(write), level, time_us, snapshot_id)
        self.reached[level] = write
        self.reached_lsn[level] = self.lsn_of(write)

    def trim(self) -> None:
        """Forgets the LSNs of what is committed, now and then. Not before they have been asked for."""
        done = self.reached[Level.COMMITTED] + 1 - self._base
        if done > _TRIM:
            self._forgotten_lsn = self._lsns[done - 1]
            del self._lsns[:done], self._written_at[:done]
            self._base += done
