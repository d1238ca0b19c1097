"""Row `beside-writes`: fifty queries a second of a table that takes 10,000 writes a second."""

from paced_queries import PacedQueries
from report import Line
from statements import spread
from steady_writes import RATE, ack_p99s, alternate, writes_per_s

QUERIES = 50  # a second
KEPT = 0.98  # of either rate: the last ack and the last answer come after the last was due
ACK_TARGET_MS = 10  # that of steady writes alone
SQL = "SELECT count(*) AS n, max(time) AS last FROM arka.bench"


def never_fewer(answers):
    counts = [answer.column("n")[0].as_py() for answer in answers]
    if counts != sorted(counts):
        raise RuntimeError("a query saw fewer rows than the one before it")


def queries_beside_writes(bench):
    with bench.arka() as arka:
        runs = alternate(bench, arka, lambda: PacedQueries(
            arka, SQL, QUERIES, bench.plan.seconds, check=never_fewer))
    of_queries = lambda name: spread([run["company"][name] for run in runs["beside"]])
    alone, beside = ack_p99s(runs)
    answered = of_queries("queries_per_s")
    written = spread([writes_per_s(run) for run in runs["beside"]])
    row = f"{QUERIES} queries/s beside {RATE:,} writes/s"
    return runs, [
        Line(row, "queries/s", None, answered, f">= {KEPT} x {QUERIES}", "",
             answered[1] >= KEPT * QUERIES),
        Line(row, "query p50 ms", None, of_queries("p50_ms"), "(shown)", "", None),
        Line(row, "query p99 ms", None, of_queries("p99_ms"), "(shown)", "", None),
        Line(row, "writes/s", spread([writes_per_s(run) for run in runs["alone"]]), written,
             f">= {KEPT} x {RATE:,}", "", written[1] >= KEPT * RATE),
        Line(row, "LOCAL_DISK p99 ms, peer: no queries", alone, beside, f"< {ACK_TARGET_MS}",
             f"{beside[1] / alone[1]:.2f} x", beside[1] < ACK_TARGET_MS),
    ]
