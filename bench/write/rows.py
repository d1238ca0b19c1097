"""The rows of the benchmark. Each takes a Bench (run.py), measures, and returns its runs and the
lines of the table. Targets are those of docs/benchmarks.md."""

from report import Line
from runs import alternate, spread

ALL_LEVELS = ["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"]
COMMIT_SECONDS = 5  # for the rows that wait for COMMITTED


def at_least(row, figure, echo, arka, factor):
    ratio = arka[1] / echo[1]
    return Line(row, figure, echo, arka, f">= {factor} x echo", f"{ratio:.2f} x", ratio >= factor)


def above(row, figure, echo, arka, limit, unit=""):
    return Line(row, figure, echo, arka, f">= {limit:,}{unit}", "", arka[1] >= limit)


def below(row, figure, echo, arka, limit, unit=""):
    return Line(row, figure, echo, arka, f"< {limit:,}{unit}", "", arka[1] < limit)


def one_row_writes(bench, row, streams, factor, cpu_limit):
    with bench.both() as contestants:
        runs = bench.warm_and_alternate(
            contestants,
            lambda c, seconds: bench.load.cpp(
                c, "pipelined", seconds=seconds, streams=streams, rows=1
            ),
        )
    figure = lambda *path: (spread(runs["echo"], *path), spread(runs["arka"], *path))
    return runs, [
        at_least(row, "writes/s", *figure("writes_per_s"), factor),
        below(row, "server CPU us/write", *figure("server_us_per_write"), cpu_limit),
    ]


def one_stream(bench):
    return one_row_writes(bench, "one-stream", 1, 1.2, 15)


def four_streams(bench):
    return one_row_writes(bench, "four-streams", 4, 1.6, 7)


def python_client(bench):
    with bench.both() as contestants:
        runs = bench.warm_and_alternate(
            contestants, lambda c, seconds: bench.load.python(c, seconds=seconds, rows=10)
        )
    echo, arka = spread(runs["echo"], "writes_per_s"), spread(runs["arka"], "writes_per_s")
    return runs, [
        above("python", "writes/s", echo, arka, 20_000),
        at_least("python", "writes/s", echo, arka, 0.8),
    ]


def bulk(bench):
    with bench.both() as contestants:
        runs = alternate(
            contestants,
            bench.plan.repeats,
            lambda c: bench.load.cpp(
                c, "pipelined", batch="realistic", rows=10_000, writes=bench.plan.bulk_writes
            ),
        )
    echo, arka = spread(runs["echo"], "mb_per_s"), spread(runs["arka"], "mb_per_s")
    figure = f"MB/s, {runs['arka'][0]['mb']:,.0f} MB a run"
    return runs, [
        at_least("bulk", figure, echo, arka, 0.8),
        above("bulk", figure, echo, arka, 500, " MB/s"),
    ]


def ping_pong(bench):
    disk = bench.probes[-1]["4k"]["p50_us"]
    with bench.both() as contestants:
        runs = bench.warm_and_alternate(
            contestants, lambda c, seconds: bench.load.cpp(c, "ping-pong", seconds=seconds)
        )
    lines = []
    for name in ("p50_us", "p99_us"):
        echo, arka = (spread(runs[c], "latency", name) for c in ("echo", "arka"))
        lines.append(Line("ping-pong", name[:3] + " us", echo, arka, "(shown)", "", None))
    lines[0].target = "<= 500 us if disk < 200"
    lines[0].result = f"disk {disk:.0f} us"
    lines[0].met = lines[0].arka[1] <= 500 if disk < 200 else None
    return runs, lines


