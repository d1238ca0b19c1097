"""The Python client of the benchmark: one stream, small batches, a thread that reads the acks, as
the guide tells users to write it. Prints one JSON line; exits 1 when an ack is missing or wrong."""

import argparse
import json
import sys
import threading
import time

import numpy
import pyarrow
import pyarrow.flight


def batch_of(rows, first):
    return pyarrow.record_batch(
        {
            "id": pyarrow.array(range(first, first + rows), pyarrow.int64()),
            "temperature": pyarrow.array([20 + i % 15 for i in range(rows)], pyarrow.float64()),
            "time": pyarrow.array([first + i for i in range(rows)], pyarrow.int64()),
        }
    )


class AckReader(threading.Thread):
    """Reads to the stream's end; keeps the ack batches to check them when the clock has stopped."""

    def __init__(self, reader):
        super().__init__()
        self._reader = reader
        self.batches = []
        self.last_ack = None
        self.error = None

    def run(self):
        try:
            for chunk in self._reader:
                self.batches.append(chunk.data)
            self.last_ack = time.perf_counter()
        except Exception as error:
            self.error = error

    def check(self, writes, level):
        if self.error:
            raise self.error
        acks = pyarrow.Table.from_batches(self.batches)
        lsns = acks.column("lsn").to_numpy()
        if len(lsns) != writes or not numpy.all(numpy.diff(lsns) > 0):
            raise RuntimeError(f"{writes} writes, {len(lsns)} acks, or LSNs that do not increase")
        if set(acks.column("durability_level").unique().to_pylist()) != {level}:
            raise RuntimeError(f"acks of other levels than {level}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--table", default="bench")
    parser.add_argument("--level", default="LOCAL_DISK")
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=3)
    args = parser.parse_args()

    batches = [batch_of(args.rows, i * args.rows) for i in range(1000)]
    client = pyarrow.flight.connect(f"grpc://127.0.0.1:{args.port}")
    headers = [
        (b"arka-acks", args.level.encode()),
        (b"arka-ack-until", args.level.encode()),
    ]
    options = pyarrow.flight.FlightCallOptions(timeout=args.seconds + 120, headers=headers)
    descriptor = pyarrow.flight.FlightDescriptor.for_path("streaming_write", args.table)
    writer, reader = client.do_exchange(descriptor, options)
    writer.begin(batches[0].schema)
    acks = AckReader(reader)
    acks.start()

    writes = 0
    start = time.perf_counter()
    deadline = start + args.seconds
    while time.perf_counter() < deadline:
        writer.write_batch(batches[writes % 1000])
        writes += 1
    writer.done_writing()
    acks.join()
    acks.check(writes, args.level)
    writer.close()

    seconds = acks.last_ack - start
    print(
        json.dumps(
            {
                "seconds": seconds,
                "writes": writes,
                "writes_per_s": writes / seconds,
                "rows_per_s": writes * args.rows / seconds,
                "acks": writes,
                "ack_messages": len(acks.batches),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
