"""More than the server takes: what a program can do instead of waiting, and rows that batch themselves.

usage: backpressure.py [grpc://HOST:PORT]
"""

import sys

import pyarrow as pa

import arka

URL = sys.argv[1] if len(sys.argv) > 1 else "grpc://localhost:8815"


def batch(number):
    return pa.record_batch({"id": [number], "payload": ["x" * 1000]})


with arka.connect(URL, budget=20_000) as client:
    dropped = 0
    with client.open("samples.pressure") as stream:
        for number in range(1000):
            try:
                stream.write(batch(number), block=False)
            except arka.BudgetExceeded:
                dropped += 1            # or keep it elsewhere; without block=False, write() waits
    answer = client.query("SELECT count(*) AS n FROM samples.pressure")
    print("dropped and written:", dropped + answer["n"][0].as_py())

    with client.appender("samples.pressure", max_rows=500) as rows:
        for number in range(1000, 2000):
            rows.append({"id": number, "payload": "one by one"})
