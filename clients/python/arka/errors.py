"""What can go wrong: one shape for all of it, whether the server said so, pyarrow, or this library."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

import pyarrow as pa
import pyarrow.flight as flight


class ArkaError(Exception):
    """`code` is a name of the wire contract (INVALID_ARGUMENT, UNAVAILABLE, …); `retryable` says
    whether the same call may succeed later. A stream retries by itself: an error that it raises is
    final for the stream, and `retryable` then says whether a new one may fare better."""

    def __init__(self, code: str, message: str, retryable: bool = False):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable


class DeadlineExceeded(ArkaError, TimeoutError):
    """The time that was given is over. What was written may still arrive, and will once only."""

    def __init__(self, message: str, retryable: bool = True):
        super().__init__("DEADLINE_EXCEEDED", message, retryable)


class BudgetExceeded(ArkaError):
    """Back-pressure: as many bytes as allowed wait for the server, and the caller would not wait."""

    def __init__(self, message: str):
        super().__init__("RESOURCE_EXHAUSTED", message, True)


class StreamClosed(ArkaError):
    """The stream was closed before."""

    def __init__(self, message: str = "the stream is closed"):
        super().__init__("FAILED_PRECONDITION", message, False)


class ProtocolViolation(ArkaError):
    """The server acknowledged what it cannot have: nothing that it said can be relied on."""

    def __init__(self, message: str):
        super().__init__("INTERNAL", message, False)


class RowError(ArkaError, ValueError):
    """Rows that do not fit the schema; they were left out. `rows` has each with the reason."""

    def __init__(self, message: str, rows: Optional[List[Tuple[dict, str]]] = None):
        super().__init__("INVALID_ARGUMENT", message, False)
        self.rows = rows or []


# pyarrow has fewer classes of errors than gRPC has codes, and says the rest in words.
_WORDS = re.compile(r"(?:gRPC|Flight) returned (.+?) error, with message: ", re.DOTALL)
_CODES = {
    "invalid argument": "INVALID_ARGUMENT",
    "not found": "NOT_FOUND",
    "already exists": "ALREADY_EXISTS",
    "resource exhausted": "RESOURCE_EXHAUSTED",
    "precondition failed": "FAILED_PRECONDITION",
    "failed precondition": "FAILED_PRECONDITION",
    "unavailable": "UNAVAILABLE",
    "unauthenticated": "UNAUTHENTICATED",
    "unauthorized": "PERMISSION_DENIED",
    "permission denied": "PERMISSION_DENIED",
    "timeout": "DEADLINE_EXCEEDED",
    "internal": "INTERNAL",
    "unimplemented": "UNIMPLEMENTED",
    "data loss": "DATA_LOSS",
    "out of range": "INVALID_ARGUMENT",
    "aborted": "UNAVAILABLE",
}
_CLASSES = (
    (flight.FlightUnavailableError, "UNAVAILABLE"),
    (flight.FlightUnauthenticatedError, "UNAUTHENTICATED"),
    (flight.FlightUnauthorizedError, "PERMISSION_DENIED"),
    (flight.FlightTimedOutError, "DEADLINE_EXCEEDED"),
    (flight.FlightCancelledError, "CANCELLED"),
    (flight.FlightInternalError, "INTERNAL"),
    (pa.ArrowNotImplementedError, "UNIMPLEMENTED"),
    (pa.ArrowKeyError, "NOT_FOUND"),
    (pa.ArrowInvalid, "INVALID_ARGUMENT"),
)
_DEBUG = re.compile(r"\. (?:gRPC c|C)lient (?:debug )?context: ", re.DOTALL)


def from_flight(error: BaseException, retryable: Optional[bool] = None) -> ArkaError:
    """The ArkaError of what pyarrow raised; `retryable` is the server's own word, where it came."""
    if isinstance(error, ArkaError):
        return error
    text = str(error.args[0]) if error.args else str(error)
    text = _DEBUG.split(text, maxsplit=1)[0]
    words = _WORDS.search(text)
    code = _CODES.get(words[1].lower()) if words else None
    if code is None:
        code = next((code for kind, code in _CLASSES if isinstance(error, kind)), "UNKNOWN")
    message = text[words.end():] if words else text
    if retryable is None:
        retryable = code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    if code == "DEADLINE_EXCEEDED":
        return DeadlineExceeded(message, retryable)
    return ArkaError(code, message, retryable)
