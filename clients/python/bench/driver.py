"""How fast the Python client writes, and how fast pyarrow alone: bench/clients/README.md says how it is run."""

import argparse
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import pyarrow as pa  # noqa: E402
import pyarrow.flight as flight  # noqa: E402

import arka  # noqa: E402

SCHEMA = pa.schema([pa.field("number", pa.int64(), nullable=False), ("text", pa.string())])


def batch(number, rows):
    """The write `number`, made anew as a program would."""
    numbers = range(number * rows, (number + 1) * rows)
    return pa.record_batch([pa.array(numbers, pa.int64()), pa.array([f"{n:020d}" for n in numbers])],
                           schema=SCHEMA)


def latencies(seconds, write):
    """write(number) for so long, one after the other; how long they took."""
    taken = []
    end = time.perf_counter() + seconds
    began = 0.0
    while began < end:
        began = time.perf_counter()
        write(len(taken))
        taken.append(time.perf_counter() - began)
    taken.sort()
    return {"writes": len(taken), "p50_us": taken[len(taken) // 2] * 1e6,
            "p99_us": taken[len(taken) * 99 // 100] * 1e6}


# pyarrow alone


def exchange(args, level):
    """A DoExchange whose acks, of a server that has such, are those of one level: one row a write."""
    options = flight.FlightCallOptions(headers=[(b"arka-acks", level), (b"arka-ack-until", level)])
    path = flight.FlightDescriptor.for_path("streaming_write", *args.table.split("."))
    writer, reader = flight.connect(args.url).do_exchange(path, options)
    writer.begin(SCHEMA)
    return writer, reader


class Answers(threading.Thread):
    """Reads to the stream's end, and lets the writer be at most so far ahead."""

    def __init__(self, reader, in_flight):
        super().__init__()
        self._reader, self._in_flight = reader, in_flight
        self._more = threading.Condition()
        self.count = 0
        self.ended = False

    def run(self):
        try:
            for chunk in self._reader:
                with self._more:
                    self.count += chunk.data.num_rows
                    self._more.notify()
        finally:
            with self._more:
                self.ended = True
                self._more.notify()

    def wait_for_room(self, written):
        if written - self.count >= self._in_flight:
            with self._more:
                self._more.wait_for(
                    lambda: self.ended or written - self.count < self._in_flight)


def raw_writes(args):
    writer, reader = exchange(args, b"LOCAL_DISK")
    answers = Answers(reader, args.in_flight)
    answers.start()
    writes = 0
    began = time.perf_counter()
    while time.perf_counter() - began < args.seconds:
        answers.wait_for_room(writes)
        writer.write_batch(batch(writes, args.rows))
        writes += 1
    writer.done_writing()
    answers.join()
    seconds = time.perf_counter() - began
    assert answers.count == writes, f"{answers.count} answers to {writes} writes"
    return {"writes": writes, "seconds": seconds}


def raw_latency(args):
    writer, reader = exchange(args, b"MEMORY")

    def write(number):
        writer.write_batch(batch(number, args.rows))
        reader.read_chunk()

    result = latencies(args.seconds, write)
    writer.done_writing()
    reader.read_all()
    return result


# The client


def writes(args):
    with arka.connect(args.url) as client, client.open(args.table, SCHEMA) as stream:
        number = 0
        began = time.perf_counter()
        while time.perf_counter() - began < args.seconds:
            stream.write(batch(number, args.rows))
            number += 1
        stream.wait_for_durability(level="LOCAL_DISK")
        return {"writes": number, "seconds": time.perf_counter() - began}


def latency(args):
    with arka.connect(args.url) as client, client.open(args.table, SCHEMA) as stream:
        return latencies(args.seconds,
                         lambda number: stream.write(batch(number, args.rows)).result())


def appender(args):
    with arka.connect(args.url) as client, client.appender(args.table, SCHEMA) as rows:
        number = 0
        began = time.perf_counter()
        while time.perf_counter() - began < args.seconds:
            rows.append({"number": number, "text": f"{number:020d}"})
            number += 1
        rows.flush("LOCAL_DISK")
        return {"rows": number, "seconds": time.perf_counter() - began}


MODES = {"raw-writes": raw_writes, "writes": writes, "raw-latency": raw_latency, "latency": latency,
         "appender": appender}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--url", required=True)
    parser.add_argument("--table", default="sales.orders")
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--in-flight", type=int, default=1024)
    args = parser.parse_args()
    print(json.dumps(MODES[args.mode](args)))


if __name__ == "__main__":
    main()
