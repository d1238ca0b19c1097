"""The servers under test as child processes: started on a port of the kernel's choice, watched
through /proc, stopped by their own id."""

import os
import pathlib
import re
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
READY = re.compile(r"ready on (?:127\.0\.0\.1|localhost):(\d+)")


class Contestant:
    """A running server. `levels` are the acks that a run against it waits for."""

    def __init__(self, name, levels, command, log, start_seconds=20):
        self.name = name
        self.levels = levels
        self.log = pathlib.Path(log)
        self._output = open(self.log, "wb")
        self._process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT)
        self.port = self._wait_until_ready(start_seconds)

    def _wait_until_ready(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = READY.search(self.log.read_text(errors="replace"))
            if found:
                return int(found[1])
            if self._process.poll() is not None:
                break
            time.sleep(0.005)
        self.stop()
        raise RuntimeError(f"{self.name} did not start; its output:\n{self.log.read_text()}")

    @property
    def pid(self):
        return self._process.pid

    def alive(self):
        return self._process.poll() is None

    def cpu_seconds(self):
        """User and system time of the process so far, to the tick (10 ms)."""
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / TICKS

    def memory_and_threads(self):
        fields = {}
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            fields[name] = value.split()
        return {
            "rss_mb": int(fields["VmRSS"][0]) / 1024,
            "peak_rss_mb": int(fields["VmHWM"][0]) / 1024,
            "threads": int(fields["Threads"][0]),
        }

    def settle(self, limit_seconds):
        """Waits until the server has nothing left to do: under 5 % of a core for 0.4 s."""
        deadline = time.monotonic() + limit_seconds
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.4)
            now = self.cpu_seconds()
            if now - before <= 0.02:
                return True
            before = now
        return False

    def kill(self):
        """SIGKILL, as a crash."""
        self._process.kill()
        self._process.wait()
        self._output.close()

    def stop(self):
        """SIGTERM, a minute's patience, SIGKILL. Returns what was wrong with the exit, or None."""
        trouble = None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                trouble = f"{self.name} did not end within a minute of SIGTERM"
        self._output.close()
        if trouble is None and self._process.returncode != 0:
            trouble = f"{self.name} ended with {self._process.returncode}; see {self.log}"
        return trouble


def start_echo(build, work):
    return Contestant("echo", ["MEMORY"], [build / "arka_bench_echo_server"], work / "echo.log")


def start_arka(build, work, settings, start_seconds=20):
    values = {"server.listen": "127.0.0.1:0", "server.data_dir": work / "arka-data", **settings}
    command = [build / "arka", "serve"]
    for key, value in values.items():
        command += ["--set", f"{key}={value}"]
    arka = Contestant("arka", ["LOCAL_DISK"], command, work / "arka.log", start_seconds)
    arka.data_dir = values["server.data_dir"]
    return arka
