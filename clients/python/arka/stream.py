"""A stream of writes to one table, as its user sees it. What happens behind: arka.outbox, arka.courier."""

from __future__ import annotations

import atexit
import concurrent.futures
import threading
import time
import weakref
from typing import Any, Callable, Iterator, List, Optional, Union

import pyarrow as pa

from arka.acks import Ack
from arka.connection import Endpoint
from arka.courier import END_PATIENCE, Courier
from arka.errors import ArkaError, DeadlineExceeded
from arka.levels import Level, LevelLike
from arka.outbox import Outbox
from arka.tables import to_batch, to_batches
from arka.write import Write

_open_streams: "weakref.WeakSet[Stream]" = weakref.WeakSet()


@atexit.register
def _abort_open_streams() -> None:
    # A thread inside gRPC must not outlive the interpreter.
    for stream in list(_open_streams):
        stream.abort()


class Stream:
    """Made by Client.open(). Methods may be called from any thread; writes get their order from the
    order of the calls. A context manager: its end is close()."""

    def __init__(self, endpoint: Endpoint, table: str, *, schema: Optional[pa.Schema], producer: str,
                 known_producer: bool, session: str, deadline: float, budget: int,
                 on_ack: Optional[Callable[[Ack], None]], keep_acks: bool):
        self.table = table
        self.producer = producer
        self.session = session
        self.deadline = deadline
        self._endpoint = endpoint
        self._schema = schema
        self._outbox = Outbox(budget=budget, offset=None if known_producer else 0,
                              keep_acks=keep_acks or on_ack is not None)
        self._courier = Courier(endpoint, self._outbox, table=table, producer=producer, session=session,
                                deadline=deadline, schema=lambda: self._schema,
                                at_once=schema is not None)
        self._teller: Optional[threading.Thread] = None
        if on_ack is not None:
            self._teller = threading.Thread(target=self._call_back, args=(on_ack,), daemon=True,
                                            name=f"arka on_ack {table}")
            self._teller.start()
        _open_streams.add(self)

    def wait_open(self) -> None:
        """Waits until the server has taken the stream; raises what is in the way."""
        try:
            self._courier.connected.result(self.deadline + END_PATIENCE)
        except ArkaError:
            self.abort()
            raise
        except concurrent.futures.TimeoutError:
            self.abort()
            raise DeadlineExceeded(f"no connection within {self.deadline:g} s") from None

    # Writing

    @property
    def schema(self) -> Optional[pa.Schema]:
        """The stream's schema; None until the first write where none was given."""
        return self._schema

    def write(self, data: Any, *, timeout: Optional[float] = None, block: bool = True) -> Write:
        """Queues one write: a RecordBatch, or a Table, a pandas or polars DataFrame, or a list of dicts,
        which becomes one. Returns at once, unless the byte budget is used up: then it waits for room, at
        most `timeout` seconds (the client's deadline), or with block=False raises BudgetExceeded.

        The batch is kept until it is on LOCAL_DISK; the arrays in it must not be changed meanwhile.
        """
        batch = to_batch(data, self._schema)
        size = max(batch.nbytes, 1)

        def make(number: int) -> Write:
            if self._schema is None:
                self._schema = batch.schema
            elif not batch.schema.equals(self._schema):
                raise ArkaError("INVALID_ARGUMENT", "the batch has another schema than the stream:\n"
                                f"{batch.schema}\ninstead of\n{self._schema}")
            return Write(self, number, batch, size)

        return self._outbox.put(size, make, self.seconds(timeout), block)

    def write_durable(self, data: Any, level: LevelLike = Level.LOCAL_DISK, *,
                      timeout: Optional[float] = None) -> int:
        """Writes, and waits until the write has reached `level`; returns its LSN."""
        until = time.monotonic() + self.seconds(timeout)
        write = self.write(data, timeout=timeout)
        return write.wait(level, max(0.0, until - time.monotonic()))

    def write_all(self, data: Any, *, max_rows: int = 65_536, progress: bool = False) -> List[Write]:
        """Writes a Table, a DataFrame, a RecordBatchReader or an iterable of any of them in batches of at
        most `max_rows` rows. With `progress` tqdm shows how far it is, where it is installed."""
        total, batches = to_batches(data, self._schema, max_rows)
        bar = None
        if progress:
            try:
                from tqdm import tqdm  # type: ignore
                bar = tqdm(total=total, unit=" rows", unit_scale=True, desc=self.table)
            except ImportError:
                pass
        writes = []
        try:
            for batch in batches:
                writes.append(self.write(batch))
                if bar is not None:
                    bar.update(batch.num_rows)
        finally:
            if bar is not None:
                bar.close()
        return writes

    def when_room(self) -> concurrent.futures.Future:
        """A future that is done when the next bytes of the budget are free, or the stream has ended."""
        return self._outbox.when_room()

    def seconds(self, timeout: Optional[float]) -> float:
        """`timeout`, or else the deadline."""
        return self.deadline if timeout is None else timeout

    # Waiting

    def wait_for_durability(self, write: Union[Write, int, None] = None,
                            level: LevelLike = Level.LOCAL_DISK,
                            timeout: Optional[float] = None) -> None:
        """Waits until a write (a handle, or its LSN; None: all so far) has reached `level`, and with it
        every write of this stream before it. DeadlineExceeded after `timeout` seconds (the client's
        deadline); the write may still reach it later."""
        seconds = self.seconds(timeout)
        future = self.when_durable(write, level)
        try:
            future.result(seconds)
        except concurrent.futures.TimeoutError:
            if not future.cancel():  # it came to an end after all, or ended with that very error
                return future.result()
            raise DeadlineExceeded(
                f"{self.reached(level)} of {self.last_write} writes have reached {Level.of(level)} "
                f"within {seconds:g} s") from None

    def when_durable(self, write: Union[Write, int, None], level: LevelLike
                     ) -> concurrent.futures.Future:
        """As wait_for_durability, as a future that is done then."""
        level = Level.of(level)
        with self._outbox.lock:
            return self._outbox.when(self._number_of(write), level)

    def _number_of(self, write: Union[Write, int, None]) -> int:
        outbox = self._outbox
        if write is None:
            return outbox.last
        if isinstance(write, Write):
            if write.stream is not self:
                raise ValueError("a write of another stream")
            return write.number
        number = outbox.ledger.number_of(write)
        if number is None:
            raise ValueError(f"LSN {write} is none of this stream")
        return number

    def flush(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Waits until every write so far has reached `level`, and has the server hurry: upload and commit
        begin at once, not at their next interval."""
        level = Level.of(level)
        until = time.monotonic() + self.seconds(timeout)
        if level > Level.LOCAL_DISK and self.reached(level) < self.last_write:
            # The action speaks of what is in memory when it is called.
            self.wait_for_durability(None, Level.LOCAL_DISK, until - time.monotonic())
            self._endpoint.retried_action("flush", {"table": self.table, "level": level.name}, until)
        self.wait_for_durability(None, level, max(0.0, until - time.monotonic()))

    # Looking

    @property
    def held_bytes(self) -> int:
        """Bytes of batches that are not on LOCAL_DISK yet: at most the budget, or one batch."""
        return self._outbox.held

    @property
    def last_write(self) -> int:
        """How many writes were handed to the stream."""
        return self._outbox.last

    @property
    def next_seq(self) -> int:
        """The number that the next write gets: 1 for a new producer. Of one that has a name, known once
        the stream is open, so open it with a schema."""
        if self._outbox.offset is None:
            raise ArkaError("FAILED_PRECONDITION",
                            "not known before the stream is open: open it with a schema")
        return self.seq_of(self._outbox.last + 1)

    @property
    def reconnects(self) -> int:
        """How often the connection was lost."""
        return self._courier.losses

    @property
    def pending(self) -> List[Write]:
        """The writes that are not on LOCAL_DISK: after an error, what may not have been written. Each
        still has its `batch`."""
        with self._outbox.lock:
            return list(self._outbox.kept)

    def reached(self, level: LevelLike) -> int:
        """How many writes have reached `level`."""
        return self._outbox.ledger.reached[Level.of(level)]

    def oldest_below(self, level: LevelLike) -> Optional[float]:
        """When (by time.monotonic()) the first write that has not reached `level` was handed over;
        None: all have reached it."""
        with self._outbox.lock:
            return self._outbox.ledger.oldest_below(Level.of(level))

    def level_of(self, number: int) -> Optional[Level]:
        """The highest level that the write of that number has reached."""
        with self._outbox.lock:
            reached = self._outbox.ledger.reached
            return next((level for level in reversed(Level) if number <= reached[level]), None)

    def seq_of(self, number: int) -> int:
        """The producer's number of the stream's `number`-th write."""
        return self._outbox.seq_of(number)

    def acks(self, timeout: Optional[float] = None) -> Iterator[Ack]:
        """What was acknowledged, as it comes, for a stream that was opened with keep_acks=True; ends with
        the stream, or after `timeout` seconds in which nothing came."""
        while acks := self.take_acks(timeout):
            yield from acks

    def take_acks(self, timeout: Optional[float] = None) -> List[Ack]:
        """Those that nobody has taken yet; waits for the first. Empty: the stream has ended, or nothing
        came for `timeout` seconds."""
        return self._outbox.take_acks(timeout)

    def _call_back(self, on_ack: Callable[[Ack], None]) -> None:
        # In a thread of its own, so that a slow one holds up neither acks nor writes.
        for ack in self.acks():
            on_ack(ack)

    # The end

    def close(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Waits until every write has reached `level`, and ends the stream. Never longer than `timeout`
        seconds (the client's deadline): then DeadlineExceeded, and what is `pending` may not be written.
        Closing again does nothing."""
        until = time.monotonic() + self.seconds(timeout)
        if self._outbox.closing and self._outbox.ended and self._outbox.failure is None:
            return
        self._outbox.close()
        try:
            self.wait_for_durability(None, level, max(0.0, until - time.monotonic()))
        except BaseException:
            self.abort()
            raise
        self._courier.finish(max(0.1, until - time.monotonic()))
        self.abort()  # all is said; it is only to be gone
        if self._teller is not None and self._teller is not threading.current_thread():
            self._teller.join(max(0.0, until - time.monotonic()))

    def abort(self) -> None:
        """Ends the stream at once. Whether what is `pending` was written is not known."""
        self._outbox.close()
        self._courier.abort()
        _open_streams.discard(self)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self.close()
        except ArkaError:
            if kind is None:
                raise
