"""Record batches of what people have: Arrow tables, pandas and polars frames, lists of dicts."""

from __future__ import annotations

import itertools
from typing import Any, Iterator, Optional, Tuple

import pyarrow as pa

from arka.errors import ArkaError


def _misfit(error: Exception) -> ArkaError:
    return ArkaError("INVALID_ARGUMENT", f"the data does not fit the stream's schema: {error}")


def to_table(data: Any, schema: Optional[pa.Schema]) -> pa.Table:
    """`data` with the columns of `schema`, in its order and types."""
    try:
        if isinstance(data, pa.RecordBatch):
            table = pa.Table.from_batches([data])
        elif isinstance(data, pa.Table):
            table = data
        elif isinstance(data, (list, tuple)):
            return pa.Table.from_pylist(list(data), schema=schema)
        elif isinstance(data, dict):
            return pa.Table.from_pydict(data, schema=schema)
        elif type(data).__module__.split(".")[0] == "pandas":
            # With the schema, which pandas knows less of: missing integers are not to become floats.
            return pa.Table.from_pandas(data, schema=schema, preserve_index=False)
        elif hasattr(data, "__arrow_c_stream__"):
            table = pa.table(data)
        else:
            raise TypeError(f"cannot make record batches of a {type(data).__name__}")
        if schema is None or table.schema.equals(schema):
            return table
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise _misfit(error) from error


def to_batch(data: Any, schema: Optional[pa.Schema]) -> pa.RecordBatch:
    """All of it as one batch."""
    if isinstance(data, pa.RecordBatch) and (schema is None or data.schema.equals(schema)):
        return data
    table = to_table(data, schema).combine_chunks()
    batches = table.to_batches()
    if len(batches) == 1:
        return batches[0]
    if batches:
        raise ArkaError("INVALID_ARGUMENT", "too much for one batch: use write_all()")
    return pa.RecordBatch.from_pylist([], schema=table.schema)


def to_batches(data: Any, schema: Optional[pa.Schema], max_rows: int
               ) -> Tuple[Optional[int], Iterator[pa.RecordBatch]]:
    """(rows, where they are known; batches of at most `max_rows`)."""
    if isinstance(data, pa.RecordBatchReader) or not (
            isinstance(data, (pa.RecordBatch, pa.Table, dict)) or _is_rows(data)
            or hasattr(data, "__arrow_c_stream__") or hasattr(data, "iloc")):
        return None, _of_each(data, schema, max_rows)
    table = to_table(data, schema)
    return table.num_rows, iter(table.to_batches(max_chunksize=max_rows))


def _is_rows(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and (not data or isinstance(data[0], dict))


def _of_each(parts: Any, schema: Optional[pa.Schema], max_rows: int) -> Iterator[pa.RecordBatch]:
    for part in parts:
        table = to_table([part, *itertools.islice(parts, max_rows - 1)], schema) \
            if isinstance(part, dict) and hasattr(parts, "__next__") else to_table(part, schema)
        schema = schema or table.schema
        yield from table.to_batches(max_chunksize=max_rows)
