"""Kafka beside the clients: a broker of one node, and producers with acks=all and idempotence, in Java and
Python. Its libraries come from Maven Central and PyPI, into .deps/kafka, when the benchmark first wants them."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from contestants import Contestant
from report import Line
from runs import alternate, spread

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = pathlib.Path(__file__).with_name("kafka")
HOME = ROOT / ".deps/kafka"
CONFLUENT = "confluent-kafka==2.16.1"
WARM_SECONDS = 2  # the broker's code is compiled while it runs
QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"

TUNED = ["linger.ms=5", "batch.size=1048576"]
# librdkafka bounds a batch and its queue by records too.
TUNED_PYTHON = [*TUNED, "batch.num.messages=100000", "queue.buffering.max.messages=1000000"]


def install():
    """Fetches and compiles what is not there yet. What has no Python producer does without."""
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir())))
    wanted.update(CONFLUENT.encode())
    stamp = HOME / "stamp"
    if stamp.exists() and stamp.read_text() == wanted.hexdigest():
        return
    print("fetching Kafka ...", file=sys.stderr, flush=True)
    shutil.rmtree(HOME, ignore_errors=True)
    (HOME / "classes").mkdir(parents=True)
    _call("mvn", "-q", "-B", "-f", SOURCE / "pom.xml", f"-Dmaven.repo.local={ROOT / '.deps/m2'}",
          "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
          f"-DoutputDirectory={HOME / 'lib'}")
    _call("javac", "-nowarn", "-cp", HOME / "lib/*", "-d", HOME / "classes",
          *sorted(SOURCE.glob("*.java")))
    _call(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
          "--no-deps", "--target", HOME / "python", CONFLUENT)
    stamp.write_text(wanted.hexdigest())


def _call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def java(*words):
    return ["java", QUIET, "-cp", f"{HOME / 'classes'}:{HOME / 'lib/*'}", *words]


@dataclasses.dataclass(frozen=True)
class Producer:
    """A producer of the running `broker`; called like this in the table."""

    name: str
    broker: Contestant
    program: list
    topic: str
    settings: list

    def warm(self, bench):
        self.run(bench, min(WARM_SECONDS, bench.plan.seconds))

    def run(self, bench, seconds):
        command = [*self.program, f"127.0.0.1:{self.broker.port}", self.topic, seconds,
                   *self.settings]
        environment = {**os.environ, "PYTHONPATH": str(HOME / "python")}
        result = bench.load.program(self.broker, command, environment)
        result["rows_per_s"] = result["rows"] / result["seconds"]
        result["client_us_each"] = result["client_cpu_s"] / result["rows"] * 1e6
        return result


class Kafka:
    """A running broker and who writes to it."""

    def __init__(self, broker):
        self._broker = broker

    def java(self, name, topic="rows", settings=()):
        return Producer(f"Kafka, Java, {name}", self._broker, java("Producer"), topic,
                        list(settings))

    def python(self, name, settings=()):
        program = [sys.executable, SOURCE / "producer.py"]
        return Producer(f"Kafka, Python, {name}", self._broker, program, "rows", list(settings))

    def peer_of(self, language):
        """What the appender of a language is held against."""
        if language == "python":
            return self.python("tuned", TUNED_PYTHON)
        return self.java("tuned", settings=TUNED)

    def all(self):
        return [self.java("defaults"), self.java("tuned", settings=TUNED),
                self.java("flush.messages=1, tuned", "flushed", TUNED),
                self.python("defaults"), self.python("tuned", TUNED_PYTHON)]


@contextlib.contextmanager
def running(bench):
    with bench.directory() as work:
        command = java("-Xms1g", "-Xmx1g", "Broker", work / "kafka")
        broker = Contestant("kafka", [], [str(part) for part in command], work / "kafka.log",
                            start_seconds=180)
        try:
            broker.settle(limit_seconds=20)
            yield Kafka(broker)
        finally:
            trouble = broker.stop()
            if trouble:
                bench.warnings.append(trouble)


def measure_kafka(bench):
    """(runs, lines): every producer in turns."""
    with running(bench) as kafka:
        producers = kafka.all()
        for producer in producers:
            producer.warm(bench)
        runs = alternate(producers, bench.plan.repeats,
                         lambda producer: producer.run(bench, bench.plan.seconds))
    return runs, [Line("kafka", f"records/s, {name.removeprefix('Kafka, ')}",
                       spread(results, "rows_per_s"), None, "(shown)", "", None)
                  for name, results in runs.items()]
