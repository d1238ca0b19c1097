"""The threads that carry a stream's outbox to the server and bring back its acks.

One (`_run`) owns the connection: it dials, sends, and after a failure dials again and sends what is not on
LOCAL_DISK once more, under the same seq, which the server writes once. Another reads acks for as long as
there is a connection, whether or not anybody wants to know.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Any, Callable, Dict, Iterator, Optional

import pyarrow as pa

from arka.connection import Connection, Endpoint
from arka.errors import ArkaError, DeadlineExceeded, ProtocolViolation, StreamClosed, from_flight
from arka.levels import Level
from arka.outbox import Future, Outbox, settle

FIRST_DELAY, LONGEST_DELAY = 0.05, 2.0  # seconds between attempts to connect
END_PATIENCE = 5.0  # seconds for a peer to end a stream on which all is said


class Courier:
    def __init__(self, endpoint: Endpoint, outbox: Outbox, *, table: str, producer: str, session: str,
                 deadline: float, schema: Callable[[], Optional[pa.Schema]], at_once: bool):
        """`schema` answers it once there is something to send; `at_once`: dials before there is."""
        self.connected: Future = Future()  # done when the server has taken the stream for the first time
        self.losses = 0  # how often the connection was lost
        self._endpoint, self._outbox, self._schema = endpoint, outbox, schema
        self._table, self._producer, self._session = table, producer, session
        self._deadline = deadline
        self._epoch: Optional[int] = None  # under which a producer that was known is claimed
        self._lsn_before: Optional[int] = None  # of its last write before
        self._connection: Optional[Connection] = None
        self._wanted = at_once
        self._settled = False  # whether `connected` is
        self._rested = False  # before the connection of now there was no need of one
        self._ending = self._aborted = False
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"arka stream {table}")
        self._thread.start()

    def finish(self, timeout: float) -> None:
        """Half-closes once everything is sent, and waits for the end, which may come later."""
        with self._outbox.lock:
            self._ending = True
            self._outbox.work.notify()
        self._thread.join(min(END_PATIENCE, timeout))

    def abort(self) -> None:
        """Ends the connection as it is."""
        with self._outbox.lock:
            self._aborted = True
            connection = self._connection
            self._outbox.work.notify()
        if connection is not None:
            connection.cancel()
        self._thread.join(END_PATIENCE)
        self._end(StreamClosed("the stream was aborted"))

    def _end(self, error: ArkaError) -> None:
        self._outbox.end(error)
        self._settle_connected(error)

    def _settle_connected(self, error: Optional[ArkaError]) -> None:
        with self._outbox.lock:
            first, self._settled = not self._settled, True
        if first:
            settle([self.connected], error)

    def _run(self) -> None:
        failure: Optional[ArkaError] = None
        try:
            failure = self._serve_until_the_end()
        except Exception as error:  # pylint: disable=broad-except  # a defect must not hang a caller
            failure = ArkaError("INTERNAL", f"the client failed: {error!r}")
            failure.__cause__ = error
        finally:
            if not self._aborted:
                self._outbox.failure = failure
            self._end(failure or StreamClosed())

    def _serve_until_the_end(self) -> Optional[ArkaError]:
        """One connection after the other; returns what the stream failed with, if it did."""
        outbox, delays, lost_at = self._outbox, _delays(), 0.0
        while self._await_work():
            if self._rested:  # nobody missed the connection until now
                lost_at = 0.0
            before = outbox.ledger.reached[Level.LOCAL_DISK]
            exchange = _Exchange()
            failure = self._serve(exchange)
            if failure is None or self._aborted:
                return None
            if not failure.retryable:
                return failure
            self.losses += 1
            now = time.monotonic()
            moved = outbox.ledger.reached[Level.LOCAL_DISK] > before or not outbox.kept
            if not lost_at or (exchange.opened and moved):
                delays, lost_at = _delays(), now
            # Of what was handed over since then, nobody has waited for longer than that.
            since = max(lost_at, outbox.oldest_kept() or 0.0)
            if now - since >= self._deadline:
                return DeadlineExceeded(
                    f"the connection is lost for {now - since:.1f} s: {failure}")
            self._pause(next(delays))
        return None

    def _await_work(self) -> bool:
        """Waits until a connection is needed; False: never again."""
        with self._outbox.lock:
            self._rested = False
            while True:
                if self._aborted or (self._ending and not self._outbox.kept):
                    return False
                if self._wanted or self._outbox.is_needed():
                    return True
                self._rested = True
                self._outbox.work.wait()

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._outbox.lock:
            while not self._aborted and (left := until - time.monotonic()) > 0:
                self._outbox.work.wait(left)

    def _serve(self, exchange: _Exchange) -> Optional[ArkaError]:
        """One connection, from its beginning to its end. None: it ended because the stream did."""
        schema = self._schema()
        assert schema is not None
        try:
            self._find_place()
            headers = {"arka-producer": self._producer, "arka-session": self._session,
                       "arka-ack-until": Level.LOCAL_DISK.name, "arka-watermarks": "true"}
            if self._epoch is not None:
                headers["arka-producer-epoch"] = str(self._epoch)
            connection = exchange.connection = Connection(
                self._endpoint, self._table.split("."), schema, headers)
        except ArkaError as error:
            return error
        with self._outbox.lock:
            self._connection = connection
            self._outbox.begin()
            aborted = self._aborted
        reader = threading.Thread(target=self._read, args=(exchange,), daemon=True,
                                  name=f"arka acks {self._table}")
        reader.start()
        if aborted:
            connection.cancel()
        failure: Optional[ArkaError] = None
        try:
            self._send(exchange)
        except (pa.ArrowException, OSError) as error:
            failure = from_flight(error)
            failure.retryable = True  # unless the reader knows better
        reader.join(END_PATIENCE)
        if reader.is_alive():
            connection.cancel()
            reader.join()
        connection.close()
        with self._outbox.lock:
            self._connection = None
        if exchange.error is None and self._ending:
            return None
        return exchange.error or failure or ArkaError(
            "UNAVAILABLE", "the server ended the stream", True)

    def _find_place(self) -> None:
        """Where the server is with this producer: what is sent must follow on that."""
        outbox = self._outbox
        if outbox.offset is None:  # a producer that was given a name goes on behind its last write
            known = self._claim()
            outbox.offset, self._lsn_before = known["last_seq"], known["lsn"]
            return
        if not outbox.ledger.sent_ever:
            return
        known, numbered = self._last_seq(), outbox.ledger.reached[Level.LOCAL_DISK]
        on_disk, sent = numbered + outbox.offset, outbox.ledger.sent_ever + outbox.offset
        lsn = outbox.ledger.reached_lsn[Level.LOCAL_DISK] or self._lsn_before
        last_seq = known["last_seq"]
        if last_seq == 0 < on_disk and lsn is not None and known.get("forgotten_through", -1) >= lsn:
            outbox.offset = -numbered  # all of that is committed, and the rest begins at 1
        elif last_seq < on_disk:
            raise ArkaError("DATA_LOSS", (
                f"the server knows of {self._producer!r} in {self._table} only up to seq {last_seq}, but "
                f"had acknowledged {on_disk} on LOCAL_DISK: the table was made anew, or this is "
                "another server"))
        elif last_seq > sent:
            raise ArkaError("FAILED_PRECONDITION", (
                f"somebody else writes to {self._table} as {self._producer!r}: the server has seq "
                f"{last_seq}, this stream has sent {sent}"))

    def _claim(self) -> Dict[str, Any]:
        """Takes the producer's name over: what an earlier program of that name still has on the way is not
        written any more. Answers its last write, which no crash can take."""
        if self._epoch is None:  # once only: else two programs would take it from each other for ever
            known = self._endpoint.action(
                "claim_producer", {"producer": self._producer, "table": self._table}, self._deadline,
                by_stream=True)[0]
            self._epoch = known["epoch"]
        else:
            known = self._last_seq()
        if known["last_seq"]:
            self._endpoint.action(
                "flush", {"level": "LOCAL_DISK", "table": self._table}, self._deadline,
                by_stream=True)
            known = self._last_seq()  # a crash may have taken some before that
        return known

    def _last_seq(self) -> Dict[str, Any]:
        try:
            return self._endpoint.action(
                "last_seq", {"producer": self._producer, "table": self._table}, self._deadline,
                by_stream=True)[0]
        except ArkaError as error:
            if error.code != "NOT_FOUND":  # no such table
                raise
            return {"last_seq": 0, "lsn": None}

    def _send(self, exchange: _Exchange) -> None:
        """Sends what there is until the connection ends."""
        outbox, connection = self._outbox, exchange.connection
        assert connection is not None
        while True:
            with outbox.lock:
                while not ((writes := outbox.due()) or self._ending or exchange.ended
                           or self._aborted):
                    outbox.work.wait()
                if exchange.ended or self._aborted:
                    return
            if not writes:
                connection.half_close()
                return
            for write in writes:
                with outbox.lock:
                    if exchange.ended:
                        return
                    outbox.sending(write)
                connection.send(write.batch, b'{"seq": %d}' % outbox.seq_of(write.number))

    def _read(self, exchange: _Exchange) -> None:
        """Reads acks until the connection ends."""
        connection = exchange.connection
        assert connection is not None
        try:
            connection.opened()
            exchange.opened, self._wanted = True, False
            self._settle_connected(None)
            for acks in connection.acks():
                self._outbox.take(acks)
        except ProtocolViolation as error:
            exchange.error = error
            connection.cancel()
        except ArkaError as error:
            exchange.error = error
        except Exception as error:  # pylint: disable=broad-except  # a defect must not hang a caller
            exchange.error = ArkaError("INTERNAL", f"the client failed: {error!r}")
            connection.cancel()
        finally:
            with self._outbox.lock:
                exchange.ended = True
                self._outbox.work.notify()


class _Exchange:
    """A connection, and what became of it."""

    def __init__(self) -> None:
        self.connection: Optional[Connection] = None
        self.opened = False
        self.ended = False
        self.error: Optional[ArkaError] = None


def _delays() -> Iterator[float]:
    """Twice as long each time, and each anywhere between half and all of that, so that many clients of
    a server that comes back do not all knock at once."""
    delay = FIRST_DELAY
    while True:
        yield delay * random.uniform(0.5, 1)
        delay = min(delay * 2, LONGEST_DELAY)
