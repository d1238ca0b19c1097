#!/usr/bin/env python3
"""./dev bench write: Arka's write path beside a Flight server that only echoes, and beside the
disk. Starts and stops everything itself; prints one table; leaves a JSON file with every run.
docs/benchmarks.md says what the rows mean. Exits 1 when a run was void, not when a target is missed.
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import pathlib
import resource
import shutil
import sys
import tempfile
import time

import contestants
import machine
from report import table
from rows import ROWS
from runs import QUICK, Load, Plan, alternate

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRIFT = 1.5  # a probe this far from the first one makes figures hard to compare
FOREIGN_CORES = 0.15  # other processes' share of the machine that is worth a warning


class Bench:
    """What a row needs: load, the plan, contestants in fresh directories, the disk probe."""

    def __init__(self, build, work, plan, settings):
        self.plan = plan
        self.load = Load(build)
        self.probes = []
        self.warnings = []
        self._build = build
        self._work = work
        self._settings = settings

    def probe(self, label):
        probe = machine.probe_disk(self._build, self._work / "probe", self.plan.probe_seconds)
        self.probes.append({"before": label, **probe})
        return probe

    def drift(self):
        """A line for each block size whose p50 moved away from what it was at first."""
        for size in ("4k", "1m"):
            p50s = [(probe[size]["p50_us"], probe["before"]) for probe in self.probes]
            first, low, high = p50s[0][0], min(p50s), max(p50s)
            if low[0] < first / DRIFT or high[0] > first * DRIFT:
                yield (
                    f"the disk drifted: fdatasync after {size} had a p50 of {first:.0f} us at first,"
                    f" {low[0]:.0f} before {low[1]}, {high[0]:.0f} before {high[1]}"
                )

    @contextlib.contextmanager
    def arka(self, settings=None):
        with self._directory() as work:
            values = {**(settings or {}), **self._settings}
            with self._running(contestants.start_arka(self._build, work, values)) as arka:
                yield arka

    @contextlib.contextmanager
    def echo(self):
        with self._directory() as work:
            with self._running(contestants.start_echo(self._build, work)) as echo:
                yield echo

    @contextlib.contextmanager
    def both(self, settings=None):
        with self.echo() as echo, self.arka(settings) as arka:
            yield [echo, arka]

    def warm_and_alternate(self, started, run):
        """run(contestant, seconds); the first, short run of each is thrown away."""
        for contestant in started:
            run(contestant, 0.5)
        return alternate(started, self.plan.repeats, lambda c: run(c, self.plan.seconds))

    @contextlib.contextmanager
    def _directory(self):
        work = pathlib.Path(tempfile.mkdtemp(dir=self._work))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    @contextlib.contextmanager
    def _running(self, contestant):
        try:
            contestant.settle(limit_seconds=10)  # Arka writes spare log segments when it starts
            yield contestant
        finally:
            trouble = contestant.stop()
            if trouble:
                self.warnings.append(trouble)


def company(name, runs):
    """What besides the contestants the row was sharing the processors with, if it matters."""
    all_runs = [run for results in runs.values() for run in results]
    share = max(run["foreign_cores"] + run["stolen_cores"] for run in all_runs)
    if share > FOREIGN_CORES:
        yield f"{name}: other processes used up to {share:.2f} cores; figures are worth little"
    if not all(run["settled"] for run in all_runs):
        yield f"{name}: a server was still busy a minute after a run"


def measure(bench, names):
    """(lines of the table, {row: runs}, rows that were void)."""
    lines, runs, void = [], {}, []
    for name in names:
        started = time.monotonic()
        print(f"{name} ...", end="", file=sys.stderr, flush=True)
        bench.probe(name)
        try:
            runs[name], new_lines = ROWS[name](bench)
        except RuntimeError as error:
            void.append(name)
            print(f" VOID\n{error}", file=sys.stderr)
            continue
        lines += new_lines
        bench.warnings += company(name, runs[name])
        print(f" {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return lines, runs, void


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
        lines, runs, void = measure(bench, rows_to_run(args))
        last = bench.probe("the end")
    finally:
        shutil.rmtree(work, ignore_errors=True)

    print(
        f"\nArka {about['revision']} on {about['cores']} x {about['processor']},"
        f" {started:%Y-%m-%d %H:%M}{', QUICK: one short run, no judgement' if args.quick else ''}"
    )
    for size, first in bench.probes[0].items():
        if size != "before":
            print(
                f"disk, fdatasync after {size}: {first['ops_per_s']:,.0f}/s,"
                f" {first['mb_per_s']:,.0f} MB/s, p50 {first['p50_us']:.0f} us, p99"
                f" {first['p99_us']:.0f} us (at the end p50 {last[size]['p50_us']:.0f} us)"
            )
    print("\n" + table(lines))
    bench.warnings += bench.drift()
    for warning in bench.warnings:
        print(f"warning: {warning}")
    output = args.output or ROOT / f"build/bench/write-{started:%Y%m%d-%H%M%S}.json"
    document = {
        "started": started.isoformat(timespec="seconds"),
        "machine": about,
        "plan": dataclasses.asdict(plan),
        "probes": bench.probes,
        "lines": [{**dataclasses.asdict(line), "verdict": line.verdict()} for line in lines],
        "warnings": bench.warnings,
        "void": void,
        "runs": runs,
    }
    output.write_text(json.dumps(document, indent=1))
    print(f"every run: {output}")
    if void:
        print(f"void: {', '.join(void)}", file=sys.stderr)
    return 1 if void else 0


if __name__ == "__main__":
    sys.exit(main())
