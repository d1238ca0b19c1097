"""Writers that append numbered rows to a table, and what every answer about that table must say.

A row is (writer, number); each writer numbers its rows from 0 and sends a few of them with each
write. So whatever a reader is told of one writer must be 0, 1, 2 up to some last number, without a
hole or a double: a prefix, and it must hold all that was acknowledged before the read began.
"""

import threading

import numpy
import pyarrow as pa

from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("writer", pa.int64()), ("number", pa.int64())])

# What proves a prefix: as many different numbers as rows, and the last one their count less one.
SUMMARY = ("writer, count(*) AS rows, count(DISTINCT number) AS different,"
           " sum(number)::BIGINT AS total, min(number)::BIGINT AS first,"
           " max(number)::BIGINT AS last")


def rows(writer, first, count, schema=SCHEMA):
    return pa.record_batch(
        [pa.array([writer] * count, schema.field(0).type),
         pa.array(range(first, first + count), schema.field(1).type)], schema=schema)


def summary_query(table):
    return f"SELECT {SUMMARY} FROM {table} GROUP BY writer"


def summary_of(table):
    """The same of rows that were read: a pyarrow.Table with the columns writer and number."""
    writers, numbers = table["writer"].to_numpy(), table["number"].to_numpy()
    summary = []
    for writer in numpy.unique(writers).tolist():
        own = numbers[writers == writer]
        summary.append({"writer": writer, "rows": len(own), "different": len(numpy.unique(own)),
                        "total": int(own.sum()), "first": int(own.min()), "last": int(own.max())})
    return summary


class NumberedWrites:
    """A `with` block during which writers append to one table, each on a thread and a connection of
    its own, waiting for the ack of each write before the next one and pausing in between. Writer i
    waits for tiers[i % len(tiers)]. Inside the block each writer has something acknowledged."""

    def __init__(self, server, table="sales.orders", *, writers=2, rows_per_write=7,
                 tiers=("LOCAL_DISK",), schema=SCHEMA, pause=0):
        self.table = table
        self._server, self._schema, self._tiers = server, schema, tiers
        self._rows_per_write, self._pause = rows_per_write, pause
        self._sent, self._acknowledged = [0] * writers, [0] * writers
        self._begun, self._stop = threading.Barrier(writers + 1), threading.Event()
        self._errors = []
        self._threads = [threading.Thread(target=self._run, args=(writer,))
                         for writer in range(writers)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        try:
            self._begun.wait(60)
        except threading.BrokenBarrierError:
            self._end()
            raise
        return self

    def __exit__(self, *exception):
        self._end()

    def _end(self):
        """Ends the writers; raises what ended one of them before."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _run(self, writer):
        try:
            with self._server.connect() as client:
                stream = WriteStream(client, self._schema, *self.table.split("."))
                self._write(stream, writer)
                self._begun.wait(60)
                while not self._stop.wait(self._pause):
                    self._write(stream, writer)
                stream.finish()
        except Exception as error:  # pylint: disable=broad-except
            self._errors.append(error)
            self._begun.abort()

    def _write(self, stream, writer):
        first = self._sent[writer]
        self._sent[writer] += self._rows_per_write
        stream.write(rows(writer, first, self._rows_per_write, self._schema))
        stream.wait(self._tiers[writer % len(self._tiers)])
        self._acknowledged[writer] = self._sent[writer]

    def acknowledged(self):
        """How many rows of each writer are acknowledged: to be taken before a read begins."""
        return list(self._acknowledged)

    def check(self, summary, before):
        """Fails unless `summary`, what a read said that began when `before` was acknowledged, is a
        prefix of what was written: whole writes, and all that was acknowledged."""
        told = {row["writer"]: row for row in summary}
        sent = list(self._sent)  # by now, so at least what was sent when the read took its snapshot
        assert len(told) == len(summary) == len(before), f"{self.table}: writers {summary}"
        for writer, acknowledged in enumerate(before):
            row = told[writer]
            count = row["rows"]
            what = f"{self.table}: {row}, of which {acknowledged} were acknowledged before"
            assert row["different"] == count, f"doubles: {what}"
            assert (row["first"], row["last"]) == (0, count - 1), f"holes: {what}"
            assert row["total"] == count * (count - 1) // 2, f"other rows: {what}"
            assert count % self._rows_per_write == 0, f"part of a write: {what}"
            assert acknowledged <= count <= sent[writer], f"not what was there: {what}"
