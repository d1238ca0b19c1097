"""Runs of load: one client process against one contestant, with what it cost the server; and the
alternation of contestants that makes two medians comparable."""

import dataclasses
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import threading
import time

import machine

PATIENCE = 1200  # seconds; the first run of a client may build it


@dataclasses.dataclass
class Plan:
    """How long the parts of a benchmark take; the only difference between full and --quick."""

    repeats: int = 3
    seconds: float = 3.0
    bulk_writes: int = 1500
    steady_seconds: float = 8.0
    memory_seconds: float = 60.0
    open_seconds: int = 10
    probe_seconds: float = 0.3


QUICK = Plan(
    repeats=1,
    seconds=1.0,
    bulk_writes=300,
    steady_seconds=2.0,
    memory_seconds=5.0,
    open_seconds=3,
    probe_seconds=0.1,
)


class Load:
    """Starts client processes and measures the server around them."""

    def __init__(self, build):
        self._build = build

    def cpp(self, contestant, mode, levels=None, **options):
        command = [self._build / "arka_bench_client", mode, "--json"]
        command += ["--port", contestant.port, "--levels", ",".join(levels or contestant.levels)]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), value]
        return self._run(contestant, command)

    def python(self, contestant, **options):
        script = pathlib.Path(__file__).with_name("python_client.py")
        command = [sys.executable, script, "--port", contestant.port]
        command += ["--level", contestant.levels[-1]]
        for name, value in options.items():
            command += ["--" + name, value]
        return self._run(contestant, command)

    def program(self, contestant, command, env):
        """A client that prints one JSON object and says in `writes` how many there were, if any."""
        return self._run(contestant, command, env)

    def _run(self, contestant, command, env=None):
        watch = _Watch(contestant)
        before = _snapshot(contestant)
        watch.start()
        try:
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                                  env=env, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise RuntimeError(
                f"run against {contestant.name} had no end within {PATIENCE} s") from None
        finally:
            watch.stop()
        after = _snapshot(contestant)
        if done.returncode != 0 or not contestant.alive():
            raise RuntimeError(
                f"run against {contestant.name} failed: {done.stderr.strip()[-2000:]}"
            )
        try:
            result = json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"not one JSON object: {done.stdout[-2000:]!r}") from None
        settled = contestant.settle(limit_seconds=60)
        wall = after["time"] - before["time"]
        server_cpu = after["server"] - before["server"]
        client_cpu = after["client"] - before["client"]
        result.update(
            contestant=contestant.name,
            settled=settled,
            server_cpu_s=contestant.cpu_seconds() - before["server"],
            server_cpu_during_s=server_cpu,
            client_cpu_s=client_cpu,
            foreign_cores=max(0, after["busy"] - before["busy"] - server_cpu - client_cpu) / wall,
            stolen_cores=(after["stolen"] - before["stolen"]) / wall,
            peak_during=watch.peak,
            rss_series_mb=watch.series,
        )
        if "writes" in result:
            result["server_us_per_write"] = result["server_cpu_s"] / result["writes"] * 1e6
        return result


def _snapshot(contestant):
    busy, stolen = machine.busy_seconds()
    client = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "time": time.monotonic(),
        "server": contestant.cpu_seconds(),
        "client": client.ru_utime + client.ru_stime,
        "busy": busy,
        "stolen": stolen,
    }


class _Watch(threading.Thread):
    """Samples the server's memory and threads while a client runs."""

    def __init__(self, contestant):
        super().__init__(daemon=True)
        self._contestant = contestant
        self._stopped = threading.Event()
        self.peak = contestant.memory_and_threads()
        self.series = []

    def run(self):
        while not self._stopped.wait(0.25):
            if not self._contestant.alive():
                return
            now = self._contestant.memory_and_threads()
            self.series.append(round(now["rss_mb"], 1))
            self.peak = {key: max(self.peak[key], now[key]) for key in now}

    def stop(self):
        self._stopped.set()
        self.join()


def alternate(contestants, repeats, run):
    """{name: [result, ...]}: every contestant `repeats` times, in turns, the order reversed from
    one turn to the next, so that a slow drift of the machine weighs on all alike."""
    results = {contestant.name: [] for contestant in contestants}
    for turn in range(repeats):
        for contestant in contestants if turn % 2 == 0 else reversed(contestants):
            results[contestant.name].append(run(contestant))
    return results


def spread(results, *path):
    """(min, median, max) of one figure over the runs of a contestant."""
    values = []
    for result in results:
        for key in path:
            result = result[key]
        values.append(result)
    return min(values), statistics.median(values), max(values)
