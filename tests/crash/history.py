"""What was sent and what was acknowledged, over all connections: the client's side of the truth.

Checks what one connection's acks must be as it takes them in; oracle.py checks the rest in the end.
"""

import collections
import dataclasses
import threading

LEVELS = ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")
RANK = {level: rank for rank, level in enumerate(LEVELS)}
LOCAL_DISK, COMMITTED = RANK["LOCAL_DISK"], RANK["COMMITTED"]


class Violation(AssertionError):
    """A guarantee that did not hold."""


@dataclasses.dataclass
class Write:
    """One write of a producer: how often it was sent, and what its acks said."""

    sends: int = 0
    rank_of: dict = dataclasses.field(default_factory=dict)  # LSN -> highest rank acknowledged
    snapshots: set = dataclasses.field(default_factory=set)  # (LSN, snapshot) of COMMITTED acks

    @property
    def rank(self):
        """The highest level that any of its LSNs was acknowledged at; -1 for none."""
        return max(self.rank_of.values(), default=-1)


class History:
    """Thread-safe. `writes` is {(table, producer): {number: Write}}."""

    def __init__(self):
        self._lock = threading.Lock()
        self.writes = collections.defaultdict(lambda: collections.defaultdict(Write))
        self.owner = {}  # (node, LSN) -> (table, producer, number)
        self._highest = collections.Counter()  # (node, table, producer) -> its highest LSN
        self.exactly_once = set()  # producers with seq
        self.complete = {}  # (table, producer with seq) -> its last number, when all are there
        self.violations = []
        self.connections = 0
        self.sends = 0
        self.acks = 0
        self.acks_by_level = collections.Counter()

    def violated(self, message):
        with self._lock:
            self.violations.append(message)

    def raise_violations(self):
        with self._lock:
            if self.violations:
                raise Violation("; ".join(self.violations[:5]))

    def add(self, table, producer, connection, *, exactly_once, node="node-1"):
        """Takes in all of a connection that has ended. The n-th initial ack is the n-th write's."""
        where = f"{producer} on {table}, connection opened {connection.opened:.3f}"
        initial = [ack.lsn for ack in connection.acks if not ack.is_update]
        number_of = dict(zip(initial, connection.sent))
        problems = _order_problems(connection.acks)
        if len(initial) > len(connection.sent):
            problems.append(f"{len(initial)} initial acks for {len(connection.sent)} writes")
        with self._lock:
            self.connections += 1
            if exactly_once:
                self.exactly_once.add(producer)
            self.sends += len(connection.sent)
            self.acks += len(connection.acks)
            writes = self.writes[table, producer]
            if exactly_once:  # a resend may be answered with an early LSN that nobody has heard of yet
                never_sent = {number for number in connection.sent if number not in writes}
                new = [lsn for lsn, number in number_of.items() if number in never_sent]
            else:
                new = [lsn for lsn in initial if (node, lsn) not in self.owner]
            for number in connection.sent:
                writes[number].sends += 1
            highest = self._highest[node, table, producer]
            if [highest, *new] != sorted({highest, *new}):
                problems.append(f"LSNs do not increase: {[highest, *new][:20]}")
            if exactly_once and initial != sorted(initial):
                problems.append(f"LSNs do not increase with the seq: {initial[:20]}")
            self._highest[node, table, producer] = max([highest, *initial])
            if len(set(initial)) != len(initial):
                problems.append("an LSN was given to two writes of one stream")
            for lsn, number in number_of.items():
                owner = self.owner.setdefault((node, lsn), (table, producer, number))
                if owner != (table, producer, number):
                    problems.append(f"LSN {lsn} of {owner} was given again, to {number}")
                elif not exactly_once and lsn in writes[number].rank_of:
                    problems.append(f"LSN {lsn} was given twice to write {number}, without a seq")
                durable = {l for l, rank in writes[number].rank_of.items() if rank >= LOCAL_DISK}
                if exactly_once and durable and durable != {lsn}:
                    problems.append(f"write {number} is durable as {durable}, a retry got {lsn}")
            for ack in connection.acks:
                self.acks_by_level[ack.level] += 1
                number = number_of.get(ack.lsn)
                if number is None:
                    problems.append(f"an ack of an LSN that is not this stream's: {ack}")
                    continue
                write = writes[number]
                write.rank_of[ack.lsn] = max(write.rank_of.get(ack.lsn, -1), RANK[ack.level])
                if ack.level == "COMMITTED" and ack.snapshot_id is not None:
                    write.snapshots.add((ack.lsn, ack.snapshot_id))
            self.violations += [f"{where}: {problem}" for problem in problems[:3]]

    def all_writes(self):
        """Every (table, producer, number, Write)."""
        for (table, producer), writes in self.writes.items():
            for number, write in writes.items():
                yield table, producer, number, write

    def durable_lsns(self):
        with self._lock:
            return [lsn for *_, write in self.all_writes() for lsn, rank in write.rank_of.items()
                    if rank >= LOCAL_DISK]


def _order_problems(acks):
    """For one LSN: the initial ack first, levels one after the other, none skipped, none twice."""
    problems, reached = [], {}
    for ack in acks:
        rank = reached.get(ack.lsn, -1) + 1
        if RANK[ack.level] != rank or ack.is_update != (rank > 0):
            problems.append(f"{ack} after {LEVELS[rank - 1] if rank else 'nothing'}")
        reached[ack.lsn] = max(rank, RANK[ack.level])
    return problems
