"""What is built upon acks: waiting for many writes, keeping rows until they are safe, measuring the lag."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, Iterable, List, Optional, Tuple, Union

from arka.acks import Ack
from arka.client import Watermarks
from arka.errors import DeadlineExceeded
from arka.levels import Level, LevelLike
from arka.stream import Stream
from arka.write import Write


class AckTracker:
    """How far one stream's writes have come, by LSN: give its `on_ack` to Client.open().

    The writes of a stream reach each level in the order of their LSNs, so this remembers four numbers,
    however many writes there are.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._reached = [-1, -1, -1, -1]

    def on_ack(self, ack: Ack) -> None:
        with self._changed:
            if ack.lsn > self._reached[ack.level]:
                self._reached[ack.level] = ack.lsn
                self._changed.notify_all()

    def level_of(self, lsn: int) -> Optional[Level]:
        """The highest level that the write with this LSN has reached; None: none yet."""
        with self._changed:
            return next((level for level in reversed(Level) if lsn <= self._reached[level]), None)

    def wait_all_durable(self, lsns: Iterable[int], level: LevelLike = Level.OBJECT_STORAGE,
                         timeout: Optional[float] = None) -> None:
        """Waits until every one of them has reached `level`; DeadlineExceeded after `timeout` seconds."""
        level = Level.of(level)
        last = max(lsns, default=-1)
        with self._changed:
            if not self._changed.wait_for(lambda: self._reached[level] >= last, timeout):
                raise DeadlineExceeded(
                    f"{level} has come to LSN {self._reached[level]}, not to {last}")


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
