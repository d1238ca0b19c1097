"""One real `arka serve` process on a port that the kernel picks."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pyarrow.flight as flight

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD_DIR = ROOT / os.environ.get("ARKA_BUILD_DIR", "build/release")
READY = re.compile(r"^arka (?P<version>\S+) ready on (?P<host>\S+):(?P<port>\d+)")
START_SECONDS = 60

# Short intervals, so that a test sees all four tiers without waiting for the defaults.
QUICK = {
    "durability.s3_upload_interval": "20ms",
    "durability.iceberg_commit_interval": "200ms",
}


class ServerExited(Exception):
    """The server ended before it was ready; the message holds what it said."""


class ArkaServer:
    """Starts the server on `data_dir` and waits for its one ready line.

    `settings` are configuration keys ({"durability.iceberg_commit_interval": "1s"}), passed with
    --set; `config` is a YAML file, `wrapper` words put before the command, `program` one of the build
    that is used like arka. Where it is not to be `started` yet, restart() does that. The process is
    this object's: stop() or kill() ends it.
    """

    def __init__(self, data_dir, settings=None, *, env=None, listen="127.0.0.1:0",
                 config=None, wrapper=(), program="arka",
                 started=True):
        self.data_dir = pathlib.Path(data_dir)
        self.settings = {
            "server.listen": listen,
            "server.data_dir": str(self.data_dir),
            **(settings or {}),
        }
        self._env = {**os.environ, **(env or {})}
        self._config = ["--config", str(config)] if config else []
        self._wrapper = list(wrapper)
        self.program, self.arguments = program, ()
        self._lines = []
        self.process = None
        if started:
            self.start()

    def start(self):
        """Starts (again); returns once the ready line is there."""
        self.launch()
        return self.await_ready()

    def launch(self):
        """Starts the process (again) and does not wait for it; `program` and `arguments` may have
        been changed since."""
        command = [*self._wrapper, str(BUILD_DIR / self.program), "serve", *self._config,
                   *self.arguments]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._env, text=True
        )
        self._said_enough = threading.Event()  # it is ready, or its output has ended
        self.ready_line = None
        self._pump = threading.Thread(target=self._read_output, daemon=True)
        self._pump.start()

    def await_ready(self):
        """Waits for the ready line of a launched process."""
        if not self._said_enough.wait(START_SECONDS):
            self.kill()
            raise ServerExited(f"not ready within {START_SECONDS} s; it said:\n{self.log()}")
        if self.ready_line is None:
            code = self.process.wait()
            raise ServerExited(f"exited with {code}; it said:\n{self.log()}")
        match = READY.match(self.ready_line)
        self.host, self.port = match["host"].strip("[]"), int(match["port"])
        return self

    def _read_output(self):
        for line in self.process.stdout:
            self._lines.append(line)
            if self.ready_line is None and READY.match(line):
                self.ready_line = line.rstrip("\n")
                self._said_enough.set()
        self._said_enough.set()

    def log(self):
        """All that it printed so far, over every start."""
        return "".join(self._lines)

    @property
    def location(self):
        return f"grpc://{self.host}:{self.port}"

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def connect(self, **options):
        return flight.connect(self.location, **options)

    def terminate(self):
        """Asks for the orderly end and does not wait for it."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout=60):
        """Waits for the process to end; returns its exit code."""
        code = self.process.wait(timeout)
        self._pump.join(10)
        return code

    def stop(self, timeout=60):
        """The orderly end. Fails unless the server exits with 0."""
        if self.process.poll() is None:
            self.terminate()
        code = self.wait(timeout)
        assert code == 0, f"the server exited with {code}; it said:\n{self.log()}"

    def kill(self):
        """kill -9. Returns once the process is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def restart(self):
        """Starts again on the same data directory, after stop() or kill()."""
        assert self.process is None or self.process.poll() is not None, "still running"
        return self.start()

    @property
    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024

    @property
    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


def eventually(check, timeout=20, every=0.02):
    """Calls check() until it returns something true, and returns that; fails after `timeout`."""
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < deadline, f"still not so after {timeout} s: {check}"
        time.sleep(every)


@contextlib.contextmanager
def stopped_in_the_end(servers):
    """Stops those of `servers` that still run by then; each must exit with 0, and all are gone."""
    yield
    running = [server for server in servers if server.process.poll() is None]
    try:
        for server in running:
            server.stop()
    finally:
        for server in running:
            server.kill()
