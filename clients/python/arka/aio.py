"""The same for asyncio: `async with arka.aio.connect(url) as client`. Nothing here blocks the event loop.

Streams do their work in their own threads, as ever; what waits here is awaited.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
from typing import Any, AsyncIterator, Optional, Union

import pyarrow as pa

import arka.client
from arka.acks import Ack
from arka.client import Client, DurabilityStatus, Watermarks
from arka.errors import BudgetExceeded, DeadlineExceeded
from arka.levels import Level, LevelLike
from arka.stream import Stream
from arka.write import Write


@functools.wraps(arka.client.connect)
def connect(*args: Any, **options: Any) -> AsyncClient:
    return AsyncClient(arka.client.connect(*args, **options))


class AsyncClient:
    """As arka.Client, whose documentation holds here too; `sync` is that client."""

    def __init__(self, client: Client):
        self.sync = client

    async def open(self, table: str, schema: Optional[pa.Schema] = None, **options: Any) -> AsyncStream:
        return AsyncStream(await asyncio.to_thread(self.sync.open, table, schema, **options))

    async def query(self, sql: str, timeout: Optional[float] = None) -> pa.Table:
        return await asyncio.to_thread(self.sync.query, sql, timeout)

    async def schema(self, table: str, timeout: Optional[float] = None) -> pa.Schema:
        return await asyncio.to_thread(self.sync.schema, table, timeout)

    async def status(self, timeout: Optional[float] = None) -> dict:
        return await asyncio.to_thread(self.sync.status, timeout)

    async def watermarks(self, timeout: Optional[float] = None) -> Watermarks:
        return await asyncio.to_thread(self.sync.watermarks, timeout)

    async def flush(self, level: LevelLike = Level.COMMITTED, table: Optional[str] = None,
                    timeout: Optional[float] = None) -> int:
        return await asyncio.to_thread(self.sync.flush, level, table, timeout)

    async def get_durability_status(self, last_known_lsn: Optional[int] = None,
                                    **options: Any) -> DurabilityStatus:
        return await asyncio.to_thread(self.sync.get_durability_status, last_known_lsn, **options)

    async def close(self, timeout: Optional[float] = None) -> None:
        await asyncio.to_thread(self.sync.close, timeout)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await asyncio.to_thread(self.sync.__exit__, *error)


class AsyncStream:
    """As arka.Stream; `sync` is that stream. A Write that it returns can be awaited: for its LSN."""

    def __init__(self, stream: Stream):
        self.sync = stream

    async def write(self, data: Any, *, timeout: Optional[float] = None) -> Write:
        """Queues one write; where the byte budget is used up, awaits room."""
        until = None
        loop = asyncio.get_running_loop()
        while True:
            room = self.sync.when_room()  # before the attempt, so that none is missed
            try:
                write = self.sync.write(data, block=False)
                room.cancel()
                return write
            except BudgetExceeded:
                if until is None:
                    until = loop.time() + self.sync.seconds(timeout)
                await _within(room, until - loop.time(), "no room in the byte budget")

    async def write_durable(self, data: Any, level: LevelLike = Level.LOCAL_DISK, *,
                            timeout: Optional[float] = None) -> int:
        """Writes, and awaits the level; returns the LSN."""
        write = await self.write(data, timeout=timeout)
        await self.wait_for_durability(write, level, timeout)
        assert write.lsn is not None
        return write.lsn

    async def wait_for_durability(self, write: Union[Write, int, None] = None,
                                  level: LevelLike = Level.LOCAL_DISK,
                                  timeout: Optional[float] = None) -> None:
        await _within(self.sync.when_durable(write, level), self.sync.seconds(timeout),
                      f"not at {Level.of(level)}")

    async def flush(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        await asyncio.to_thread(self.sync.flush, level, timeout)

    async def acks(self) -> AsyncIterator[Ack]:
        """What was acknowledged, as it comes, until the stream's end; open it with keep_acks=True."""
        with concurrent.futures.ThreadPoolExecutor(1, f"arka acks {self.sync.table}") as reader:
            while acks := await asyncio.get_running_loop().run_in_executor(
                    reader, self.sync.take_acks):
                for ack in acks:
                    yield ack

    async def close(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        await asyncio.to_thread(self.sync.close, level, timeout)

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await asyncio.to_thread(self.sync.__exit__, *error)


async def _within(future: concurrent.futures.Future, seconds: float, what: str) -> None:
    wrapped = asyncio.wrap_future(future)
    done, _ = await asyncio.wait([wrapped], timeout=max(0.0, seconds))
    if not done:
        wrapped.cancel()
        raise DeadlineExceeded(f"{what} within {seconds:g} s")
    wrapped.result()
