"""The quick start of the guide: write three rows, watch how durable they are.

usage: arrow_flight_client.py [grpc://HOST:PORT] [LEVEL]

The rows go to the table arka.my_table. LEVEL is how long to stay: MEMORY, LOCAL_DISK,
OBJECT_STORAGE (the default) or COMMITTED, when the rows are in the Iceberg table.
"""

import sys

import pandas as pd
import pyarrow as pa
import pyarrow.flight as flight


def main(location="grpc://localhost:8815", level="OBJECT_STORAGE"):
    # 1. Connect to Arka.
    client = flight.connect(location)

    # 2. Open a streaming write. The header says after which level the stream may end.
    descriptor = flight.FlightDescriptor.for_path("streaming_write")
    options = flight.FlightCallOptions(headers=[(b"arka-ack-until", level.encode())])
    writer, reader = client.do_exchange(descriptor, options)

    # 3. Write: begin() sends the schema, once; every batch after it is one write with one LSN.
    frame = pd.DataFrame({
        "id": [1, 2, 3],
        "name": ["Alice", "Bob", "Charlie"],
        "timestamp": pd.Timestamp("2024-10-04 12:00:00", tz="UTC"),
    })
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    writer.begin(batch.schema)
    writer.write_batch(batch)

    # 4. Say that this was all. Acks go on coming; the stream ends when they have all been sent.
    writer.done_writing()

    # 5. Read the acks. Each chunk holds as many as were due at that moment.
    for chunk in reader:
        for ack in chunk.data.to_pylist():
            print(f"LSN {ack['lsn']} reached {ack['durability_level']} at {ack['timestamp']}")

    writer.close()
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
