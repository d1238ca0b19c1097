"""Row `committed-sql`: statements over committed rows, beside DuckDB alone on the same files."""

import glob

import duckdb
from orders import commit, connect, orders, write
from report import Line
from statements import check_count_and_sum, count_and_sum, median_ms, query, spread

TARGET = 1.3  # x DuckDB
NEVER = {"durability.iceberg_commit_interval": "24h"}
THREADS = 2  # of both: query.threads of Arka


def statements(rows):
    """What is asked, by the figure's name; {} is the table."""
    return {
        "count and sum": count_and_sum("{}"),
        "group by 100 groups": "SELECT customer % 100 AS part, count(*) AS n, sum(price) AS total,"
                               " max(number) AS last FROM {} GROUP BY part ORDER BY part",
        "one row by its number": f"SELECT * FROM {{}} WHERE number = {rows * 7 // 9}",
    }


def same(arka, alone):
    """Whether two answers are; sums of floating point numbers depend on their order."""
    for name in alone.column_names:
        for ours, theirs in zip(arka.column(name).to_pylist(), alone.column(name).to_pylist()):
            near = isinstance(theirs, float) and abs(ours - theirs) <= 1e-9 * abs(theirs)
            if ours != theirs and not near:
                return False
    return arka.num_rows == alone.num_rows and arka.column_names == alone.column_names


def run_of(plan, askers, sql):
    """{asker: ms}, in the order of `askers`; the first query of each is only looked at."""
    answers = {name: ask(sql) for name, ask in askers.items()}
    if not same(answers["arka"], answers["duckdb"]):
        raise RuntimeError(f"{sql}: {answers}")
    return {name: median_ms(plan.asks, lambda: ask(sql)) for name, ask in askers.items()}


def committed_sql(bench):
    plan = bench.plan
    asked = statements(plan.rows)
    with bench.arka(NEVER) as arka, connect(arka) as client, \
            duckdb.connect(config={"threads": THREADS}) as connection:
        write(client, orders(plan.rows), "bench", "orders")
        commit(client)
        files = glob.glob(f"{arka.data_dir}/warehouse/bench/orders/data/*.parquet")
        by_arka = lambda sql: query(client, sql.format("bench.orders"))
        alone = lambda sql: connection.sql(
            sql.format(f"read_parquet({files})")).to_arrow_table()
        check_count_and_sum(alone(count_and_sum("{}")), plan.rows)
        runs = {name: [] for name in asked}
        for turn in range(plan.repeats):
            askers = [("arka", by_arka), ("duckdb", alone)]
            for name, sql in asked.items():
                order = askers if turn % 2 == 0 else askers[::-1]
                runs[name].append(run_of(plan, dict(order), sql))
    lines = []
    for name, of_name in runs.items():
        ours, theirs = (spread([run[asker] for run in of_name]) for asker in ("arka", "duckdb"))
        ratio = ours[1] / theirs[1]
        lines.append(Line("committed-sql", f"ms, {name}, {plan.rows:,} rows", theirs, ours,
                          f"<= {TARGET} x DuckDB", f"{ratio:.2f} x", ratio <= TARGET))
    return runs, lines
