#!/usr/bin/env python3
"""./dev bench clients [LANGUAGE...]: the client libraries beside the plain libraries that they are made
of, an echo server, and Kafka's producer. Starts and stops everything itself; prints one table; leaves a
JSON file with every run. docs/benchmarks.md says what the rows mean. Exits 1 when a run was void, not
when a target is missed.
"""

import argparse
import contextlib
import datetime
import functools
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench/write"))
# pylint: disable=wrong-import-position
import kafka_producers  # noqa: E402
import machine  # noqa: E402
from bench import Bench, company, measure  # noqa: E402
from languages import languages, measure_language  # noqa: E402
from plan import Plan  # noqa: E402
from report import publish  # noqa: E402

PROGRAMS = ("arka", "arka-query-worker", "arka_bench_echo_server", "arka_bench_disk_probe")
KAFKA = "kafka"


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE",
                        help=f"of {', '.join(languages())}; {KAFKA}: its producers alone (all)")
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="of a run (5)")
    parser.add_argument("--runs", type=int, default=Plan.repeats, help="of each program (3)")
    parser.add_argument("--rows", type=int, default=Plan.rows, help="of a write (10)")
    parser.add_argument("--no-kafka", action="store_true", help="needs neither Maven nor Java")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for Arka")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--output", type=pathlib.Path, help="build/bench/clients-DATE.json")
    args = parser.parse_args()
    there = languages() + ([] if args.no_kafka else [KAFKA])
    unknown = set(args.languages) - set(there)
    if unknown:
        parser.error(f"no {', '.join(unknown)}; there are {', '.join(there)}")
    args.languages = args.languages or there
    return args


def main():
    args = parse()
    build = args.build_dir.resolve()
    for program in PROGRAMS:
        if not (build / program).exists():
            print(f"{build / program} is missing: ./dev build", file=sys.stderr)
            return 2
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=ROOT / "build/bench"))
    started, about = datetime.datetime.now(), machine.describe(ROOT)
    plan = Plan(repeats=args.runs, seconds=args.seconds, rows=args.rows)
    try:
        bench = Bench(build, work, plan, dict(pair.split("=", 1) for pair in args.set))
        with_kafka = functools.partial(kafka_producers.running, bench)
        if args.no_kafka:
            with_kafka = contextlib.nullcontext
        else:
            kafka_producers.install()
        rows = {name: functools.partial(measure_language, name=name, start_kafka=with_kafka)
                for name in languages()}
        rows[KAFKA] = kafka_producers.measure_kafka
        lines, runs, void = measure(bench, rows, args.languages)
        bench.probe("the end")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for name, results in runs.items():
        bench.warnings += company(name, results)
    bench.warnings += bench.drift()
    output = args.output or ROOT / f"build/bench/clients-{started:%Y%m%d-%H%M%S}.json"
    publish(output, bench, about, started, lines, runs, void, peer="peer")
    if void:
        print(f"void: {', '.join(void)}", file=sys.stderr)
    return 1 if void else 0


if __name__ == "__main__":
    sys.exit(main())
