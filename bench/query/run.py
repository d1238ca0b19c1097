#!/usr/bin/env python3
"""./dev bench query: tables read through Flight and asked in SQL, beside a Flight server of Arrow's
own, DuckDB alone on the same files, and writes that go on. Starts and stops everything itself;
prints one table; leaves a JSON file with every run. docs/benchmarks.md says what the rows mean.
Exits 1 when a run was void, not when a target is missed.
"""

import argparse
import dataclasses
import datetime
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "bench/write"), str(ROOT / "tests")]
# pylint: disable=wrong-import-position
import machine  # noqa: E402
import reading  # noqa: E402
from bench import Bench, measure  # noqa: E402
from committed_sql import committed_sql  # noqa: E402
from fresh_sql import fresh_sql  # noqa: E402
from hostile_queries import hostile_queries  # noqa: E402
from plan import QUICK, Plan  # noqa: E402
from queries_beside_writes import queries_beside_writes  # noqa: E402
from report import publish  # noqa: E402

ROWS = {
    "fresh": reading.fresh,
    "committed": reading.committed,
    "fresh-sql": fresh_sql,
    "committed-sql": committed_sql,
    "beside-writes": queries_beside_writes,
    "hostile": hostile_queries,
}
PROGRAMS = ("arka", "arka-query-worker", "arka_bench_client", "arka_bench_disk_probe")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run on a tenth of the rows")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW",
                        help=", ".join(ROWS))
    parser.add_argument("--rows", type=int, help="of the large table (10,000,000)")
    parser.add_argument("--repeats", type=int, help="runs of each row (3)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for Arka")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--output", type=pathlib.Path, help="build/bench/query-DATE.json")
    return parser.parse_args()


def main():
    args = parse()
    build = args.build_dir.resolve()
    for program in PROGRAMS:
        if not (build / program).exists():
            print(f"{build / program} is missing: ./dev build", file=sys.stderr)
            return 2
    given = {name: getattr(args, name) for name in ("rows", "repeats") if getattr(args, name)}
    plan = dataclasses.replace(QUICK if args.quick else Plan(), **given)
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=ROOT / "build/bench"))
    started, about = datetime.datetime.now(), machine.describe(ROOT)
    try:
        bench = Bench(build, work, plan, dict(pair.split("=", 1) for pair in args.set))
        lines, runs, void = measure(bench, ROWS, args.only or list(ROWS))
        bench.probe("the end")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    bench.warnings += [*bench.company(), *bench.drift()]
    output = args.output or ROOT / f"build/bench/query-{started:%Y%m%d-%H%M%S}.json"
    publish(output, bench, about, started, lines, runs, void, quick=args.quick, peer="peer")
    if void:
        print(f"void: {', '.join(void)}", file=sys.stderr)
    return 1 if void else 0


if __name__ == "__main__":
    sys.exit(main())
