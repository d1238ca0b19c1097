"""One DoExchange stream, and every ack that came over it, with the time at which it came."""

import collections
import threading
import time

import pyarrow as pa
import pyarrow.flight as flight


class Ack:
    __slots__ = ("received", "lsn", "level", "is_update", "snapshot_id")

    def __init__(self, received, lsn, level, is_update, snapshot_id):
        self.received = received
        self.lsn = lsn
        self.level = level
        self.is_update = is_update
        self.snapshot_id = snapshot_id

    def __repr__(self):
        return f"{self.level}(lsn {self.lsn}, snapshot {self.snapshot_id}, {self.received:.6f})"


class Connection:
    """Sends writes to one table until either side ends; a thread collects the acks.

    `sent` holds the writes' numbers in the order in which they were handed to the transport, the one
    during which the stream broke included; `acks` what came, in order; `error` how it ended.
    """

    def __init__(self, location, schema, table, *, headers=None, timeout=600):
        self.location = location
        self.opened = time.time()
        self.sent = []
        self.acks = []
        self.counts = collections.Counter()  # acks by level
        self.error = None
        self.ended = threading.Event()
        self._progress = threading.Condition()
        self._client = flight.connect(location)
        options = flight.FlightCallOptions(
            timeout=timeout, headers=[(k.encode(), v.encode()) for k, v in (headers or {}).items()])
        descriptor = flight.FlightDescriptor.for_path("streaming_write", table)
        self._writer, self._reader = self._client.do_exchange(descriptor, options)
        self._writer.begin(schema)
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    def _collect(self):
        try:
            for chunk in self._reader:
                now, data = time.time(), chunk.data
                columns = [data.column(name).to_pylist() for name in (
                    "lsn", "durability_level", "is_durability_update", "is_watermark_update",
                    "snapshot_id")]
                acks = [Ack(now, lsn, level, update, snapshot)
                        for lsn, level, update, watermark, snapshot in zip(*columns) if not watermark]
                with self._progress:
                    self.acks += acks
                    self.counts.update(ack.level for ack in acks)
                    self._progress.notify_all()
        except (pa.ArrowException, OSError) as error:
            self.error = error
        finally:
            with self._progress:
                self.ended.set()
                self._progress.notify_all()

    def write(self, number, batch, metadata=None):
        """Hands one write to the transport; raises pa.ArrowException once the stream is broken."""
        self.sent.append(number)
        if metadata is None:
            self._writer.write_batch(batch)
        else:
            self._writer.write_with_metadata(batch, metadata)

    def half_close(self):
        self._writer.done_writing()

    def wait_for(self, done, timeout):
        """Waits until done(self), the stream's end or the time-out; answers done(self)."""
        with self._progress:
            self._progress.wait_for(lambda: self.ended.is_set() or done(self), timeout)
            return done(self)

    def close(self, timeout=30):
        """Waits for the end of what the server has to say, then lets go."""
        if not self.ended.wait(timeout):
            self._reader.cancel()
            self.ended.wait(10)
        self._collector.join(10)
        try:
            self._writer.close()
        except (pa.ArrowException, OSError):
            pass
        self._client.close()
