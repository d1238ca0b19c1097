"""What the benchmarks have in common: contestants in fresh directories, the disk beside them, and
rows that are measured one after the other."""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import time

import contestants
import machine
from runs import Load, alternate

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
        self.probes.append({"before": label, "foreign_cores": machine.busy_cores(0.3), **probe})
        return probe

    def company(self):
        """A line for each row before which others kept the processors busy."""
        for probe in self.probes:
            if probe["foreign_cores"] > FOREIGN_CORES:
                yield (f"before {probe['before']} other processes used {probe['foreign_cores']:.2f}"
                       " cores; such figures are worth little")

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
        with self.directory() as work:
            values = {**(settings or {}), **self._settings}
            with self._running(contestants.start_arka(self._build, work, values)) as arka:
                yield arka

    @contextlib.contextmanager
    def echo(self):
        with self.directory() as work:
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
    def directory(self):
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


def measure(bench, rows, names):
    """(lines of the table, {row: runs}, rows that were void); `rows` are functions by name."""
    lines, runs, void = [], {}, []
    for name in names:
        started = time.monotonic()
        print(f"{name} ...", end="", file=sys.stderr, flush=True)
        bench.probe(name)
        try:
            runs[name], new_lines = rows[name](bench)
        except RuntimeError as error:
            void.append(name)
            print(f" VOID\n{error}", file=sys.stderr)
            continue
        lines += new_lines
        print(f" {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return lines, runs, void
