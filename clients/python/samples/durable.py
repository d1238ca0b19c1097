"""How durable is durable enough? Each write may have its own answer.

usage: durable.py [grpc://HOST:PORT]
"""

import sys

import pyarrow as pa

import arka

URL = sys.argv[1] if len(sys.argv) > 1 else "grpc://localhost:8815"


def batch(number):
    return pa.record_batch({"id": [number], "amount": [number * 1.5]})


with arka.connect(URL) as client:
    tracker = arka.AckTracker()
    with client.open("samples.durable", on_ack=tracker.on_ack) as stream:
        for number in range(100):
            write = stream.write(batch(number))             # metrics: nobody waits
        stream.write_durable(batch(100), "LOCAL_DISK")      # survives a crash of the server
        stream.write_durable(batch(101), "OBJECT_STORAGE")  # survives the loss of its machine

        stream.wait_for_durability(write, "OBJECT_STORAGE", timeout=30)
        stream.flush("COMMITTED")                           # now, not at the next commit
        print("every reader of the catalog sees it:", write.level)

        tracker.wait_all_durable([write.lsn], "COMMITTED", timeout=30)
        print("lag:", arka.DurabilityLag(stream).writes, "writes")
    print("on disk through LSN", client.watermarks().disk_lsn >= write.lsn)
