"""The table that is read: numbered orders of four columns of eight bytes."""

import numpy
import pyarrow as pa
import pyarrow.flight as flight

BATCH_ROWS = 1 << 16  # 2 MB


def orders(rows, first=0):
    numbers = numpy.arange(first, first + rows, dtype=numpy.int64)
    random = numpy.random.default_rng(1)
    table = pa.table({
        "number": numbers,
        "customer": random.integers(0, 1_000_000, rows),
        "price": random.random(rows),
        "at": pa.array(numbers, pa.timestamp("us")),
    })
    return pa.Table.from_batches(table.to_batches(max_chunksize=BATCH_ROWS))


def connect(server):
    return flight.connect(f"grpc://127.0.0.1:{server.port}")


def write(client, data, *path):
    """All of `data`, durable on disk."""
    writer, reader = client.do_put(flight.FlightDescriptor.for_path(*path), data.schema)
    for batch in data.to_batches():
        writer.write_batch(batch)
    writer.done_writing()
    while reader.read() is not None:
        pass
    writer.close()


def commit(client):
    for _ in client.do_action(flight.Action("commit", b"{}")):
        pass
