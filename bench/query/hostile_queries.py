"""Row `hostile`: acks of writes while statements that want everything run as often as they may."""

import concurrent.futures
import itertools
import time

import pyarrow as pa
import pyarrow.flight as flight
from orders import connect
from report import Line
from statements import query, spread
from steady_writes import RATE, ack_p99s, alternate
from testbed.hostile_sql import BOMBS, HOSTILE

TARGET = 1.25  # x the p99 without them
CLIENTS = 4  # as many as query.workers
SETTINGS = {"query.timeout": "2s", "query.memory_limit": "512MB"}


class HostileClients:
    """Clients that send bombs, and a refused statement between two, until their time is over."""

    def __init__(self, server, seconds):
        self._server, self._seconds = server, seconds
        self._pool = concurrent.futures.ThreadPoolExecutor(CLIENTS)

    def start(self):
        self._deadline = time.monotonic() + self._seconds
        self._asking = [self._pool.submit(self._ask, first) for first in range(CLIENTS)]

    def join(self):
        """How many statements were answered and how many were not."""
        told = [asking.result() for asking in self._asking]
        self._pool.shutdown()
        return {name: sum(one[name] for one in told) for name in told[0]}

    def _ask(self, first):
        """Each client begins elsewhere in the set, so that different ones meet."""
        told = {"answered": 0, "ended": 0, "refused": 0}
        bombs = itertools.islice(itertools.cycle(BOMBS), first * 2, None)
        with connect(self._server) as client:
            for bomb, hostile in zip(bombs, itertools.cycle(HOSTILE)):
                if time.monotonic() > self._deadline:
                    return told
                told["answered" if self._succeeds(client, bomb) else "ended"] += 1
                if self._succeeds(client, hostile):
                    raise RuntimeError(f"a hostile statement was answered: {hostile}")
                told["refused"] += 1

    @staticmethod
    def _succeeds(client, sql):
        try:
            query(client, sql)
            return True
        except (pa.ArrowException, flight.FlightError):
            return False


def hostile_queries(bench):
    with bench.arka(SETTINGS) as arka:
        runs = alternate(bench, arka, lambda: HostileClients(arka, bench.plan.seconds))
        if not arka.alive():
            raise RuntimeError(f"the server ended; see {arka.log}")
    alone, beside = ack_p99s(runs)
    ended = spread([run["company"]["ended"] for run in runs["beside"]])
    row = f"hostile SQL beside {RATE:,} writes/s"
    ratio = beside[1] / alone[1]
    return runs, [
        Line(row, "LOCAL_DISK p99 ms, peer: no queries", alone, beside, f"<= {TARGET} x alone",
             f"{ratio:.2f} x", ratio <= TARGET),
        Line(row, "statements ended at a limit in a run", None, ended, "(shown)", "", None),
    ]
