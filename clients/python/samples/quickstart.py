"""Ten lines: three rows in, wait until they are on disk, read them back.

usage: quickstart.py [grpc://HOST:PORT]
"""

import sys

URL = sys.argv[1] if len(sys.argv) > 1 else "grpc://localhost:8815"

import arka
import pyarrow as pa

batch = pa.record_batch({"id": [1, 2, 3], "name": ["Alice", "Bob", "Charlie"]})

with arka.connect(URL) as client:
    with client.open("samples.quickstart") as stream:
        write = stream.write(batch)                # queued; does not wait for the server
        lsn = write.wait("LOCAL_DISK")             # survives a crash from here on
        print(f"LSN {lsn} is on disk")
    print(client.query("SELECT count(*) AS n FROM samples.quickstart").to_pylist())
