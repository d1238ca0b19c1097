"""How much the rows of this benchmark do; the only difference between full and --quick."""

import dataclasses


@dataclasses.dataclass
class Plan:
    repeats: int = 3
    rows: int = 10_000_000  # of the large table
    lookup_rows: int = 1_000_000  # of the one that single rows are looked up in
    asks: int = 15  # queries of a repeat, of which the median counts
    seconds: float = 8.0  # of each run beside writes
    probe_seconds: float = 0.3


QUICK = Plan(
    repeats=1, rows=1_000_000, lookup_rows=100_000, asks=5, seconds=2.0, probe_seconds=0.1
)
