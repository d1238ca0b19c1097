"""One DoExchange stream of a table, with a thread that collects its acks."""

import collections
import threading
import time

import pyarrow as pa
import pyarrow.flight as flight

TIERS = ("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")

Ack = collections.namedtuple(
    "Ack",
    "lsn durability_level is_durability_update timestamp is_watermark_update "
    "disk_lsn s3_lsn committed_lsn snapshot_id",
)


class ResponseHeaders(flight.ClientMiddlewareFactory):
    """Keeps the response headers of the last call of its client."""

    def __init__(self):
        self.received = {}

    def start_call(self, info):
        return _Recorder(self)


class _Recorder(flight.ClientMiddleware):
    def __init__(self, factory):
        super().__init__()
        self._factory = factory

    def received_headers(self, headers):
        self._factory.received.update({k.lower(): v for k, v in headers.items()})


class WriteStream:
    """Writes batches of one schema and records every ack in the order in which it came.

    `path` is the descriptor's path, or table names after "streaming_write". The stream's error, if
    it ended with one, is in `error`; finish() raises it.
    """

    def __init__(self, client, schema, *table, headers=None, timeout=None, ipc_options=None,
                 read_acks=True):
        self._changed = threading.Condition()
        self.schema = schema
        self.acks = []
        self.counts = collections.Counter()  # writes by tier reached
        self.ack_batches = 0
        self.error = None
        self.ended = False
        self.ack_schema = None
        self.written = 0
        options = flight.FlightCallOptions(
            timeout=timeout,
            headers=[(k.encode(), v.encode()) for k, v in (headers or {}).items()],
            write_options=ipc_options,
        )
        descriptor = flight.FlightDescriptor.for_path("streaming_write", *table)
        self.writer, self.reader = client.do_exchange(descriptor, options)
        self.writer.begin(schema, options=ipc_options)
        self._thread = None
        if read_acks:
            self._thread = threading.Thread(target=self._collect, daemon=True)
            self._thread.start()

    def _collect(self):
        try:
            self.ack_schema = self.reader.schema
            for chunk in self.reader:
                rows = [Ack(**row) for row in chunk.data.to_pylist()]
                with self._changed:
                    self.acks += rows
                    self.counts.update(
                        a.durability_level for a in rows if not a.is_watermark_update
                    )
                    self.ack_batches += 1
                    self._changed.notify_all()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            with self._changed:
                self.ended = True
                self._changed.notify_all()

    def write(self, batch, metadata=None):
        """Sends one batch; returns its place in the stream, 0 for the first."""
        if metadata is None:
            self.writer.write_batch(batch)
        else:
            self.writer.write_with_metadata(batch, metadata)
        self.written += 1
        return self.written - 1

    def of(self, tier):
        """The acks of one tier, watermark rows left out."""
        return [a for a in self.acks if a.durability_level == tier and not a.is_watermark_update]

    def lsns(self, tier="MEMORY"):
        return [a.lsn for a in self.of(tier)]

    @property
    def watermarks(self):
        return [a for a in self.acks if a.is_watermark_update]

    def wait(self, tier, count=None, timeout=30):
        """Waits until `count` writes (default: all written) have reached `tier`; returns the acks."""
        count = self.written if count is None else count
        deadline = time.monotonic() + timeout
        with self._changed:
            while self.counts[tier] < count:
                left = deadline - time.monotonic()
                reached = f"{self.counts[tier]} of {count} acks at {tier}"
                assert not self.ended, f"the stream ended with {reached}: {self.error!r}"
                assert left > 0, f"{reached} after {timeout} s"
                self._changed.wait(left)
            return self.of(tier)

    def half_close(self):
        self.writer.done_writing()

    def join(self, timeout=60):
        """Waits for the end of the stream, whatever it is; returns its error or None."""
        self._thread.join(timeout)
        assert self.ended, f"the stream did not end within {timeout} s"
        return self.error

    def finish(self, timeout=60):
        """Half-closes, reads to the end, raises the stream's error; returns all acks."""
        self.half_close()
        error = self.join(timeout)
        if error is not None:
            raise error
        self.writer.close()
        return self.acks


def refusal(client, schema, *table, **options):
    """The error with which the server refuses a stream, wherever pyarrow happens to raise it."""
    try:
        stream = WriteStream(client, schema, *table, **options)
    except (pa.ArrowException, flight.FlightError) as error:
        return error
    return stream.join(20)


def check_order(acks):
    """For one LSN levels never go backwards, none is skipped, and the initial ack comes first."""
    levels = {}
    for ack in acks:
        if not ack.is_watermark_update:
            levels.setdefault(ack.lsn, []).append(ack)
    for lsn, steps in levels.items():
        names = tuple(a.durability_level for a in steps)
        assert names == TIERS[: len(names)], f"LSN {lsn}: {names}"
        assert [a.is_durability_update for a in steps] == [False] + [True] * (len(steps) - 1)
        times = [a.timestamp for a in steps]
        assert times == sorted(times), f"LSN {lsn}: {times}"
    return levels
