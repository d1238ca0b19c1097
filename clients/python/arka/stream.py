"""A stream of writes to one table: what is kept, sent, sent again, and waited for.

`write` only queues. One thread (`_run`) owns the connection: it dials, sends, and after a failure dials
again and sends what is not on LOCAL_DISK once more, under the same `seq`, which the server writes once.
Another reads acks for as long as there is a connection, whether or not anybody wants to know.
"""

from __future__ import annotations

import asyncio
import atexit
import collections
import concurrent.futures
import heapq
import itertools
import random
import threading
import time
import weakref
from typing import Any, Callable, Deque, Generator, Iterator, List, Optional, Tuple, Union

import pyarrow as pa

from arka.acks import Ack, AckLedger
from arka.connection import Connection, Endpoint
from arka.errors import (
    ArkaError, BudgetExceeded, DeadlineExceeded, ProtocolViolation, StreamClosed, from_flight)
from arka.levels import Level, LevelLike
from arka.tables import to_batch, to_batches

_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0  # seconds between attempts to connect
_ACKS_KEPT = 1 << 18  # of those that nobody has taken yet; beyond that the oldest are forgotten
_END_PATIENCE = 5.0  # seconds for a peer to end a stream on which all is said

_open_streams: "weakref.WeakSet[Stream]" = weakref.WeakSet()


@atexit.register
def _abort_open_streams() -> None:
    # A thread inside gRPC must not outlive the interpreter.
    for stream in list(_open_streams):
        stream.abort()


