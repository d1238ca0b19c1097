#!/usr/bin/env python3
"""./dev bench query: tables read through Flight, beside a Flight server of Arrow's own that gives the
same rows out of memory, in the same minute. Starts and stops everything itself; prints one table;
leaves a JSON file with every run. docs/benchmarks.md says what the rows mean. Exits 1 when a run was
void, not when a target is missed.
"""

import argparse
import dataclasses
import datetime
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import pyarrow.flight as flight

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/write"))
import contestants  # noqa: E402  pylint: disable=wrong-import-position
import machine  # noqa: E402  pylint: disable=wrong-import-position
from orders import orders  # noqa: E402  pylint: disable=wrong-import-position
from report import Line, table  # noqa: E402  pylint: disable=wrong-import-position

TABLE = flight.FlightDescriptor.for_path("bench", "orders")
ONE_ROW = flight.FlightDescriptor.for_path("bench", "one_row")
TARGET = 0.7  # of raw Flight
FIRST_ROW_TARGET_MS = 15
NEVER = {"durability.iceberg_commit_interval": "24h"}


def write(client, rows, *path):
    """All of a table of `rows`, durable on disk."""
    data = orders(rows)
    writer, reader = client.do_put(flight.FlightDescriptor.for_path(*path), data.schema)
    for batch in data.to_batches():
        writer.write_batch(batch)
    writer.done_writing()
    while reader.read() is not None:
        pass
    writer.close()


def read_all(client, descriptor, rows):
    """Seconds and megabytes of a whole read, from GetFlightInfo on, one endpoint after the other."""
    began = time.monotonic()
    info = client.get_flight_info(descriptor)
    parts = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]
    seconds = time.monotonic() - began
    got = sum(part.num_rows for part in parts)
    total = sum(sum(part.column("number").to_numpy()) for part in parts)
    if got != rows or total != rows * (rows - 1) // 2:
        raise RuntimeError(f"{got} rows with the sum {total}; there are {rows}")
    return seconds, sum(part.nbytes for part in parts) / 1e6


def first_row_ms(client, times):
    """Milliseconds from GetFlightInfo to the row of a table that has one."""
    taken = []
    for _ in range(times):
        began = time.monotonic()
        info = client.get_flight_info(ONE_ROW)
        rows = sum(client.do_get(endpoint.ticket).read_all().num_rows for endpoint in info.endpoints)
        taken.append((time.monotonic() - began) * 1000)
        if rows != 1:
            raise RuntimeError(f"{rows} rows where there is one")
    return statistics.median(taken)


def alternate(arka, raw, rows, repeats):
    """Runs of (MB/s of raw Flight, MB/s of Arka), one after the other."""
    runs = []
    for _ in range(repeats):
        rates = {}
        for name, client in (("raw", raw), ("arka", arka)):
            seconds, megabytes = read_all(client, TABLE, rows)
            rates[name] = megabytes / seconds
        runs.append(rates)
    return runs


def measure(args, work):
    raw = contestants.Contestant(
        "raw", [], [sys.executable, ROOT / "bench/query/raw_flight.py", str(args.rows)],
        work / "raw.log")
    arka = contestants.start_arka(args.build_dir.resolve(), work, NEVER)
    runs = {}
    try:
        with flight.connect(f"grpc://127.0.0.1:{raw.port}") as of_raw, \
                flight.connect(f"grpc://127.0.0.1:{arka.port}") as of_arka:
            write(of_arka, args.rows, "bench", "orders")
            write(of_arka, 1, "bench", "one_row")
            runs["fresh"] = alternate(of_arka, of_raw, args.rows, args.repeats)
            runs["first-row-fresh"] = [first_row_ms(of_arka, 50) for _ in range(args.repeats)]
            for _ in of_arka.do_action(flight.Action("commit", b"{}")):
                pass
            runs["committed"] = alternate(of_arka, of_raw, args.rows, args.repeats)
            runs["first-row-committed"] = [first_row_ms(of_arka, 50) for _ in range(args.repeats)]
    finally:
        trouble = arka.stop()
        raw.kill()
    if trouble:
        raise RuntimeError(trouble)
    return runs


def spread(values):
    return min(values), statistics.median(values), max(values)


def lines_of(runs, rows):
    for name in ("fresh", "committed"):
        raw = spread([run["raw"] for run in runs[name]])
        arka = spread([run["arka"] for run in runs[name]])
        ratio = arka[1] / raw[1]
        yield Line(name, f"MB/s, {rows:,} rows", raw, arka, f">= {TARGET} x raw", f"{ratio:.2f} x",
                   ratio >= TARGET)
        first = spread(runs[f"first-row-{name}"])
        yield Line(name, "ms to the row of a small table, p50 of 50", None, first,
                   f"< {FIRST_ROW_TARGET_MS}", f"{first[1]:.1f}", first[1] < FIRST_ROW_TARGET_MS)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run on a tenth of the rows")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the table (10,000,000)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each row (3)")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--output", type=pathlib.Path, help="build/bench/query-DATE.json")
    args = parser.parse_args()
    if args.quick:
        args.rows, args.repeats = args.rows // 10, 1
    return args


def main():
    args = parse()
    if not (args.build_dir / "arka").exists():
        print(f"{args.build_dir / 'arka'} is missing: ./dev build", file=sys.stderr)
        return 2
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=ROOT / "build/bench"))
    started, about = datetime.datetime.now(), machine.describe(ROOT)
    try:
        runs = measure(args, work)
    except RuntimeError as error:
        print(f"VOID: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = list(lines_of(runs, args.rows))
    print(f"\nArka {about['revision']} on {about['cores']} x {about['processor']},"
          f" {started:%Y-%m-%d %H:%M}{', QUICK: no judgement' if args.quick else ''}\n")
    print(table(lines, peer="raw"))
    output = args.output or ROOT / f"build/bench/query-{started:%Y%m%d-%H%M%S}.json"
    output.write_text(json.dumps({
        "started": started.isoformat(timespec="seconds"), "machine": about,
        "lines": [{**dataclasses.asdict(line), "verdict": line.verdict()} for line in lines],
        "runs": runs}, indent=1))
    print(f"every run: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
