#!/usr/bin/env python3
"""./dev bench recovery: how fast a start reads back the log that a killed server left, beside the
rate at which the disk reads the same files in the same minute, and how long it is until ready.
Starts and stops everything itself; prints one table; leaves a JSON file with every run.
docs/benchmarks.md says what the rows mean. Exits 1 when a run was void, not when a target is missed.
"""

import argparse
import dataclasses
import datetime
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/write"))
import cold_files  # noqa: E402  pylint: disable=wrong-import-position
import contestants  # noqa: E402  pylint: disable=wrong-import-position
import machine  # noqa: E402  pylint: disable=wrong-import-position
from report import Line, table  # noqa: E402  pylint: disable=wrong-import-position

REPLAYED = re.compile(r"recovery: (\d+) of \d+ MB of the log read \(100 %, (\d+) MB/s\)")
RESTORED = re.compile(r"recovery: (\d+) write\(s\) go to their tables again")
TARGET = 0.5  # of the disk's rate
FOREIGN_CORES = 0.15
START_SECONDS = 300
# Nothing leaves the log: every start finds the same.
SETTINGS = {
    "durability.iceberg_commit_interval": "24h",
    "durability.s3_upload_interval": "24h",
    "write_buffer.max_unflushed_bytes": "8GB",
}


@dataclasses.dataclass
class Row:
    name: str
    batch: str
    rows: int
    bytes_a_write: int  # in the log, about
    megabytes: int
    target: bool

    def writes(self, megabytes):
        return max(1, megabytes * 1_000_000 // self.bytes_a_write)


ROWS = {row.name: row for row in (
    Row("bulk", "realistic", 10_000, 980_000, 1_000, True),
    Row("small", "realistic", 100, 11_500, 1_000, False),
    Row("one-row", "narrow", 1, 450, 250, False),
)}


class Victim:
    """A data directory with a log in it, and the server that is started on it and killed."""

    def __init__(self, build, directory):
        self._build = build
        self.directory = directory

    def fill(self, row, megabytes):
        server = self._start()
        done = subprocess.run(
            [str(word) for word in (
                self._build / "arka_bench_client", "pipelined", "--json", "--port", server.port,
                "--levels", "LOCAL_DISK", "--batch", row.batch, "--rows", row.rows,
                "--writes", row.writes(megabytes))],
            capture_output=True, text=True, check=False)
        self._kill(server)
        if done.returncode:
            raise RuntimeError(f"the log could not be filled: {done.stderr[-2000:]}")
        return json.loads(done.stdout)["writes"]

    def segments(self):
        return sorted((self.directory / "arka-data/log").glob("0*.log"))

    def start_cold(self):
        """One start after a kill, on a cold cache: what it said and how long it took."""
        kept = cold_files.drop(self.segments())
        disk_mb_per_s = cold_files.read(self.segments())
        kept = max(kept, cold_files.drop(self.segments()))
        busy, stolen = machine.busy_seconds()
        began = time.monotonic()
        server = self._start()
        try:
            wall = time.monotonic() - began
            cpu = server.cpu_seconds()
            busy_now, stolen_now = machine.busy_seconds()
            resident = server.memory_and_threads()["rss_mb"]
        finally:
            self._kill(server)
        said = server.log.read_text()
        replayed, restored = REPLAYED.search(said), RESTORED.search(said)
        if not replayed or not restored:
            raise RuntimeError(f"the start did not say what it read:\n{said[-2000:]}")
        return {
            "ready_s": wall,
            "log_mb": int(replayed[1]) * (1 << 20) / 1e6,
            "replay_mb_per_s": int(replayed[2]) * (1 << 20) / 1e6,
            "restored_writes": int(restored[1]),
            "disk_mb_per_s": disk_mb_per_s,
            "server_cpu_s": cpu,
            "resident_mb": resident,
            "cached_share": kept,
            "foreign_cores": max(0, busy_now - busy - cpu) / wall,
            "stolen_cores": (stolen_now - stolen) / wall,
        }

    def _start(self):
        return contestants.start_arka(self._build, self.directory, SETTINGS, START_SECONDS)

    @staticmethod
    def _kill(server):
        server.kill()


def spread(runs, figure):
    values = [run[figure] for run in runs]
    return min(values), statistics.median(values), max(values)


def lines_of(row, runs):
    disk, replay = spread(runs, "disk_mb_per_s"), spread(runs, "replay_mb_per_s")
    ratio = replay[1] / disk[1]
    judged = (f">= {TARGET} x disk", f"{ratio:.2f} x", ratio >= TARGET)
    yield Line(row.name, f"MB/s, a log of {runs[0]['log_mb']:,.0f} MB", disk, replay,
               *(judged if row.target else ("(shown)", f"{ratio:.2f} x", None)))
    for figure, name in (("ready_s", "s until ready"), ("server_cpu_s", "s of server CPU"),
                         ("resident_mb", "resident MB")):
        yield Line(row.name, name, None, spread(runs, figure), "(shown)", "", None)


def warnings_of(row, runs):
    kept = max(run["cached_share"] for run in runs)
    if kept > 0.01:
        yield f"{row.name}: {kept:.0%} of the log stayed in the page cache: not the disk was measured"
    foreign = max(run["foreign_cores"] + run["stolen_cores"] for run in runs)
    if foreign > FOREIGN_CORES:
        yield f"{row.name}: other processes used up to {foreign:.2f} cores"


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one start on a tenth of the log")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--repeats", type=int, default=3, help="starts a row (3)")
    parser.add_argument("--megabytes", type=int, help="of log, instead of the row's")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--output", type=pathlib.Path, help="build/bench/recovery-DATE.json")
    return parser.parse_args()


