"""Rows one by one, gathered into batches: a batch of one row costs nearly what one of a thousand does."""

from __future__ import annotations

import operator
import threading
import time
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

import pyarrow as pa

from arka.errors import ArkaError, DeadlineExceeded, RowError, StreamClosed
from arka.levels import Level, LevelLike
from arka.stream import Stream

_FIXED_GUESS = 8  # bytes of a value whose type does not say


class Appender:
    """Made by Client.appender(). Any thread may append; a context manager, whose end is close().

    A row is a mapping of column names to values; a column that is left out is null. A name that the
    schema does not have, or a required column that is missing, is a RowError at once. Values are looked
    at when the batch is made: rows with one that does not fit are left out, the others are written, and
    the RowError comes from the call that made the batch, or from the next one where `linger` did.
    """

    def __init__(self, stream: Stream, schema: pa.Schema, *, max_rows: int, max_bytes: int,
                 linger: float):
        self.stream = stream
        self.schema = schema
        self._names = frozenset(schema.names)
        self._required = frozenset(field.name for field in schema if not field.nullable)
        self._getters = [operator.itemgetter(name) for name in schema.names]
        self._fixed, self._variable = _widths(schema)
        self._max_rows, self._max_bytes, self._linger = max_rows, max_bytes, linger
        self._lock = threading.RLock()
        self._begun = threading.Condition(self._lock)
        self._rows: List[Mapping[str, Any]] = []
        self._bytes = 0
        self._first_at = 0.0
        self._error: Optional[ArkaError] = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        name=f"arka appender {stream.table}")
        self._thread.start()

    def append(self, row: Mapping[str, Any]) -> None:
        """Takes one row. Waits only where the stream does: when its byte budget is used up."""
        with self._lock:
            self._take(row)

    def extend(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes many; those before a RowError are taken."""
        with self._lock:
            for row in rows:
                self._take(row)

    def flush(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Writes what there is, and waits until every row so far has reached `level`."""
        seconds = self.stream.seconds(timeout)
        until = time.monotonic() + seconds
        failure = None
        with self._lock:
            try:
                self._raise_error()
                self._write_out()
            except RowError as error:  # of some rows; the others are to be durable all the same
                failure = error
        self.stream.flush(level, max(0.0, until - time.monotonic()))
        if failure is not None:
            raise failure

    def close(self, level: LevelLike = Level.LOCAL_DISK, timeout: Optional[float] = None) -> None:
        """Writes what there is, and closes the stream once every row has reached `level`."""
        until = time.monotonic() + self.stream.seconds(timeout)
        failure = None
        with self._lock:
            if self._closed:
                return
            try:
                self._raise_error()
                self._write_out()
            except ArkaError as error:
                failure = error
            self._closed = True
            self._begun.notify()
        try:
            self.stream.close(level, max(0.0, until - time.monotonic()))
        finally:
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

    # The lock is held in all of these.

    def _take(self, row: Mapping[str, Any]) -> None:
        if self._error is not None or self._closed:
            self._raise_error()
        keys = row.keys()
        if not keys <= self._names:
            unknown = next(name for name in row if name not in self._names)
            raise RowError(f"no column {unknown!r}: there are {', '.join(self.schema.names)}")
        if not self._required <= keys:
            raise RowError(f"required column {min(self._required - keys)!r} is missing")
        if not self._rows:
            self._first_at = time.monotonic()
            self._begun.notify()
        self._rows.append(row)
        self._bytes += self._fixed
        for name in self._variable:
            value = row.get(name)
            if value is not None:
                self._bytes += _size(value)
        if len(self._rows) >= self._max_rows or self._bytes >= self._max_bytes:
            self._write_out()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._closed:
            raise StreamClosed("the appender is closed")

    def _write_out(self) -> None:
        if not self._rows:
            return
        rows, self._rows, self._bytes = self._rows, [], 0
        bad: List[Tuple[dict, str]] = []
        try:
            batch = self._batch(rows)
        except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError):
            good = []
            for row in rows:
                try:
                    self._batch([row])
                    good.append(row)
                except (pa.ArrowException, TypeError, ValueError, OverflowError,
                        AttributeError) as error:
                    bad.append((dict(row), str(error)))
            batch = self._batch(good)
        if batch.num_rows:
            self.stream.write(batch)
        if bad:
            raise RowError(f"{len(bad)} of {len(rows)} rows do not fit; the first: {bad[0][1]}", bad)

    def _batch(self, rows: List[Mapping[str, Any]]) -> pa.RecordBatch:
        columns = []
        for field, getter in zip(self.schema, self._getters):
            try:
                values = list(map(getter, rows))
            except KeyError:
                values = [row.get(field.name) for row in rows]
            try:
                column = pa.array(values, field.type)
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                raise ValueError(f"column {field.name!r} ({field.type}): {error}") from None
            if column.null_count and not field.nullable:
                raise ValueError(f"column {field.name!r} is required, and the value is null")
            columns.append(column)
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _run(self) -> None:
        """Writes out what has waited for long enough."""
        with self._lock:
            while not self._closed:
                if not self._rows:
                    self._begun.wait()
                    continue
                left = self._first_at + self._linger - time.monotonic()
                if left > 0:
                    self._begun.wait(left)
                    continue
                try:
                    self._write_out()
                except DeadlineExceeded as error:
                    self._error = error
                except ArkaError as error:
                    self._error = error


def _widths(schema: pa.Schema) -> Tuple[int, List[str]]:
    fixed, variable = 0, []
    for field in schema:
        try:
            fixed += (field.type.bit_width + 7) // 8
        except ValueError:
            variable.append(field.name)
            fixed += _FIXED_GUESS
    return fixed, variable


def _size(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, Dict):
        return sum(_size(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_size(inner) for inner in value)
    return _FIXED_GUESS
