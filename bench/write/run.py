#!/usr/bin/env python3
"""./dev bench write: Arka's write path beside a Flight server that only echoes, and beside the
disk. Starts and stops everything itself; prints one table; leaves a JSON file with every run.
docs/benchmarks.md says what the rows mean. Exits 1 when a run was void, not when a target is missed.
"""

import argparse
import dataclasses
import datetime
import pathlib
import resource
import shutil
import sys
import tempfile

import machine
from bench import Bench, company, measure
from report import publish
from rows import ROWS
from runs import QUICK, Plan

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short run of each, in a minute")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--repeats", type=int, help="runs of each contestant in a row (3)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for Arka")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--output", type=pathlib.Path, help="build/bench/write-DATE.json")
    return parser.parse_args(arguments)


def rows_to_run(args):
    """Opening 9,000 connections keeps the client busy for 20 s: not for --quick."""
    if args.only:
        return args.only
    return [name for name in ROWS if not (args.quick and name == "streams-9000")]


def main():
    args = parse(sys.argv[1:])
    build = args.build_dir.resolve()
    for program in ("arka", "arka_bench_client", "arka_bench_echo_server", "arka_bench_disk_probe"):
        if not (build / program).exists():
            print(f"{build / program} is missing: ./dev build", file=sys.stderr)
            return 2
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    plan = QUICK if args.quick else Plan()
    if args.repeats:
        plan = dataclasses.replace(plan, repeats=args.repeats)

    # Beside the build, so that probe, log and tables are on the disk that is talked about.
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=ROOT / "build/bench"))
    started = datetime.datetime.now()
    about = machine.describe(ROOT)
    try:
        bench = Bench(build, work, plan, dict(pair.split("=", 1) for pair in args.set))
        lines, runs, void = measure(bench, ROWS, rows_to_run(args))
        bench.probe("the end")
    finally:
        shutil.rmtree(work, ignore_errors=True)

    for name, results in runs.items():
        bench.warnings += company(name, results)
    bench.warnings += bench.drift()
    output = args.output or ROOT / f"build/bench/write-{started:%Y%m%d-%H%M%S}.json"
    publish(output, bench, about, started, lines, runs, void, quick=args.quick)
    if void:
        print(f"void: {', '.join(void)}", file=sys.stderr)
    return 1 if void else 0


if __name__ == "__main__":
    sys.exit(main())
