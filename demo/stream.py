"""Streams batches and times the way of every write through the four durability levels."""

import collections
import sys
import threading
import time

import pyarrow.flight as flight

LEVELS = ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")


class StreamedWrites:
    """One write stream; a thread of its own reads the acks while the batches go out."""

    def __init__(self, location, table, schema):
        self.seconds = {level: [] for level in LEVELS}  # from a write to its ack
        self._started = []  # when each write was sent, in the order of the stream
        self._seen = collections.Counter()
        self._client = flight.connect(location)
        options = flight.FlightCallOptions(headers=[(b"arka-ack-until", b"COMMITTED")])
        descriptor = flight.FlightDescriptor.for_path("streaming_write", table)
        self._writer, self._reader = self._client.do_exchange(descriptor, options)
        self._writer.begin(schema)
        self._failure = None
        self._thread = threading.Thread(target=self._read_acks)
        self._thread.start()

    def _read_acks(self):
        try:
            for chunk in self._reader:
                now = time.perf_counter()
                for level in chunk.data.column("durability_level").to_pylist():
                    # A stream's writes reach each level in the order in which they were sent.
                    self.seconds[level].append(now - self._started[self._seen[level]])
                    self._seen[level] += 1
        except Exception as error:  # shown by the main thread
            self._failure = error

    def send(self, batches):
        """Sends every batch, then says that this was all."""
        self.rows = 0
        begun = time.perf_counter()
        for batch in batches:
            self._started.append(time.perf_counter())
            self._writer.write_batch(batch)
            self.rows += batch.num_rows
            if len(self._started) % 20 == 0:
                self._show_progress()
        self._writer.done_writing()
        self.send_seconds = time.perf_counter() - begun

    def wait_until_committed(self):
        """Shows progress until the last ack is in; the stream ends by itself then."""
        while self._thread.is_alive():
            self._show_progress()
            self._thread.join(0.2)
        self._show_progress()
        print()
        if self._failure is not None:
            raise self._failure
        self._writer.close()
        self._client.close()
        missing = len(self._started) - len(self.seconds["COMMITTED"])
        if missing:
            raise SystemExit(f"FAILED: {missing} writes were never committed")

    def _show_progress(self):
        if sys.stdout.isatty():
            levels = "  ".join(f"{level} {len(self.seconds[level]):,}" for level in LEVELS)
            print(f"\r  written {len(self._started):,}  {levels}", end="", flush=True)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def print_latencies(writes):
    writes_sent = len(writes.seconds["COMMITTED"])
    rate = writes.rows / writes.send_seconds
    print(f"  {writes_sent:,} writes with {writes.rows:,} rows sent in {writes.send_seconds:.2f} s, "
          f"{rate:,.0f} rows/s\n")
    print(f"  {'level':<16}{'writes':>8}{'p50':>13}{'p99':>13}   (from write to ack)")
    for level, seconds in writes.seconds.items():
        p50, p99 = (percentile(seconds, share) * 1e3 for share in (0.50, 0.99))
        print(f"  {level:<16}{len(seconds):>8,}{p50:>10,.1f} ms{p99:>10,.1f} ms")
