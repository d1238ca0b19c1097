"""One data directory, one history: a server, its producers, and the check in the end.

A trial's faults are up to its caller, which kills, cuts and fills as it likes between start() and
finish(). Everything that can be decided ahead follows from the seed.
"""

import contextlib
import random
import signal
import subprocess
import time

from crash import oracle
from crash.history import History, Violation
from crash.producer import Kind, Producer
from crash.workload import TABLES, Workload
from testbed import lake
from testbed.server import ArkaServer, ServerExited

# Short intervals and small buffers, so that a crash finds every stage of the pipeline at work.
SETTINGS = {
    "durability.s3_upload_interval": "10ms",
    "durability.iceberg_commit_interval": "50ms",
    "write_buffer.max_buffer_size": "256KB",
    "wal.segment_size": "64MB",
    "wal.spare_segments": "1",
    "log.level": "warning",
}
SEQ = Kind.EXACTLY_ONCE
STREAMS = [(name, table, SEQ) for name in ("ann", "bob") for table in TABLES]
STREAMS_WITHOUT_SEQ = [("cy", TABLES[0], Kind.AT_MOST_ONCE), ("dan", TABLES[1], Kind.AT_LEAST_ONCE)]
PATIENCE = 60  # seconds until what is acknowledged must be in the tables, without any client


class Trial:
    def __init__(self, directory, seed, *, settings=None, streams=None, open_catalog=None,
                 pause=0.03, beside=None, node="node-1", **options):
        """`open_catalog` answers PyIceberg's catalog (default: the server's own SQLite file); `pause`
        is the longest between two bursts of a producer, in seconds; `beside` is a trial whose tables
        and history this one shares, as another `node`; `options` go to the ArkaServer."""
        self.directory, self.seed = directory, seed
        self.rng = random.Random(seed)
        self.history = History() if beside is None else beside.history
        self.workload = Workload(seed) if beside is None else beside.workload
        self.server = None
        self.kills = 0
        self._up = False
        self._settings = {**SETTINGS, "server.node_id": node, **(settings or {})}
        if beside is not None:
            self._settings["catalog.uri"] = str(beside.directory / "catalog.db")
            self._settings["catalog.warehouse"] = f"file://{beside.directory}/warehouse"
        self._open_catalog = open_catalog or (
            lambda: lake.catalog((beside or self).server))
        self._options = options
        self.producers = [
            Producer(name, table, kind, workload=self.workload, history=self.history,
                     location=self.location, pause=pause, node=node, seed=seed)
            for name, table, kind in (STREAMS + STREAMS_WITHOUT_SEQ if streams is None else streams)]

    def location(self):
        return self.server.location if self._up else None

    def start(self, *, server_too=True):
        """Starts the server, then the producers, who wait for one where there is none yet."""
        self.server = ArkaServer(self.directory, self._settings, started=server_too, **self._options)
        self._up = server_too
        for producer in self.producers:
            producer.start()

    def load_table(self, name):
        return self._open_catalog().load_table(f"arka.{name}")

    def kill(self):
        self._up = False
        self.server.kill()
        self.kills += 1

    def restart(self, *, killed_meanwhile=0):
        """Starts the server again; the first `killed_meanwhile` starts are killed on their way."""
        for _ in range(killed_meanwhile):
            self.server.launch()
            time.sleep(self.rng.random() ** 2 * 0.3)
            self.kill()
        self.server.restart()
        self._up = True
        self.history.raise_violations()

    def run_until_it_dies(self, program, arguments, seconds):
        """Restarts as another program that ends itself; kills it where it has not after `seconds`.

        Answers whether it died by itself, in its start or later. Nothing runs afterwards.
        """
        ordinary = self.server.program, self.server.arguments
        self.server.program, self.server.arguments = program, arguments
        try:
            self.server.restart()
            self._up = True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.process.wait(seconds)
        except ServerExited:
            pass
        finally:
            self.server.program, self.server.arguments = ordinary
            self._up = False
        code = self.server.process.poll()
        if code not in (None, -signal.SIGKILL):
            raise Violation(f"the server ended with {code}; it said:\n{self.server.log()[-2_000:]}")
        self.kill()
        return code is not None

    def wait_for_acks(self, level, count, timeout):
        """Until the producers have had `count` more acks of that level; false if the time is up."""
        def acks():
            return sum(producer.acks_of(level) for producer in self.producers)

        deadline, wanted = time.monotonic() + timeout, acks() + count
        while acks() < wanted:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def settle(self):
        """With every client gone, what is acknowledged at LOCAL_DISK reaches the tables by itself."""
        names = {producer.name for producer in self.producers}
        deadline = time.monotonic() + PATIENCE
        while missing := oracle.durable_writes_missing(self.history, self.load_table, names):
            if time.monotonic() > deadline:
                raise Violation(f"{len(missing)} writes acknowledged at LOCAL_DISK are not in the tables "
                                f"{PATIENCE} s later: {missing[0]} to {missing[-1]}")
            time.sleep(0.2)

    def finish(self):
        """Lets the producers resend what is due, stops in order, checks; answers the figures."""
        self.come_to_rest()
        return self.check()

    def come_to_rest(self):
        """Lets the producers resend what is due, then stops the server in order."""
        for producer in self.producers:
            producer.finish()
        for producer in self.producers:
            if not producer.join(120):
                raise Violation(f"{producer.name} on {producer.table} cannot finish: "
                                f"{producer.refusals[-3:]}")
        self.history.raise_violations()
        self.settle()
        self._up = False
        self.server.stop()

    def check(self):
        """Holds the whole history against the tables; answers figures."""
        figures = oracle.check(self.history, self.workload, self.load_table, self.seed)
        figures.update({"kills": self.kills, "sends": self.history.sends,
                        "acks": self.history.acks, "connections": self.history.connections})
        return figures

    def close(self):
        """Ends whatever still runs; for the end of a trial that failed as well."""
        self._up = False
        for producer in self.producers:
            producer.stop()
        if self.server is not None:
            with contextlib.suppress(Exception):
                self.server.kill()
        for producer in self.producers:
            producer.join(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