def measure(row, args, work):
    directory = pathlib.Path(tempfile.mkdtemp(dir=work))
    try:
        victim = Victim(args.build_dir.resolve(), directory)
        megabytes = args.megabytes or (row.megabytes // 10 if args.quick else row.megabytes)
        written = victim.fill(row, megabytes)
        runs = [victim.start_cold() for _ in range(1 if args.quick else args.repeats)]
        for run in runs:
            if run["restored_writes"] != written:
                raise RuntimeError(f"{run['restored_writes']} of {written} writes came back")
        return runs
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main():
    args = parse()
    for program in ("arka", "arka_bench_client"):
        if not (args.build_dir / program).exists():
            print(f"{args.build_dir / program} is missing: ./dev build", file=sys.stderr)
            return 2
    # Beside the build, so that the log is on the disk that is talked about.
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=ROOT / "build/bench"))
    started, about = datetime.datetime.now(), machine.describe(ROOT)
    lines, warnings, all_runs, void = [], [], {}, []
    try:
        for name in args.only or ROWS:
            row = ROWS[name]
            print(f"{name} ...", end="", file=sys.stderr, flush=True)
            try:
                all_runs[name] = measure(row, args, work)
            except RuntimeError as error:
                void.append(name)
                print(f" VOID\n{error}", file=sys.stderr)
                continue
            print(" done", file=sys.stderr)
            lines += lines_of(row, all_runs[name])
            warnings += warnings_of(row, all_runs[name])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"\nArka {about['revision']} on {about['cores']} x {about['processor']},"
          f" {started:%Y-%m-%d %H:%M}{', QUICK: no judgement' if args.quick else ''}\n")
    print(table(lines, peer="disk"))
    for warning in warnings:
        print(f"warning: {warning}")
    output = args.output or ROOT / f"build/bench/recovery-{started:%Y%m%d-%H%M%S}.json"
    output.write_text(json.dumps({
        "started": started.isoformat(timespec="seconds"), "machine": about,
        "lines": [{**dataclasses.asdict(line), "verdict": line.verdict()} for line in lines],
        "warnings": warnings, "void": void, "runs": all_runs}, indent=1))
    print(f"every run: {output}")
    return 1 if void else 0


if __name__ == "__main__":
    sys.exit(main())
