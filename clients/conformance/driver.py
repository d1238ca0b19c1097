"""A language's driver: a process that is led by JSON lines (README.md)."""

import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

from testbed.server import ROOT

CLIENTS = ROOT / "clients"
START_SECONDS = 600  # a first start may build the library
MARGIN_SECONDS = 60


class DriverError(Exception):
    """What a library raised: code, message, retryable."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message, self.retryable = (
            error["code"], error["message"], error["retryable"])


def languages():
    """Those whose clients take part."""
    return sorted(path.parents[1].name for path in CLIENTS.glob("*/conformance/driver"))


def environment(**more):
    return {**os.environ, "ARKA_PYTHON": sys.executable, "ARKA_DEPS": str(ROOT / ".deps"), **more}


class Driver:
    """driver.write(first=0, batches=10, rows=5) makes the op and returns its `ok`, or raises DriverError.
    start() and answer() are the two halves of that, for what happens meanwhile."""

    def __init__(self, language, directory):
        directory.mkdir(parents=True, exist_ok=True)
        self._stderr = directory / "stderr"
        self._said = queue.SimpleQueue()
        with open(self._stderr, "w") as stderr:
            self.process = subprocess.Popen(
                [CLIENTS / language / "conformance/driver"], cwd=ROOT, env=environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        self._first = True

    def _read(self):
        for line in self.process.stdout:
            self._said.put(line)
        self._said.put(None)

    def __getattr__(self, op):
        if op.startswith("_"):
            raise AttributeError(op)
        return lambda **arguments: self.call(op, **arguments)

    def call(self, op, **arguments):
        self.start(op, **arguments)
        return self.answer(arguments.get("timeout_ms", 0) / 1000)

    def start(self, op, **arguments):
        self.process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self.process.stdin.flush()

    def answer(self, seconds=0):
        patience = seconds + (START_SECONDS if self._first else MARGIN_SECONDS)
        self._first = False
        try:
            line = self._said.get(timeout=patience)
        except queue.Empty:
            raise AssertionError(f"no answer within {patience} s; {self.log()}") from None
        assert line is not None, f"the driver ended with {self.process.wait(10)}; {self.log()}"
        answer = json.loads(line)
        if "error" in answer:
            raise DriverError(answer["error"])
        return answer["ok"]

    def log(self):
        said = pathlib.Path(self._stderr).read_text(errors="replace")[-5000:]
        return f"it said on stderr:\n{said}"

    @property
    def resident_mb(self):
        """Of the process and those that it started."""
        def tree(pid):
            yield pid
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                for child in (task / "children").read_text().split():
                    yield from tree(int(child))

        pages = 0
        for pid in tree(self.process.pid):
            pages += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def quit(self):
        """The orderly end; fails unless it exits with 0."""
        self.call("quit")
        code = self.process.wait(30)
        assert code == 0, f"the driver exited with {code}; {self.log()}"

    def kill(self):
        self.process.kill()
        self.process.wait()
