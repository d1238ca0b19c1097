"""The table that is read: numbered orders of four columns of eight bytes."""

import numpy
import pyarrow as pa

BATCH_ROWS = 1 << 16  # 2 MB


def orders(rows):
    numbers = numpy.arange(rows, dtype=numpy.int64)
    random = numpy.random.default_rng(1)
    table = pa.table({
        "number": numbers,
        "customer": random.integers(0, 1_000_000, rows),
        "price": random.random(rows),
        "at": pa.array(numbers, pa.timestamp("us")),
    })
    return pa.Table.from_batches(table.to_batches(max_chunksize=BATCH_ROWS))
