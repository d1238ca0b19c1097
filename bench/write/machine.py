"""What the machine gave: the disk's rate, who else used the processors, what it is."""

import json
import os
import pathlib
import platform
import subprocess
import time


def probe_disk(build, file, seconds):
    """fdatasynced overwrites of 4 KiB and of 1 MiB, as {"4k": {...}, "1m": {...}}."""
    command = [build / "arka_bench_disk_probe", file, "--seconds", str(seconds)]
    small, large = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {"4k": small, "1m": large}


def busy_seconds():
    """Processor seconds used by all processes since boot, and those stolen by other guests."""
    user, nice, system, *_rest = cpu = [
        int(x) for x in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    ]
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system) / ticks, cpu[7] / ticks


def busy_cores(seconds):
    """Cores in use over so long a time, stolen ones included: others', while nothing is measured."""
    before = sum(busy_seconds())
    time.sleep(seconds)
    return max(0, sum(busy_seconds()) - before) / seconds


def describe(root):
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    revision = subprocess.run(
        ["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "load_before": os.getloadavg()[0],
        "revision": revision or "unknown",
    }
