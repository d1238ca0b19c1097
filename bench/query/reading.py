"""Rows `fresh` and `committed`: whole tables read through DoGet, beside a Flight server of Arrow's
own that gives the same rows out of memory."""

import contextlib
import pathlib
import sys
import time

import contestants
import pyarrow.flight as flight
from orders import commit, connect, orders, write
from report import Line
from statements import median_ms, spread

TABLE = flight.FlightDescriptor.for_path("bench", "orders")
ONE_ROW = flight.FlightDescriptor.for_path("bench", "one_row")
TARGET = 0.7  # of raw Flight
FIRST_ROW_TARGET_MS = 15
NEVER = {"durability.iceberg_commit_interval": "24h"}


@contextlib.contextmanager
def raw_flight(bench):
    script = pathlib.Path(__file__).with_name("raw_flight.py")
    with bench.directory() as work:
        raw = contestants.Contestant(
            "raw", [], [sys.executable, script, str(bench.plan.rows)], work / "raw.log")
        try:
            yield raw
        finally:
            raw.kill()


def read_all(client, rows):
    """MB/s of a whole read, from GetFlightInfo on, one endpoint after the other."""
    began = time.monotonic()
    info = client.get_flight_info(TABLE)
    parts = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]
    seconds = time.monotonic() - began
    got = sum(part.num_rows for part in parts)
    total = sum(int(part.column("number").to_numpy().sum()) for part in parts)
    if got != rows or total != rows * (rows - 1) // 2:
        raise RuntimeError(f"{got} rows with the sum {total}; there are {rows}")
    return sum(part.nbytes for part in parts) / 1e6 / seconds


def read_one_row(client):
    info = client.get_flight_info(ONE_ROW)
    rows = sum(client.do_get(endpoint.ticket).read_all().num_rows for endpoint in info.endpoints)
    if rows != 1:
        raise RuntimeError(f"{rows} rows where there is one")


def runs_of(plan, arka, raw):
    """Whole reads of both, one after the other, and reads of one row."""
    runs = []
    for turn in range(plan.repeats):
        clients = {"raw": raw, "arka": arka}
        order = list(clients) if turn % 2 == 0 else list(reversed(clients))
        run = {name: read_all(clients[name], plan.rows) for name in order}
        runs.append({**run, "first_row_ms": median_ms(50, lambda: read_one_row(arka))})
    return runs


def lines_of(row, runs, rows):
    raw, arka, first = (spread([run[name] for run in runs])
                        for name in ("raw", "arka", "first_row_ms"))
    ratio = arka[1] / raw[1]
    return [
        Line(row, f"MB/s, {rows:,} rows", raw, arka, f">= {TARGET} x raw", f"{ratio:.2f} x",
             ratio >= TARGET),
        Line(row, "ms to the row of a small table, p50 of 50", None, first,
             f"< {FIRST_ROW_TARGET_MS}", "", first[1] < FIRST_ROW_TARGET_MS),
    ]


def measure(bench, row, committed):
    with raw_flight(bench) as raw, bench.arka(NEVER) as arka, \
            connect(raw) as of_raw, connect(arka) as of_arka:
        write(of_arka, orders(bench.plan.rows), "bench", "orders")
        write(of_arka, orders(1), "bench", "one_row")
        if committed:
            commit(of_arka)
        runs = runs_of(bench.plan, of_arka, of_raw)
    return runs, lines_of(row, runs, bench.plan.rows)


def fresh(bench):
    return measure(bench, "fresh", committed=False)


def committed(bench):
    return measure(bench, "committed", committed=True)