def steady(bench):
    settings = {"durability.iceberg_commit_interval": f"{COMMIT_SECONDS}s"}
    with bench.both(settings) as contestants:

        def run(contestant):
            levels = ALL_LEVELS if contestant.name == "arka" else contestant.levels
            return bench.load.cpp(
                contestant,
                "steady",
                levels=levels,
                rate=10_000,
                seconds=bench.plan.steady_seconds,
            )

        runs = alternate(contestants, bench.plan.repeats, run)
    row = "steady 10,000/s"
    milli = lambda results, level, name: tuple(
        value / 1000 for value in spread(results, "levels", level, name)
    )
    arka = lambda level, name: milli(runs["arka"], level, name)
    echo = milli(runs["echo"], "MEMORY", "p99_us")
    late = lambda name: milli(
        [{"levels": {"x": result["client_lateness"]}} for result in runs["arka"]], "x", name
    )
    return runs, [
        Line(row, "client late p99 ms", None, late("p99_us"), "(shown)", "", None),
        below(row, "LOCAL_DISK p99 ms", echo, arka("LOCAL_DISK", "p99_us"), 10, " ms"),
        below(row, "OBJECT_STORAGE p50 ms", None, arka("OBJECT_STORAGE", "p50_us"), 250, " ms"),
        below(
            row,
            "COMMITTED max ms",
            None,
            arka("COMMITTED", "max_us"),
            COMMIT_SECONDS * 1000 + 2000,
            " ms",
        ),
    ]


def bulk_committed(bench):
    settings = {"durability.iceberg_commit_interval": f"{COMMIT_SECONDS}s"}
    with bench.arka(settings) as arka:
        runs = alternate(
            [arka],
            bench.plan.repeats,
            lambda c: bench.load.cpp(
                c,
                "pipelined",
                levels=["COMMITTED"],
                batch="realistic",
                rows=10_000,
                writes=bench.plan.bulk_writes,
            ),
        )
    for result in runs["arka"]:
        result["mb_per_cpu_s"] = result["mb"] / result["server_cpu_s"]
    row = "bulk to COMMITTED"
    return runs, [
        above(row, "MB per core second", None, spread(runs["arka"], "mb_per_cpu_s"), 100, " MB"),
        Line(row, "MB/s", None, spread(runs["arka"], "mb_per_s"), "(shown)", "", None),
    ]


def memory(bench):
    settings = {"durability.iceberg_commit_interval": "1h"}
    with bench.arka(settings) as arka:
        result = bench.load.cpp(
            arka,
            "steady",
            levels=["LOCAL_DISK", "OBJECT_STORAGE"],
            rate=10_000,
            seconds=bench.plan.memory_seconds,
        )
    runs = {"arka": [result]}
    row = f"memory, {bench.plan.memory_seconds:.0f} s of 10,000/s"
    peak = spread(runs["arka"], "peak_during", "rss_mb")
    line = below(row, "resident MB", None, peak, 300, " MB")
    if bench.plan.memory_seconds < 60:
        line.met = None if line.met else False
        line.result = "too short to say"
    return runs, [line]


def open_streams(bench, streams, limit_mb, contestants):
    row = f"{streams:,} open streams"
    with contestants as started:
        started = started if isinstance(started, list) else [started]
        runs = alternate(
            started,
            1,
            lambda c: bench.load.cpp(
                c, "open-streams", streams=streams, seconds=bench.plan.open_seconds
            ),
        )
    echo = lambda name: spread(runs["echo"], "peak_during", name) if "echo" in runs else None
    arka = lambda name: spread(runs["arka"], "peak_during", name)
    return runs, [
        below(row, "resident MB", echo("rss_mb"), arka("rss_mb"), limit_mb, " MB"),
        Line(
            row,
            "threads",
            echo("threads"),
            arka("threads"),
            "<= 20",
            "",
            arka("threads")[1] <= 20,
        ),
    ]


def thousand_streams(bench):
    return open_streams(bench, 1000, 120, bench.both())


def nine_thousand_streams(bench):
    return open_streams(bench, 9000, 400, bench.arka())


ROWS = {
    "one-stream": one_stream,
    "four-streams": four_streams,
    "python": python_client,
    "bulk": bulk,
    "ping-pong": ping_pong,
    "steady": steady,
    "bulk-committed": bulk_committed,
    "memory": memory,
    "streams-1000": thousand_streams,
    "streams-9000": nine_thousand_streams,
}
