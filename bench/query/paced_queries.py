"""Queries at a steady rate. Latency counts from when a query was due, as with steady writes."""

import concurrent.futures
import math
import threading
import time

from orders import connect
from statements import query


class PacedQueries:
    """`rate` queries a second for `seconds` over a few connections; check(answers of a connection)
    looks at what they said."""

    def __init__(self, server, sql, rate, seconds, connections=4, check=None):
        self._server, self._sql, self._check = server, sql, check or (lambda answers: None)
        self._rate, self._count, self._connections = rate, int(rate * seconds), connections
        self._lock, self._next = threading.Lock(), 0
        self._pool = concurrent.futures.ThreadPoolExecutor(connections)

    def start(self):
        self._started = time.monotonic()
        self._asking = [self._pool.submit(self._ask) for _ in range(self._connections)]

    def join(self):
        """The figures, once the last is answered; raises what a query failed with."""
        asked = [one for asking in self._asking for one in asking.result()]
        self._pool.shutdown()
        latencies = sorted(ended - due for due, ended in asked)
        took = max(ended for _, ended in asked) - self._started
        return {"queries": len(asked), "queries_per_s": len(asked) / took,
                "p50_ms": percentile(latencies, 0.5) * 1000,
                "p99_ms": percentile(latencies, 0.99) * 1000, "max_ms": latencies[-1] * 1000}

    def _ask(self):
        """Takes the next query that nobody has taken, waits until it is due, asks."""
        asked, answers = [], []
        with connect(self._server) as client:
            while (number := self._take()) is not None:
                due = self._started + number / self._rate
                time.sleep(max(0, due - time.monotonic()))
                answers.append(query(client, self._sql))
                asked.append((due, time.monotonic()))
        self._check(answers)
        return asked

    def _take(self):
        with self._lock:
            if self._next == self._count:
                return None
            self._next += 1
            return self._next - 1


def percentile(ordered, share):
    """Nearest rank, as the load generator's."""
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]
