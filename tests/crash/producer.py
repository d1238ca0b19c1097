"""A client as users write them: sends numbered writes, and after a lost server goes on with the next.

Three kinds. EXACTLY_ONCE numbers its writes (arka-producer, seq), asks for last_seq after a reconnect
and resends the rest, and sometimes what is long there. AT_LEAST_ONCE has no seq and resends what was
not acknowledged at LOCAL_DISK. AT_MOST_ONCE has no seq and never resends.
"""

import collections
import enum
import json
import random
import threading

import pyarrow as pa
import pyarrow.flight as flight
from crash.connection import Connection
from crash.history import LOCAL_DISK
from crash.workload import SCHEMA

BROKEN = (pa.ArrowException, flight.FlightError, OSError)
RESEND_TOO = 40  # how many writes that are there already a retry repeats at most


class Kind(enum.Enum):
    EXACTLY_ONCE = "seq"
    AT_LEAST_ONCE = "resends"
    AT_MOST_ONCE = "plain"


class Producer:
    """Runs in a thread of its own from start() until finish() or stop(); `location()` answers where
    the server is now, or None while it is down."""

    def __init__(self, name, table, kind, *, workload, history, location, seed, pause=0.03,
                 node="node-1"):
        self.name, self.table, self.kind, self.node = name, table, kind, node
        self.next = 1  # the number of the next new write
        self._connection = None
        self._earlier_acks = collections.Counter()  # by level, of the connections before this one
        self.refusals = []  # errors with which the server, not its death, ended a stream
        self._workload, self._history, self._location = workload, history, location
        self._pause = pause
        self._all_committed = False  # the last connection was quiet and ended well
        self._rng = random.Random(f"{seed}/{name}/{table}")
        self._quiet = threading.Event()  # no new writes any more
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def finish(self):
        """No new writes; goes on until what it is to resend is there."""
        self._quiet.set()

    def stop(self):
        """Ends as soon as it can, as a client that goes away for good."""
        self._quiet.set()
        self._stopped.set()

    def join(self, timeout):
        """Waits for its end; answers whether it came."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def writes(self):
        return self._history.writes[self.table, self.name]

    def acks_of(self, level):
        """Acks of that level over all connections so far."""
        connection = self._connection
        return self._earlier_acks[level] + (connection.counts[level] if connection else 0)

    def _run(self):
        try:
            while not self._stopped.is_set():
                location = self._location()
                if location is None:
                    self._stopped.wait(0.005)
                elif self._one_connection(location):
                    return
        except Exception as error:  # pylint: disable=broad-except
            self._history.violated(f"{self.name} on {self.table} gave up: {error!r}")

    def _one_connection(self, location):
        """Sends until the stream breaks or the phase is over; true when all is done."""
        quiet = self._quiet.is_set()
        try:
            todo = self._to_resend(location, quiet)
            if quiet and not todo:
                return True
            connection = Connection(location, SCHEMA, self.table, headers=self._headers(quiet))
        except BROKEN:
            self._stopped.wait(0.01)
            return False
        self._connection = connection
        try:
            self._send(connection, todo, quiet)
        except BROKEN as error:
            connection.error = connection.error or error
        finally:
            connection.close()
            self._earlier_acks, self._connection = self._earlier_acks + connection.counts, None
            self._history.add(self.table, self.name, connection, node=self.node,
                              exactly_once=self.kind is Kind.EXACTLY_ONCE)
        self._all_committed = quiet and connection.error is None
        if connection.error is not None and self._location() == location:
            self.refusals.append(str(connection.error))
            self._stopped.wait(0.05)
        return False

    def _send(self, connection, todo, quiet):
        for number in todo:
            self._write(connection, number)
        while not quiet and not self._quiet.is_set() and not connection.ended.is_set():
            for _ in range(self._rng.randrange(1, 80)):
                number, self.next = self.next, self.next + 1
                self._write(connection, number)
            if self._rng.random() < 0.03:
                break
            self._quiet.wait(self._rng.random() * self._pause)
        connection.half_close()
        connection.ended.wait(60)

    def _write(self, connection, number):
        metadata = None
        if self.kind is Kind.EXACTLY_ONCE:
            metadata = json.dumps({"seq": number}).encode()
        batch = self._workload.batch(self.table, self.name, number)
        connection.write(number, batch, metadata)

    def _headers(self, quiet):
        headers = {"arka-ack-until": "COMMITTED"} if quiet else {}
        if self.kind is Kind.EXACTLY_ONCE:
            headers["arka-producer"] = self.name
        return headers

    def _to_resend(self, location, quiet):
        """The numbers that the next connection sends first; when quiet, none means that all is done."""
        if self.kind is Kind.AT_MOST_ONCE:
            return []
        if self.kind is Kind.AT_LEAST_ONCE:
            return [n for n in range(1, self.next) if self.writes[n].rank < LOCAL_DISK]
        first = self._last_seq(location) + 1
        if quiet and self._all_committed and first == self.next:
            self._history.complete[self.table, self.name] = first - 1
            return []
        if quiet or self._rng.random() < 0.5:
            first = max(1, first - self._rng.randrange(1, RESEND_TOO))
        return list(range(first, self.next))

    def _last_seq(self, location):
        """The server's answer, held against what it acknowledged."""
        body = json.dumps({"producer": self.name, "table": self.table}).encode()
        with flight.connect(location) as client:
            try:
                [result] = client.do_action(flight.Action("last_seq", body))
            except pa.ArrowKeyError:  # NOT_FOUND: no write of anybody has made the table yet
                return 0
        last_seq = json.loads(result.body.to_pybytes())["last_seq"]
        durable = max((n for n, w in self.writes.items() if w.rank >= LOCAL_DISK), default=0)
        if not durable <= last_seq < self.next:
            self._history.violated(
                f"last_seq of {self.name} on {self.table} is {last_seq}, but {durable} is acknowledged "
                f"at LOCAL_DISK and {self.next - 1} the last one sent")
        return last_seq
