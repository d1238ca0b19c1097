"""A job that is killed and started again writes every batch once.

usage: exactly_once.py [grpc://HOST:PORT]
"""

import sys

import pyarrow as pa

import arka

URL = sys.argv[1] if len(sys.argv) > 1 else "grpc://localhost:8815"
SCHEMA = pa.schema([("line", pa.int64()), ("text", pa.string())])


def batch_of(part):
    """The part of the input that is write number `part`: the same one however often it is asked for."""
    lines = range((part - 1) * 10, part * 10)
    return pa.record_batch([list(lines), [f"line {n}" for n in lines]], schema=SCHEMA)


def job(parts):
    with arka.connect(URL) as client:
        with client.open("samples.exactly_once", SCHEMA, producer="import of 2024") as stream:
            for part in range(stream.next_seq, parts + 1):
                stream.write(batch_of(part))


job(30)  # killed after 30 of 50 parts, say
job(50)  # goes on at 31
with arka.connect(URL) as client:
    answer = client.query(
        "SELECT count(*) AS n, count(DISTINCT line) AS different FROM samples.exactly_once")
    print(answer.to_pylist())
