"""Rows one by one, gathered into batches: a batch of one row costs nearly what one of a thousand does."""

from __future__ import annotations

import operator
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple

import pyarrow as pa

from arka.errors import ArkaError, BudgetExceeded, DeadlineExceeded, RowError, StreamClosed
from arka.levels import Level, LevelLike
from arka.stream import Stream

_FIXED_GUESS = 8  # bytes of a value whose type does not say
_MISFITS = (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError)  # of pa.array


class Appender:
    """Made by Client.appender(). Any thread may append; a context manager, whose end is close().

    A row is a mapping of column names to values; a column that is left out is null. The mapping may be
    used again for the next row (lists and mappings in it may not). A name that the schema does not have,
    or a required column that is missing, is a RowError at once. Values are looked at when the batch is
    made: rows with one that does not fit are left out, the others are written, and the RowError comes
    from the call that made the batch, or from the next one where `linger` did.
    """

    def __init__(self, stream: Stream, schema: pa.Schema, *, max_rows: int, max_bytes: int,
                 linger: float):
        self.stream = stream
        self.schema = schema
        self._names = schema.names
        self._width = len(schema.names)
        self._known = frozenset(schema.names)
        self._required = frozenset(field.name for field in schema if not field.nullable)
        self._get = _getter(schema.names)
        self._fixed, self._variable = _widths(schema)
        self._max_rows, self._max_bytes, self._linger = max_rows, max_bytes, linger
        self._lock = threading.RLock()
        self._begun = threading.Condition(self._lock)
        self._values: List[Any] = []  # of one row after the other: no object a row for the garbage collector
        self._rows = self._bytes = 0
        self._batch: Optional[pa.RecordBatch] = None  # of rows before those, for which there was no room
        self._waits_since = 0.0
        self._error: Optional[ArkaError] = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        name=f"arka appender {stream.table}")
        self._thread.start()

    def append(self, row: Mapping[str, Any]) -> None:
        """Takes one row. Waits only where the stream does: when its byte budget is used up. Then, after the
        deadline, DeadlineExceeded: the row was not taken, and those before it still wait to be written."""
        lock = self._lock  # not `with`, which costs more, and this is done for every row
        lock.acquire()
        try:
            if self._error is not None or self._closed:
                self._raise_error()
            if self._bytes >= self._max_bytes or self._rows >= self._max_rows:
                self._write_out()
            if type(row) is dict and len(row) == self._width:  # the usual row: its values in one step
                try:
                    values = self._get(row)
                except KeyError:
                    values = self._values_of(row)  # tells which of its names there is not
            else:
                values = self._values_of(row)
            size = self._fixed
            for index in self._variable:
                value = values[index]
                size += len(value) if type(value) is str else _size(value)
            self._values.extend(values)
            self._rows += 1
            self._bytes += size
            if self._bytes >= self._max_bytes or self._rows >= self._max_rows:
                self._try_to_write_out()
            elif self._rows == 1 and self._batch is None:
                self._waits_since = time.monotonic()
                self._begun.notify()
        finally:
            lock.release()

    def extend(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes many; those before an error are taken."""
        for row in rows:
            self.append(row)

    def flush(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Writes what there is, and waits until every row so far has reached `level`."""
        until = time.monotonic() + self.stream.seconds(timeout)
        failure = None
        if not self._lock.acquire(timeout=_left(until)):
            raise DeadlineExceeded("another call waits for room in the byte budget")
        try:
            self._raise_error()
            self._write_out(until)
        except RowError as error:  # of some rows; the others are to be durable all the same
            failure = error
        finally:
            self._lock.release()
        self.stream.flush(level, _left(until))
        if failure is not None:
            raise failure

    def close(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Writes what there is, and closes the stream once every row has reached `level`. Never longer
        than `timeout` seconds (the client's deadline). Closing again does nothing."""
        until = time.monotonic() + self.stream.seconds(timeout)
        failure: Optional[ArkaError] = None
        if self._lock.acquire(timeout=_left(until)):
            try:
                if self._closed:
                    return
                self._closed = True
                failure, self._error = self._error, None
                self._write_out(until)
            except ArkaError as error:
                failure = failure or error
            finally:
                self._lock.release()
        else:  # who has it waits for room, and ends with the stream
            self._closed = True
            failure = DeadlineExceeded("another call waits for room in the byte budget")
        try:
            self.stream.close(level, _left(until))
        finally:
            with self._lock:
                self._begun.notify()
            if failure is not None:
                raise failure

    def __enter__(self) -> "Appender":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self.close()
        except ArkaError:
            if kind is None:
                raise

    def _values_of(self, row: Mapping[str, Any]) -> Tuple[Any, ...]:
        keys = row.keys()
        if not keys <= self._known:
            unknown = next(name for name in row if name not in self._known)
            raise RowError(f"no column {unknown!r}: there are {', '.join(self._names)}")
        if not self._required <= keys:
            raise RowError(f"required column {min(self._required - keys)!r} is missing")
        return tuple(map(row.get, self._names))

    # The lock is held in all of these.

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._closed:
            raise StreamClosed("the appender is closed")

    def _try_to_write_out(self) -> None:
        """As far as there is room; the rest stays for the next call, or for `_run`."""
        try:
            self._write_out(block=False)
        except BudgetExceeded:
            self._waits_since = time.monotonic()
            self._begun.notify()

    def _write_out(self, until: Optional[float] = None, block: bool = True) -> None:
        """Hands everything to the stream. What it has no room for stays, and goes first the next time."""
        while self._batch is not None or self._rows:
            if self._batch is None:
                try:
                    self._make_batch()
                except RowError as error:
                    self._error = error  # told once the others are handed over
            if self._batch is not None:
                timeout = None if until is None else _left(until)
                self.stream.write(self._batch, timeout=timeout, block=block)
                self._batch = None
        if self._error is not None:
            self._raise_error()

    def _make_batch(self) -> None:
        values, rows = self._values, self._rows
        self._values, self._rows, self._bytes = [], 0, 0
        try:
            self._batch = self._batch_of(values)
            return
        except _MISFITS:
            pass
        good: List[Any] = []
        bad: List[Tuple[dict, str]] = []
        for start in range(0, len(values), self._width):
            row = values[start:start + self._width]
            try:
                self._batch_of(row)
                good.extend(row)
            except _MISFITS as error:
                bad.append((dict(zip(self._names, row)), str(error)))
        if good:
            self._batch = self._batch_of(good)
        raise RowError(f"{len(bad)} of {rows} rows do not fit; the first: {bad[0][1]}", bad)

    def _batch_of(self, values: List[Any]) -> pa.RecordBatch:
        """Of rows whose values follow one another."""
        columns = []
        for index, field in enumerate(self.schema):
            try:
                column = pa.array(values[index::self._width], field.type)
            except _MISFITS as error:
                raise ValueError(f"column {field.name!r} ({field.type}): {error}") from None
            if column.null_count and not field.nullable:
                raise ValueError(f"column {field.name!r} is required, and the value is null")
            columns.append(column)
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _run(self) -> None:
        """Writes out what has waited for long enough."""
        with self._lock:
            while not self._closed:
                if not self._rows and self._batch is None:
                    self._begun.wait()
                    continue
                left = self._waits_since + self._linger - time.monotonic()
                if left > 0:
                    self._begun.wait(left)
                    continue
                try:
                    self._try_to_write_out()
                except ArkaError as error:
                    self._error = error
                    if not isinstance(error, RowError):
                        return  # the stream has failed


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


def _getter(names: List[str]) -> Callable[[Mapping[str, Any]], Tuple[Any, ...]]:
    """What takes the values of all these names out of a mapping at once."""
    if len(names) == 1:
        name, = names
        return lambda row: (row[name],)
    return operator.itemgetter(*names)


def _widths(schema: pa.Schema) -> Tuple[int, List[int]]:
    """How many bytes a row takes at least, and which columns take more, by their values."""
    fixed, variable = 0, []
    for index, field in enumerate(schema):
        try:
            fixed += (field.type.bit_width + 7) // 8
        except ValueError:
            variable.append(index)
            fixed += _FIXED_GUESS
    return fixed, variable


def _size(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    if value is None:
        return 0
    if isinstance(value, Dict):
        return sum(_size(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_size(inner) for inner in value)
    return _FIXED_GUESS
