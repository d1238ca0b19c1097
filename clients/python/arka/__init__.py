"""A client of Arka: record batches in, each written exactly once; you say how durable is durable enough.

    import arka

    with arka.connect("grpc://localhost:8815") as client:
        with client.open("sales.orders") as stream:
            write = stream.write(batch)          # does not wait for the server
            stream.wait_for_durability(write, "OBJECT_STORAGE")
"""

from arka import aio
from arka.acks import Ack
from arka.appender import Appender
from arka.client import Client, DurabilityStatus, Watermarks, connect
from arka.errors import (
    ArkaError, BudgetExceeded, DeadlineExceeded, ProtocolViolation, RowError, StreamClosed)
from arka.levels import Level
from arka.stream import Stream
from arka.tracking import AckTracker, DurabilityLag, LocalCache
from arka.write import Write

__version__ = "0.1.0"

__all__ = [
    "Ack", "AckTracker", "Appender", "ArkaError", "BudgetExceeded", "Client", "DeadlineExceeded",
    "DurabilityLag", "DurabilityStatus", "Level", "LocalCache", "ProtocolViolation", "RowError",
    "Stream", "StreamClosed", "Watermarks", "Write", "aio", "connect",
]
