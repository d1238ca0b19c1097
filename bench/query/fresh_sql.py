"""Row `fresh-sql`: statements over rows that are durable in the log and not committed."""

from orders import connect, orders, write
from report import Line
from statements import check_count_and_sum, count_and_sum, median_ms, query, spread

SUM_TARGET_MS = 100
SMALL_TARGET_MS = 15
NEVER = {"durability.iceberg_commit_interval": "24h"}
NEW_ROWS = 1000  # that come between two queries


class Growing:
    """The table `bench.orders`, and how many rows it has by now."""

    def __init__(self, client, rows):
        self._client, self._rows = client, 0
        self.grow(rows)

    def grow(self, rows=NEW_ROWS):
        write(self._client, orders(rows, first=self._rows), "bench", "orders")
        self._rows += rows

    def count(self):
        check_count_and_sum(query(self._client, count_and_sum("bench.orders")), self._rows)


def lookup(client, number):
    answer = query(client, f"SELECT * FROM bench.lookup WHERE number = {number}")
    if answer.column("number").to_pylist() != [number]:
        raise RuntimeError(f"order {number} was looked up, and found {answer.to_pylist()}")


def one_row(client):
    if query(client, "SELECT * FROM bench.one_row").num_rows != 1:
        raise RuntimeError("a table of one row has another number of rows")


def run_of(plan, client, table):
    return {
        "count_ms": median_ms(plan.asks, table.count),
        "growing_ms": median_ms(plan.asks, table.count, before=table.grow),
        "lookup_ms": median_ms(plan.asks, lambda: lookup(client, plan.lookup_rows * 7 // 9)),
        "one_row_ms": median_ms(50, lambda: one_row(client)),
    }


def fresh_sql(bench):
    plan = bench.plan
    with bench.arka(NEVER) as arka, connect(arka) as client:
        table = Growing(client, plan.rows)
        write(client, orders(plan.lookup_rows), "bench", "lookup")
        write(client, orders(1), "bench", "one_row")
        first = median_ms(1, table.count)
        runs = [run_of(plan, client, table) for _ in range(plan.repeats)]

    def line(figure, name, limit=None):
        values = spread([run[name] for run in runs])
        return Line("fresh-sql", figure, None, values, "(shown)" if limit is None else f"< {limit}",
                    "", None if limit is None else values[1] < limit)

    count = f"ms, count and sum, {plan.rows:,} rows"
    return {"first_ms": first, "runs": runs}, [
        Line("fresh-sql", f"{count}, the first time", None, spread([first]), "(shown)", "", None),
        line(f"{count}, again", "count_ms", SUM_TARGET_MS),
        line(f"{count}, {NEW_ROWS:,} new ones before each", "growing_ms", SUM_TARGET_MS),
        line(f"ms, one row of {plan.lookup_rows:,} by its number", "lookup_ms"),
        line("ms, the row of a small table, p50 of 50", "one_row_ms", SMALL_TARGET_MS),
    ]
