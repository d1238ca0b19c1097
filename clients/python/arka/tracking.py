"""What is built upon acks: waiting for many writes, keeping rows until they are safe, measuring the lag."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

from arka.acks import Ack
from arka.client import Watermarks
from arka.errors import DeadlineExceeded
from arka.levels import Level, LevelLike
from arka.stream import Stream
from arka.write import Write


class _Place(NamedTuple):
    """A write, among those of a stream."""

    seq: int
    lsn: int



class AckTracker:
    """How far one stream's writes have come, by LSN: give its `on_ack` to Client.open().

    The writes of a stream reach each level in their order, so this remembers four of them, however many
    there are. An LSN that a crash took before LOCAL_DISK counts as that of the last write that lost its
    own in that crash.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._reached = [_Place(0, -1)] * 4  # by level
        self._lost: List[Tuple[int, _Place]] = []  # of each crash: above this LSN up to that one, and whose

    def on_ack(self, ack: Ack) -> None:
        with self._changed:
            if ack.level is Level.MEMORY and ack.seq <= self._reached[Level.MEMORY].seq:
                self._named_anew(ack.seq)
            if ack.seq > self._reached[ack.level].seq or ack.level is Level.MEMORY:
                self._reached[ack.level] = _Place(ack.seq, ack.lsn)
            if ack.level is Level.COMMITTED:
                self._lost = [lost for lost in self._lost if lost[1].seq > ack.seq]
            self._changed.notify_all()

    def _named_anew(self, seq: int) -> None:
        named, safe = self._reached[Level.MEMORY], self._reached[Level.LOCAL_DISK]
        if seq <= safe.seq:  # the server had forgotten the producer: all that is safe is committed, and
            self._reached = [_Place(0, safe.lsn)] * 4  # the others are numbered from 1
            self._lost = [(above, _Place(last.seq - safe.seq, last.lsn)) for above, last in self._lost]
            named = _Place(named.seq - safe.seq, named.lsn)
        if named.lsn > safe.lsn:
            through = max([named.seq, *(last.seq for _, last in self._lost)])
            self._lost.append((safe.lsn, _Place(through, named.lsn)))

    def level_of(self, lsn: int) -> Optional[Level]:
        """The highest level that the write with this LSN has reached; None: none yet."""
        with self._changed:
            return next((level for level in reversed(Level) if self._has(lsn, level)), None)

    def _has(self, lsn: int, level: Level) -> bool:
        reached = self._reached[level]
        for above, last in self._lost:
            if above < lsn <= last.lsn:
                return last.seq <= reached.seq
        return lsn <= reached.lsn

    def wait_all_durable(self, lsns: Iterable[int], level: LevelLike = Level.OBJECT_STORAGE,
                         timeout: Optional[float] = None) -> None:
        """Waits until every one of them has reached `level`; DeadlineExceeded after `timeout` seconds."""
        level = Level.of(level)
        last = max(lsns, default=-1)
        with self._changed:
            if not self._changed.wait_for(lambda: self._has(last, level), timeout):
                raise DeadlineExceeded(
                    f"{level} has come to LSN {self._reached[level].lsn}, not to {last}")


class LocalCache:
    """Data that is kept until the server has it safe: put() it with its write, and clean() up by the
    server's watermarks. Any thread may call any method."""

    def __init__(self, level: LevelLike = Level.OBJECT_STORAGE):
        self.level = Level.of(level)
        self._lock = threading.Lock()
        self._data: Dict[Any, Tuple[Union[Write, int], Any]] = {}

    def put(self, write: Union[Write, int], data: Any) -> None:
        """`write` is a handle, or the LSN of a write that is on LOCAL_DISK (before, it may change)."""
        with self._lock:
            self._data[write] = (write, data)

    def clean(self, watermarks: Watermarks) -> List[Any]:
        """Forgets what is safe by now; returns it. The watermarks are those of Client.watermarks()."""
        through = {Level.LOCAL_DISK: watermarks.disk_lsn, Level.OBJECT_STORAGE: watermarks.s3_lsn,
                   Level.COMMITTED: watermarks.committed_lsn,
                   Level.MEMORY: watermarks.last_lsn}[self.level]
        with self._lock:
            safe = [key for key, (write, _) in self._data.items() if _is_through(write, through)]
            return [self._data.pop(key)[1] for key in safe]

    def values(self) -> List[Any]:
        """What is not safe yet."""
        with self._lock:
            return [data for _, data in self._data.values()]

    def __len__(self) -> int:
        return len(self._data)


def _is_through(write: Union[Write, int], through: int) -> bool:
    if isinstance(write, int):
        return write <= through
    # An LSN is final once it is on LOCAL_DISK; before, the watermark may be of another write.
    level = write.level
    return level is not None and level >= Level.LOCAL_DISK and write.lsn is not None \
        and write.lsn <= through


class DurabilityLag:
    """A gauge: what of a stream's writes has not reached `level` yet."""

    def __init__(self, stream: Stream, level: LevelLike = Level.OBJECT_STORAGE):
        self._stream = stream
        self.level = Level.of(level)

    @property
    def writes(self) -> int:
        """How many."""
        return self._stream.last_write - self._stream.reached(self.level)

    @property
    def seconds(self) -> float:
        """How long ago the oldest of them was handed to the stream; 0 where there is none."""
        written_at = self._stream.oldest_below(self.level)
        return 0.0 if written_at is None else max(0.0, time.monotonic() - written_at)
