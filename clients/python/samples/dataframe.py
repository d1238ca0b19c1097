"""pandas and polars, in and out.

usage: dataframe.py [grpc://HOST:PORT]
"""

import sys

import pandas as pd
import polars as pl
import pyarrow as pa

import arka

URL = sys.argv[1] if len(sys.argv) > 1 else "grpc://localhost:8815"
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])

with arka.connect(URL) as client:
    with client.open("samples.frames", SCHEMA) as stream:
        stream.write(pd.DataFrame({"id": [1, 2], "name": ["Alice", None]}))
        stream.write(pl.DataFrame({"name": ["Bob"], "id": [3]}))  # columns are found by name
        stream.write_all(pl.DataFrame({"id": range(100_000), "name": "many"}), max_rows=10_000,
                         progress=True)                           # with tqdm, where it is installed
    table = client.query("SELECT name, count(*) AS n FROM samples.frames GROUP BY name ORDER BY n")
    print(table.to_pandas().shape, pl.from_arrow(table).height)
