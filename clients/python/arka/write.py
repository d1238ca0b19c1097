"""The handle of one write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generator, Optional

import pyarrow as pa

from arka.levels import Level, LevelLike

if TYPE_CHECKING:
    from arka.stream import Stream


class Write:
    """One batch that was handed to a stream. Its LSN comes with the first ack."""

    __slots__ = ("stream", "number", "rows", "size", "batch", "_lsn")

    def __init__(self, stream: Stream, number: int, batch: pa.RecordBatch, size: int):
        self.stream = stream
        self.number = number  # 1 for the stream's first
        self.rows = batch.num_rows
        self.size = size  # bytes under the budget
        self.batch: Optional[pa.RecordBatch] = batch  # until it is on LOCAL_DISK
        self._lsn: Optional[int] = None

    @property
    def seq(self) -> int:
        """The producer's number of this write."""
        return self.stream.seq_of(self.number)

    @property
    def lsn(self) -> Optional[int]:
        """The write's LSN; None until the server gave one. Final once the write is on LOCAL_DISK: what
        a crash takes from memory is written again under another LSN."""
        return self._lsn

    @property
    def level(self) -> Optional[Level]:
        """The highest level that is known to be reached; None: not even MEMORY."""
        return self.stream.level_of(self.number)

    def result(self, timeout: Optional[float] = None) -> int:
        """Waits for the LSN."""
        return self.wait(Level.MEMORY, timeout)

    def wait(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> int:
        """Waits until the write has reached `level`; returns its LSN."""
        self.stream.wait_for_durability(self, level, timeout)
        assert self._lsn is not None
        return self._lsn

    def __await__(self) -> Generator[Any, None, int]:
        """In asyncio: the LSN."""
        yield from asyncio.wrap_future(self.stream.when_durable(self, Level.MEMORY)).__await__()
        assert self._lsn is not None
        return self._lsn

    def __repr__(self) -> str:
        level = self.level
        reached = "not acknowledged" if level is None else f"LSN {self._lsn} at {level}"
        return f"<Write {self.number}: {self.rows} rows, {reached}>"
