"""One row a language: its client library against Arka, in turns with the plain library that it is made
of, and with Kafka's producer. README.md has the protocol of the programs that do the writing."""

import dataclasses
import os
import pathlib
import sys

import pyarrow as pa
import pyarrow.flight as flight
from contestants import Contestant
from report import Line
from runs import alternate, spread

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "clients"
WRITES_PER_S = 10_000
WRITES_PER_S_OF = {"javascript": 9_600}  # what a plain program reached with real encoding
ROWS_PER_S = 500_000
NO_ROWS_TARGET = ("javascript",)
WARM_SECONDS = 0.5
PRINTS = {
    "raw-writes": ("writes", "seconds"),
    "writes": ("writes", "seconds"),
    "raw-latency": ("writes", "p50_us", "p99_us"),
    "latency": ("writes", "p50_us", "p99_us"),
    "appender": ("rows", "seconds"),
}


def languages():
    """Those whose clients take part."""
    return sorted(path.parents[1].name for path in CLIENTS.glob("*/bench/driver"))


def environment():
    return {**os.environ, "ARKA_PYTHON": sys.executable, "ARKA_DEPS": str(ROOT / ".deps")}


@dataclasses.dataclass(frozen=True)
class Turn:
    """One program against one server; `mode` is the driver's word."""

    name: str
    server: Contestant
    mode: str

    @property
    def table(self):
        return "bench." + self.mode.replace("-", "_")


class Language:
    """The measurements of one language."""

    def __init__(self, bench, name, echo, arka):
        self._bench, self._name, self._echo, self._arka = bench, name, echo, arka
        self._warm = min(WARM_SECONDS, bench.plan.seconds)
        self._written = {}  # rows by table of Arka's

    def drive(self, turn, seconds):
        rows = self._bench.plan.rows
        command = [CLIENTS / self._name / "bench/driver", turn.mode,
                   "--url", f"grpc://127.0.0.1:{turn.server.port}", "--table", turn.table,
                   "--rows", rows, "--seconds", seconds]
        result = self._bench.load.program(turn.server, command, environment())
        missing = [key for key in PRINTS[turn.mode] if not result.get(key)]
        if missing:
            raise RuntimeError(f"{self._name}, {turn.mode}: it does not say {', '.join(missing)}")
        count = PRINTS[turn.mode][0]
        if "seconds" in PRINTS[turn.mode]:
            result[f"{count}_per_s"] = result[count] / result["seconds"]
            result["client_us_each"] = result["client_cpu_s"] / result[count] * 1e6
        if turn.server is self._arka:
            written = result[count] if count == "rows" else result[count] * rows
            self._written[turn.table] = self._written.get(turn.table, 0) + written
        return result

    def three(self, mode):
        """The plain library against the echo and against Arka, and the client, in turns."""
        turns = [Turn("raw, echo", self._echo, f"raw-{mode}"),
                 Turn("raw, arka", self._arka, f"raw-{mode}"),
                 Turn("client", self._arka, mode)]
        for turn in turns:
            self.drive(turn, self._warm)
        runs = alternate(turns, self._bench.plan.repeats,
                         lambda turn: self.drive(turn, self._bench.plan.seconds))
        return {f"{mode}: {name}": results for name, results in runs.items()}

    def appender(self, kafka):
        """(runs, Kafka's producer that was in turns with the appender, or None)"""
        turn = Turn("client", self._arka, "appender")
        self.drive(turn, self._warm)
        producer = kafka.peer_of(self._name) if kafka else None
        if producer:
            producer.warm(self._bench)
        turns = [turn] + ([producer] if producer else [])

        def run(turn):
            if turn is producer:
                return producer.run(self._bench, self._bench.plan.seconds)
            return self.drive(turn, self._bench.plan.seconds)

        runs = alternate(turns, self._bench.plan.repeats, run)
        return {f"appender: {name}": results for name, results in runs.items()}, producer

    def check(self):
        """Fails unless Arka has every row that the drivers say they wrote."""
        with flight.connect(f"grpc://127.0.0.1:{self._arka.port}") as client:
            # Rows that are not committed yet would have to fit into query.fresh_rows_memory.
            list(client.do_action(flight.Action("commit", b"{}")))
            for table, written in self._written.items():
                command = flight.FlightDescriptor.for_command(f"SELECT count(*) AS n FROM {table}")
                try:
                    ticket = client.get_flight_info(command).endpoints[0].ticket
                    found = client.do_get(ticket).read_all()["n"][0].as_py()
                except (pa.ArrowException, KeyError) as error:  # KeyError: pyarrow's NOT_FOUND
                    raise RuntimeError(f"{table} cannot be counted: {error}") from None
                if found != written:
                    raise RuntimeError(f"{table} has {found} rows of {written} that were written")


def measure_language(bench, name, start_kafka):
    """(runs, lines); `start_kafka()` is a context with a broker, or with None."""
    with bench.both() as (echo, arka):
        language = Language(bench, name, echo, arka)
        runs = {**language.three("writes"), **language.three("latency")}
        with start_kafka() as kafka:
            appended, producer = language.appender(kafka)
        runs.update(appended)
        language.check()
    return runs, [*writes_lines(name, runs), *latency_lines(name, runs),
                  *appender_lines(name, runs, producer)]


def writes_lines(name, runs):
    echo, arka, client = (spread(runs[f"writes: {turn}"], "writes_per_s")
                          for turn in ("raw, echo", "raw, arka", "client"))
    least = WRITES_PER_S_OF.get(name, WRITES_PER_S)
    over_echo, over_arka = client[1] / echo[1], client[1] / arka[1]
    return [
        Line(name, "writes/s, peer: plain library to the echo", echo, client, ">= 0.8 x peer",
             f"{over_echo:.2f} x", over_echo >= 0.8),
        Line(name, "writes/s, peer: plain library to Arka", arka, client, "(shown)",
             f"{over_arka:.2f} x", None),
        Line(name, "writes/s", None, client, f">= {least:,}", "", client[1] >= least),
        Line(name, "client CPU us/write, peer: plain library to the echo",
             *(spread(runs[f"writes: {turn}"], "client_us_each") for turn in ("raw, echo", "client")),
             "(shown)", "", None),
    ]


def latency_lines(name, runs):
    for figure in ("p50_us", "p99_us"):
        echo, arka, client = (spread(runs[f"latency: {turn}"], figure)
                              for turn in ("raw, echo", "raw, arka", "client"))
        label = f"first ack {figure[:3]} us, peer: plain library to"
        yield Line(name, f"{label} the echo", echo, client, "(shown)", "", None)
        yield Line(name, f"{label} Arka", arka, client, "(shown)", "", None)


def appender_lines(name, runs, producer):
    client = spread(runs["appender: client"], "rows_per_s")
    of_client = spread(runs["appender: client"], "client_us_each")
    label, peer, of_peer, result = "", None, None, ""
    if producer:
        label = f", peer: {producer.name}"
        peer = spread(runs[f"appender: {producer.name}"], "rows_per_s")
        of_peer = spread(runs[f"appender: {producer.name}"], "client_us_each")
        result = f"{client[1] / peer[1]:.2f} x"
    target, met = f">= {ROWS_PER_S:,}", client[1] >= ROWS_PER_S
    if name in NO_ROWS_TARGET:
        target, met = "(shown)", None
    return [Line(name, f"appender rows/s{label}", peer, client, target, result, met),
            Line(name, f"client CPU us/row{label}", of_peer, of_client, "(shown)", "", None)]
