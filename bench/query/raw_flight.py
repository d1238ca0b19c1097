"""A Flight server of Arrow's own that gives out one table out of memory: `raw_flight.py ROWS`."""

import sys

import pyarrow.flight as flight
from orders import BATCH_ROWS, orders


class OneTable(flight.FlightServerBase):
    """Every ticket is for all of the table."""

    def __init__(self, rows):
        super().__init__("grpc://127.0.0.1:0")
        self._table = orders(rows)

    def do_get(self, context, ticket):
        # Batches of about 2 MB, as Arka sends them.
        return flight.RecordBatchStream(self._table.to_reader(max_chunksize=BATCH_ROWS))

    def get_flight_info(self, context, descriptor):
        endpoint = flight.FlightEndpoint(flight.Ticket(b"all"), [])
        return flight.FlightInfo(self._table.schema, descriptor, [endpoint], -1, -1)


if __name__ == "__main__":
    server = OneTable(int(sys.argv[1]))
    print(f"ready on 127.0.0.1:{server.port}", flush=True)
    server.serve()
