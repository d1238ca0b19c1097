"""The writes of the crash tests: every value follows from (seed, table, producer, number, row).

So nothing has to be remembered to resend a write or to check what became of it: it is made again.
"""

import random
import zlib

import numpy as np
import pyarrow as pa

TABLES = ("orders", "clicks")

SCHEMA = pa.schema([
    ("producer", pa.string()),
    ("number", pa.int64()),
    ("row", pa.int32()),
    ("value", pa.int64()),
    ("ratio", pa.float64()),
    ("text", pa.string()),
    ("blob", pa.binary()),
    ("at", pa.timestamp("us", "UTC")),
    ("parts", pa.list_(pa.int32())),
])
KEY = ("producer", "number", "row")

# (weight, rows, bytes of text a row): most writes are tiny, some wide, a few bulk.
SHAPES = ((600, 1, 16), (300, 7, 16), (60, 120, 48), (35, 1, 20_000), (5, 4_000, 32))
_WEIGHTS = [shape[0] for shape in SHAPES]


class Workload:
    def __init__(self, seed):
        self.seed = seed

    def batch(self, table, producer, number):
        """The write of that number: the same whenever it is asked for."""
        base = zlib.crc32(f"{self.seed}/{table}/{producer}/{number}".encode())
        _, rows, text_bytes = random.Random(base).choices(SHAPES, _WEIGHTS)[0]
        row = np.arange(rows, dtype=np.int64)
        value = (row * 0x9E3779B97F4A7C1 + base * 0x1000193) & 0x7FFFFFFFFFFFFFFF
        texts = [f"{v:016x}" * (text_bytes // 16) for v in value.tolist()]
        lengths = (value % 4).astype(np.int32)
        ends = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        parts = pa.ListArray.from_arrays(
            pa.array(ends), pa.array(np.arange(ends[-1], dtype=np.int32)))
        return pa.record_batch([
            pa.array([producer] * rows, pa.string()),
            pa.array(np.full(rows, number, np.int64)),
            pa.array(row.astype(np.int32)),
            pa.array(value),
            pa.array(value / 7.0),
            pa.array([None if v % 5 == 0 else t for v, t in zip(value.tolist(), texts)], pa.string()),
            pa.array([t[:8].encode() for t in texts], pa.binary()),
            pa.array(value % 4_000_000_000_000_000, pa.timestamp("us", "UTC")),
            parts,
        ], schema=SCHEMA)

    def table(self, table, writes):
        """All rows of `writes`, (producer, number) each, in the order of the writes."""
        return pa.Table.from_batches([self.batch(table, *write) for write in writes], SCHEMA)