class Write:
    """One batch that was handed to a stream. Its LSN comes with the first ack."""

    __slots__ = ("_stream", "_number", "_lsn", "_batch", "_bytes", "rows")

    def __init__(self, stream: "Stream", number: int, batch: pa.RecordBatch, size: int):
        self._stream = stream
        self._number = number
        self._batch: Optional[pa.RecordBatch] = batch
        self._bytes = size
        self._lsn: Optional[int] = None
        self.rows = batch.num_rows

    @property
    def seq(self) -> int:
        """The producer's number of this write."""
        return self._stream._seq_of(self._number)

    @property
    def lsn(self) -> Optional[int]:
        """The write's LSN; None until the server gave one. Final once the write is on LOCAL_DISK: what
        a crash takes from memory is written again under another LSN."""
        return self._lsn

    @property
    def level(self) -> Optional[Level]:
        """The highest level that is known to be reached; None: not even MEMORY."""
        return self._stream._level_of(self._number)

    def result(self, timeout: Optional[float] = None) -> int:
        """Waits for the LSN."""
        self._stream.wait_for_durability(self, Level.MEMORY, timeout)
        assert self._lsn is not None
        return self._lsn

    def wait(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> int:
        """Waits until the write has reached `level`; returns its LSN."""
        self._stream.wait_for_durability(self, level, timeout)
        assert self._lsn is not None
        return self._lsn

    def __await__(self) -> Generator[Any, None, int]:
        """In asyncio: the LSN."""
        yield from asyncio.wrap_future(
            self._stream.when_durable(self, Level.MEMORY)).__await__()
        assert self._lsn is not None
        return self._lsn

    def __repr__(self) -> str:
        level = self.level
        return f"<Write {self._number}: {self.rows} rows, " \
               f"{'not acknowledged' if level is None else f'LSN {self._lsn} at {level}'}>"


class Stream:
    """Made by Client.open(). Methods may be called from any thread; writes get their order from the
    order of the calls. A context manager: its end is close()."""

    def __init__(self, endpoint: Endpoint, table: str, *, schema: Optional[pa.Schema], producer: str,
                 known_producer: bool, session: str, deadline: float, budget: int,
                 on_ack: Optional[Callable[[Ack], None]], keep_acks: bool):
        self.table = table
        self.producer = producer
        self.session = session
        self._endpoint = endpoint
        self._schema = schema
        self._deadline = deadline
        self._budget = budget

        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # for _run
        self._room = threading.Condition(self._lock)  # for those who wait to write
        self._heard = threading.Condition(self._lock)  # for the readers of _acks
        self._ledger = AckLedger()
        self._offset: Optional[int] = None if known_producer else 0  # seq = number of write + offset
        self._lsn_before: Optional[int] = None  # of the last write of a producer that was known
        self._last = 0  # number of the last write
        self._sent_ever = 0
        self._kept: Deque[Write] = collections.deque()  # not on LOCAL_DISK yet, in order
        self._unsent: Deque[Write] = collections.deque()  # of these, those for the connection
        self._held = 0  # bytes of _kept
        self._waiters: List[List[Tuple[int, int, concurrent.futures.Future]]] = [[], [], [], []]
        self._tickets = itertools.count()
        self._room_waiters: List[concurrent.futures.Future] = []
        self._connection: Optional[_Exchange] = None
        self._connected: concurrent.futures.Future = concurrent.futures.Future()
        self._opened = False  # whether _connected is settled
        self._was_open = False  # whether the connection of now, or the last one, ever was
        self._wanted = schema is not None  # to connect although there is nothing to send
        self._closing = self._ending = self._aborted = self._ended = False
        self._failure: Optional[ArkaError] = None
        self.reconnects = 0  # how often the connection was lost

        self._acks: Optional[Deque[Ack]] = None
        if on_ack is not None or keep_acks:
            self._acks = collections.deque(maxlen=_ACKS_KEPT)
        self._teller: Optional[threading.Thread] = None
        if on_ack is not None:
            self._teller = threading.Thread(target=self._call_back, args=(on_ack,), daemon=True,
                                            name=f"arka on_ack {table}")
            self._teller.start()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"arka stream {table}")
        self._thread.start()
        _open_streams.add(self)

    def wait_open(self) -> None:
        """Waits until the server has taken the stream; raises what is in the way."""
        try:
            self._connected.result(self._deadline + _END_PATIENCE)
        except concurrent.futures.TimeoutError as error:
            self.abort()
            if isinstance(error, ArkaError):
                raise
            raise DeadlineExceeded(f"no connection within {self._deadline:g} s") from None
        except ArkaError:
            self.abort()
            raise

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
        until = None
        with self._lock:
            while True:
                self._check_writable()
                if self._held + size <= self._budget or not self._held:
                    break
                if not block:
                    raise BudgetExceeded(f"{self._held} bytes wait for the server; "
                                         f"{size} more are over the budget of {self._budget}")
                if until is None:
                    until = time.monotonic() + self._seconds(timeout)
                left = until - time.monotonic()
                if left <= 0:
                    raise DeadlineExceeded(f"no room for {size} bytes: {self._held} of "
                                           f"{self._budget} wait for the server")
                self._room.wait(left)
            if self._schema is None:
                self._schema = batch.schema
            elif not batch.schema.equals(self._schema):
                raise ArkaError("INVALID_ARGUMENT", "the batch has another schema than the stream:\n"
                                f"{batch.schema}\ninstead of\n{self._schema}")
            self._last += 1
            self._ledger.written(time.monotonic())
            write = Write(self, self._last, batch, size)
            self._held += size
            self._kept.append(write)
            self._unsent.append(write)
            self._work.notify()
        return write

    def write_durable(self, data: Any, level: LevelLike = Level.LOCAL_DISK, *,
                      timeout: Optional[float] = None) -> int:
        """Writes, and waits until the write has reached `level`; returns its LSN."""
        until = time.monotonic() + self._seconds(timeout)
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
        future: concurrent.futures.Future = concurrent.futures.Future()
        with self._lock:
            if self._ended:
                future.set_result(None)
            else:
                self._room_waiters = [other for other in self._room_waiters if not other.cancelled()]
                self._room_waiters.append(future)
        return future

    def _check_writable(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closing:
            raise StreamClosed()

    def _seconds(self, timeout: Optional[float]) -> float:
        return self._deadline if timeout is None else timeout

    # Waiting

    def wait_for_durability(self, write: Union[Write, int, None] = None,
                            level: LevelLike = Level.LOCAL_DISK,
                            timeout: Optional[float] = None) -> None:
        """Waits until a write (a handle, or its LSN; None: all so far) has reached `level`, and with it
        every write of this stream before it. DeadlineExceeded after `timeout` seconds (the client's
        deadline); the write may still reach it later."""
        seconds = self._seconds(timeout)
        future = self.when_durable(write, level)
        try:
            future.result(seconds)
        except concurrent.futures.TimeoutError:
            if not future.cancel():  # it came to an end after all, or ended with that very error
                return future.result()
            level = Level.of(level)
            with self._lock:
                reached, last = self._ledger.reached[level], self._last
            raise DeadlineExceeded(
                f"{reached} of {last} writes have reached {level} within {seconds:g} s") from None

    def when_durable(self, write: Union[Write, int, None], level: LevelLike
                     ) -> concurrent.futures.Future:
        """As wait_for_durability, as a future that is done then."""
        level = Level.of(level)
        future: concurrent.futures.Future = concurrent.futures.Future()
        with self._lock:
            number = self._number_of(write, level)
            if number <= self._ledger.reached[level]:
                future.set_result(None)
            elif self._failure is not None:
                future.set_exception(self._failure)
            elif self._ended:
                future.set_exception(StreamClosed(
                    f"the stream was closed before the write reached {level}"))
            else:
                heapq.heappush(self._waiters[level], (number, next(self._tickets), future))
                self._work.notify()
        return future

    def _number_of(self, write: Union[Write, int, None], level: Level) -> int:
        if write is None:
            return self._last
        if isinstance(write, Write):
            if write._stream is not self:
                raise ValueError("a write of another stream")
            return write._number
        if write <= self._ledger.reached_lsn[level]:
            return 0
        if write > self._ledger.reached_lsn[Level.MEMORY] and not self._kept:
            raise ValueError(f"LSN {write} is none of this stream")
        # An LSN that a crash took from memory is above all that are known by now.
        number = self._ledger.number_of(write)
        return self._last if number is None else number

    def flush(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Waits until every write so far has reached `level`, and has the server hurry: upload and commit
        begin at once, not at their next interval."""
        level = Level.of(level)
        until = time.monotonic() + self._seconds(timeout)
        with self._lock:
            last = self._last
            if not last:
                return
            hurry = level > Level.LOCAL_DISK and self._ledger.reached[level] < last
        if hurry:
            # The action speaks of what is in memory when it is called.
            self.wait_for_durability(None, Level.LOCAL_DISK, until - time.monotonic())
            self._hurry(level, until)
        self.wait_for_durability(None, level, max(0.0, until - time.monotonic()))

    def _hurry(self, level: Level, until: float) -> None:
        delays = _delays()
        while True:
            left = until - time.monotonic()
            try:
                self._endpoint.action("flush", {"table": self.table, "level": level.name}, max(left, 0.001))
                return
            except ArkaError as error:
                if not error.retryable or time.monotonic() >= until:
                    raise
            time.sleep(min(next(delays), max(0.0, until - time.monotonic())))

    def _resolved(self) -> List[concurrent.futures.Future]:
        """Those who wait for what is reached by now; the lock is held."""
        done = []
        for level, waiting in enumerate(self._waiters):
            through = self._ledger.reached[level]
            while waiting and waiting[0][0] <= through:
                done.append(heapq.heappop(waiting)[2])
        return done

    # Looking

    @property
    def held_bytes(self) -> int:
        """Bytes of batches that are not on LOCAL_DISK yet: at most the budget, or one batch."""
        return self._held

    @property
    def last_write(self) -> int:
        """How many writes were handed to the stream."""
        return self._last

    @property
    def next_seq(self) -> int:
        """The number that the next write gets: 1 for a new producer. Of one that has a name, known once
        the stream is open, so open it with a schema."""
        if self._offset is None:
            raise ArkaError("FAILED_PRECONDITION", "not known before the stream is open: open it with a schema")
        return self._seq_of(self._last + 1)

    def reached(self, level: LevelLike) -> int:
        """How many of them have reached `level`."""
        return self._ledger.reached[Level.of(level)]

    def oldest_below(self, level: LevelLike) -> Optional[float]:
        """When (by time.monotonic()) the first write that has not reached `level` was handed over;
        None: all have reached it."""
        with self._lock:
            return self._ledger.oldest_below(Level.of(level))

    @property
    def pending(self) -> List[Write]:
        """The writes that are not on LOCAL_DISK: after an error, what may not have been written."""
        with self._lock:
            return list(self._kept)

    def acks(self, timeout: Optional[float] = None) -> Iterator[Ack]:
        """What was acknowledged, as it comes, for a stream that was opened with keep_acks=True; ends with
        the stream, or after `timeout` seconds in which nothing came."""
        while acks := self.take_acks(timeout):
            yield from acks

    def take_acks(self, timeout: Optional[float] = None) -> List[Ack]:
        """Those that nobody has taken yet; waits for the first. Empty: the stream has ended, or nothing
        came for `timeout` seconds."""
        if self._acks is None:
            raise ValueError("open the stream with keep_acks=True")
        with self._lock:
            while not self._acks:
                if self._ended or not self._heard.wait(timeout):
                    return []
            acks = list(self._acks)
            self._acks.clear()
        return acks

    def _call_back(self, on_ack: Callable[[Ack], None]) -> None:
        # In a thread of its own, so that a slow one holds up neither acks nor writes.
        for ack in self.acks():
            on_ack(ack)

    def _seq_of(self, number: int) -> int:
        return number + (self._offset or 0)

    def _level_of(self, number: int) -> Optional[Level]:
        with self._lock:
            for level in reversed(Level):
                if number <= self._ledger.reached[level]:
                    return level
        return None

    # The end

    def close(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Waits until every write has reached `level`, and ends the stream. Never longer than `timeout`
        seconds (the client's deadline): then DeadlineExceeded, and what is `pending` may not be written.
        Closing again does nothing."""
        until = time.monotonic() + self._seconds(timeout)
        with self._lock:
            if self._closing and self._ended:
                return
            self._closing = True
            self._room.notify_all()
        try:
            if self._last:
                self.wait_for_durability(None, level, max(0.0, until - time.monotonic()))
        except BaseException:
            self.abort()
            raise
        with self._lock:
            self._ending = True
            self._work.notify()
        self._thread.join(min(_END_PATIENCE, max(0.1, until - time.monotonic())))
        self.abort()  # all is said; it is only to be gone
        if self._teller is not None and self._teller is not threading.current_thread():
            self._teller.join(max(0.0, until - time.monotonic()))

    def abort(self) -> None:
        """Ends the stream at once. Whether what is `pending` was written is not known."""
        with self._lock:
            self._closing = self._aborted = True
            connection = self._connection
            self._work.notify()
            self._room.notify_all()
        if connection is not None:
            connection.cancel()
        self._thread.join(_END_PATIENCE)
        self._end(StreamClosed("the stream was aborted"))

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self.close()
        except ArkaError:
            if kind is None:
                raise

    def _end(self, error: ArkaError) -> None:
        """Nothing will be acknowledged any more: tells those who wait."""
        with self._lock:
            self._ended = True
            waiting = [future for level in self._waiters for _, _, future in level]
            self._waiters = [[], [], [], []]
            writers, self._room_waiters = self._room_waiters, []
            if not self._opened:
                self._opened = True
                waiting.append(self._connected)
            self._room.notify_all()
            self._heard.notify_all()
        _settle(waiting, error)
        _settle(writers, None)  # write() tells them
        _open_streams.discard(self)

    # The thread that owns the connection

    def _run(self) -> None:
        failure: Optional[ArkaError] = None
        try:
            delays, lost_at = _delays(), None
            while self._await_work():
                before, self._was_open = self._ledger.reached[Level.LOCAL_DISK], False
                failure = self._serve()
                if failure is None or self._aborted:
                    return
                if not failure.retryable:
                    break
                self.reconnects += 1
                now = time.monotonic()
                moved = self._ledger.reached[Level.LOCAL_DISK] > before or not self._kept
                if lost_at is None or (self._was_open and moved):
                    delays, lost_at = _delays(), now
                if now - lost_at >= self._deadline:
                    failure = DeadlineExceeded(
                        f"the connection is lost for {now - lost_at:.1f} s: {failure}")
                    break
                self._pause(next(delays))
        except Exception as error:  # pylint: disable=broad-except  # a defect must not hang a caller
            failure = ArkaError("INTERNAL", f"the client failed: {error!r}")
            failure.__cause__ = error
        finally:
            if failure is not None and not self._aborted:
                self._failure = failure
            self._end(self._failure or StreamClosed())

    def _await_work(self) -> bool:
        """Waits until a connection is needed; False: never again."""
        with self._lock:
            while True:
                if self._aborted or (self._ending and not self._kept):
                    return False
                listened = self._acks is not None and \
                    self._ledger.reached[Level.COMMITTED] < self._last
                if self._wanted or self._kept or any(self._waiters) or listened:
                    return True
                self._work.wait()

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._lock:
            while not self._aborted and (left := until - time.monotonic()) > 0:
                self._work.wait(left)

    def _serve(self) -> Optional[ArkaError]:
        """One connection, from its beginning to its end. None: it ended because the stream did."""
        try:
            self._find_place()
            exchange = _Exchange(Connection(
                self._endpoint, self.table.split("."), self._schema, {
                    "arka-producer": self.producer, "arka-session": self.session,
                    "arka-ack-until": Level.LOCAL_DISK.name, "arka-watermarks": "true"}))
        except ArkaError as error:
            return error
        with self._lock:
            self._connection = exchange
            self._ledger.begin()
            self._unsent = collections.deque(self._kept)
            aborted = self._aborted
        reader = threading.Thread(target=self._read, args=(exchange,), daemon=True,
                                  name=f"arka acks {self.table}")
        reader.start()
        if aborted:
            exchange.cancel()
        failure: Optional[ArkaError] = None
        try:
            self._send(exchange)
        except (pa.ArrowException, OSError) as error:
            failure = from_flight(error)
            failure.retryable = True  # unless the reader knows better
        reader.join(_END_PATIENCE)
        if reader.is_alive():
            exchange.cancel()
            reader.join()
        exchange.connection.close()
        with self._lock:
            self._connection = None
        if exchange.error is None and self._ending:
            return None
        return exchange.error or failure or ArkaError(
            "UNAVAILABLE", "the server ended the stream", True)

    def _find_place(self) -> None:
        """Where the server is with this producer: what is sent must follow on that."""
        first_time = self._offset is None
        if not first_time and not self._sent_ever:
            return  # a new producer that has sent nothing
        try:
            known = self._endpoint.action(
                "last_seq", {"producer": self.producer, "table": self.table}, self._deadline)[0]
        except ArkaError as error:
            if error.code != "NOT_FOUND":
                raise
            known = {"last_seq": 0, "lsn": None}
        last_seq = known["last_seq"]
        if first_time:
            if last_seq:  # a crash may not take what the next seq is to follow
                self._endpoint.action(
                    "flush", {"level": "LOCAL_DISK", "table": self.table}, self._deadline)
            self._offset, self._lsn_before = last_seq, known["lsn"]
            return
        on_disk = self._ledger.reached[Level.LOCAL_DISK]
        last_lsn = self._ledger.reached_lsn[Level.LOCAL_DISK] or self._lsn_before
        if last_seq == 0 and on_disk + self._offset > 0:
            if last_lsn is not None and known.get("forgotten_through", -1) >= last_lsn:
                self._offset = -on_disk  # all of that is committed, and the rest begins at 1
                return
        if last_seq < on_disk + self._offset:
            raise ArkaError("DATA_LOSS", (
                f"the server knows of {self.producer!r} in {self.table} only up to seq {last_seq}, but "
                f"had acknowledged {on_disk + self._offset} on LOCAL_DISK: the table was made anew, or "
                "this is another server"))
        if last_seq > self._sent_ever + self._offset:
            raise ArkaError("FAILED_PRECONDITION", (
                f"somebody else writes to {self.table} as {self.producer!r}: the server has seq "
                f"{last_seq}, this stream has sent {self._sent_ever + self._offset}"))

    def _send(self, exchange: "_Exchange") -> None:
        """Sends what is there until the connection ends."""
        while True:
            with self._lock:
                while not (self._unsent or self._ending or exchange.ended or self._aborted):
                    self._work.wait()
                if exchange.ended or self._aborted:
                    return
                writes = list(itertools.islice(self._unsent, 64))
                if not writes:
                    break
            for write in writes:
                with self._lock:
                    if exchange.ended:
                        return
                    self._unsent.popleft()
                    self._ledger.sent(write._number)
                    self._sent_ever = max(self._sent_ever, write._number)
                exchange.connection.send(
                    write._batch, b'{"seq": %d}' % self._seq_of(write._number))
        exchange.connection.half_close()

    def _read(self, exchange: "_Exchange") -> None:
        """Reads acks until the connection ends."""
        try:
            exchange.connection.opened()
            with self._lock:
                self._was_open, self._wanted = True, False
                first, self._opened = not self._opened, True
            if first:
                _settle([self._connected], None)
            for acks in exchange.connection.acks():
                self._take(acks)
        except ProtocolViolation as error:
            exchange.error = error
            exchange.cancel()
        except ArkaError as error:
            exchange.error = error
        except Exception as error:  # pylint: disable=broad-except  # a defect must not hang a caller
            exchange.error = ArkaError("INTERNAL", f"the client failed: {error!r}")
            exchange.cancel()
        finally:
            with self._lock:
                exchange.ended = True
                self._work.notify()

    def _take(self, acks: pa.RecordBatch) -> None:
        with self._lock:
            ledger, kept = self._ledger, self._kept
            named = ledger.reached[Level.MEMORY]
            try:
                ledger.take(acks, None if self._acks is None else self._tell)
            finally:
                first = kept[0]._number if kept else 0
                for number in range(max(named + 1, first), ledger.reached[Level.MEMORY] + 1):
                    kept[number - first]._lsn = ledger.lsn_of(number)
                on_disk = ledger.reached[Level.LOCAL_DISK]
                freed = 0
                while kept and kept[0]._number <= on_disk:
                    write = kept.popleft()
                    write._batch = None
                    freed += write._bytes
                self._held -= freed
                done = self._resolved()
                if freed:
                    self._room.notify_all()
                    done += self._room_waiters
                    self._room_waiters = []
                if self._acks:
                    self._heard.notify_all()
        _settle(done, None)

    def _tell(self, number: int, lsn: int, level: int, time_us: Optional[int],
              snapshot_id: Optional[int]) -> None:
        assert self._acks is not None
        self._acks.append(Ack(lsn, Level(level), self._seq_of(number), time_us, snapshot_id))


class _Exchange:
    """A connection, and how it ended."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.ended = False
        self.error: Optional[ArkaError] = None

    def cancel(self) -> None:
        self.connection.cancel()


def _delays() -> Iterator[float]:
    """Twice as long each time, and each anywhere between half and all of that, so that many clients of
    a server that comes back do not all knock at once."""
    delay = _FIRST_DELAY
    while True:
        yield delay * random.uniform(0.5, 1)
        delay = min(delay * 2, _LONGEST_DELAY)


def _settle(futures: List[concurrent.futures.Future], error: Optional[ArkaError]) -> None:
    for future in futures:
        if not future.set_running_or_notify_cancel():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
