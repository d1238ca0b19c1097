"""Statements in SQL: asked through Flight, checked, and how long they take."""

import statistics
import time

import pyarrow.flight as flight


def query(client, sql):
    """The answer, from GetFlightInfo to its last row."""
    info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
    return client.do_get(info.endpoints[0].ticket).read_all()


def count_and_sum(table):
    return f"SELECT count(*) AS n, sum(number)::BIGINT AS total FROM {table}"


def check_count_and_sum(answer, rows):
    """Fails unless it is that of the numbers 0 to rows - 1, each once."""
    expected = {"n": [rows], "total": [rows * (rows - 1) // 2]}
    if answer.to_pydict() != expected:
        raise RuntimeError(f"{answer.to_pydict()}, where it must be {expected}")


def median_ms(times, ask, before=None):
    """The median of `times` calls of ask(); before() comes before each, off the clock."""
    taken = []
    for _ in range(times):
        if before is not None:
            before()
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def spread(values):
    return min(values), statistics.median(values), max(values)
