"""The ways to the server: an endpoint's credentials and calls, and the connection of one stream."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union

import pyarrow as pa
import pyarrow.flight as flight

from arka.errors import ArkaError, from_flight

# gRPC would wait for up to two minutes before it dials again, and share that wait between connections.
_CHANNEL: List[Tuple[str, Union[int, str]]] = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 5000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 20_000),  # a peer that is gone without a word is noticed
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),  # also where nothing is written for long
]


class Credentials:
    """What the header `authorization` says. A password is exchanged for the token that the server
    answers, which spares it the costly check; it is used again once the token is no longer good."""

    def __init__(self, username: Optional[str], password: Optional[str],
                 token: Union[str, Callable[[], str], None]):
        self._token = token
        self._basic = None
        self._session: Optional[str] = None
        if username is not None:
            pair = f"{username}:{password or ''}".encode()
            self._basic = "Basic " + base64.b64encode(pair).decode()

    def header(self) -> Optional[str]:
        if self._basic is not None:
            return self._session or self._basic
        token = self._token() if callable(self._token) else self._token
        return None if token is None else f"Bearer {token}"

    def learn(self, header: str) -> None:
        if self._basic is not None and header.startswith("Bearer "):
            self._session = header

    def renew(self, refused: Optional[str]) -> bool:
        """After UNAUTHENTICATED to that header: whether there is something else to try."""
        if self._basic is None or refused in (None, self._basic):
            return False
        if self._session == refused:
            self._session = None
        return True


_BROKEN = ("UNKNOWN", "INTERNAL", "CANCELLED")  # how gRPC itself calls a connection that broke


class _Middleware(flight.ClientMiddlewareFactory):
    """Sends the credentials, and keeps what the server says in headers and trailers."""

    def __init__(self, credentials: Credentials):
        self._credentials = credentials
        self.last = threading.local()

    def start_call(self, info: Any) -> "_Call":
        self.last.call = call = _Call(self._credentials)
        return call


class _Call(flight.ClientMiddleware):
    def __init__(self, credentials: Credentials):
        super().__init__()
        self._credentials = credentials
        self.received: Dict[str, str] = {}
        self.sent: Optional[str] = None

    def sending_headers(self) -> Dict[str, str]:
        self.sent = self._credentials.header()
        return {} if self.sent is None else {"authorization": self.sent}

    def received_headers(self, headers: Dict[str, List[Union[str, bytes]]]) -> None:
        for name, values in headers.items():
            if values and isinstance(values[0], str):
                self.received[name.lower()] = values[0]
        if "authorization" in self.received:
            self._credentials.learn(self.received["authorization"])

    def retryable(self) -> Optional[bool]:
        said = self.received.get("arka-retryable")
        return None if said is None else said == "true"


class Endpoint:
    """A server's address and how to log in. Calls may come from any thread."""

    def __init__(self, url: str, *, credentials: Credentials, tls_root: Optional[bytes] = None,
                 client_cert: Optional[bytes] = None, client_key: Optional[bytes] = None):
        self.url = url
        self.credentials = credentials
        self._options: Dict[str, Any] = {"generic_options": _CHANNEL}
        if tls_root is not None:
            self._options["tls_root_certs"] = tls_root
        if client_cert is not None:
            self._options["cert_chain"] = client_cert
            self._options["private_key"] = client_key
        self._lock = threading.Lock()
        self._calls: Optional[Tuple[flight.FlightClient, _Middleware]] = None

    def dial(self) -> Tuple[flight.FlightClient, _Middleware]:
        """A connection of its own; it is made at its first call."""
        middleware = _Middleware(self.credentials)
        try:
            return flight.connect(self.url, middleware=[middleware], **self._options), middleware
        except (pa.ArrowException, flight.FlightError, ValueError) as error:
            raise from_flight(error) from None

    def call(self, make: Callable[[flight.FlightClient], Any], *, by_stream: bool = False) -> Any:
        """make(client) on the connection that is kept for calls; raises ArkaError. `by_stream`: what ends a
        stream's connection for a time, ends this for a time."""
        with self._lock:
            if self._calls is None:
                self._calls = self.dial()
            client, middleware = self._calls
        for again in (True, False):
            middleware.last.call = None
            try:
                return make(client)
            except (pa.ArrowException, flight.FlightError) as error:
                call = middleware.last.call
                said = call.retryable() if call else None
                failure = from_flight(error, said)
                if by_stream and said is None and failure.code in _BROKEN:
                    failure.retryable = True
                if again and failure.code == "UNAUTHENTICATED" and \
                        self.credentials.renew(call and call.sent):
                    continue
                raise failure from None
        raise AssertionError("unreachable")

    def action(self, name: str, body: Dict[str, Any], timeout: Optional[float] = None, *,
               by_stream: bool = False) -> List[Dict[str, Any]]:
        """The answers of a DoAction, as JSON."""
        action = flight.Action(name, json.dumps(body).encode())
        options = flight.FlightCallOptions(timeout=timeout)
        return self.call(lambda client: [
            json.loads(result.body.to_pybytes()) for result in client.do_action(action, options)],
            by_stream=by_stream)

    def retried_action(self, name: str, body: Dict[str, Any], until: float) -> List[Dict[str, Any]]:
        """As action(), made again while it is retryable and `until`, of the monotonic clock, is ahead."""
        return self.retried(
            lambda: self.action(name, body, max(0.001, until - time.monotonic())), until)

    def retried(self, call: Callable[[], Any], until: float) -> Any:
        """For calls that may be made again, because they only ask."""
        delay = 0.05
        while True:
            try:
                return call()
            except ArkaError as error:
                if not error.retryable or time.monotonic() + delay >= until:
                    raise
            time.sleep(delay)
            delay = min(delay * 2, 2.0)

    def close(self) -> None:
        with self._lock:
            if self._calls is not None:
                self._calls[0].close()
                self._calls = None


class Connection:
    """One DoExchange stream on a connection of its own. One thread sends, one reads; cancel() may be
    called from any, and ends both."""

    def __init__(self, endpoint: Endpoint, table: List[str], schema: pa.Schema,
                 headers: Dict[str, str]):
        self._endpoint = endpoint
        self._client, self._middleware = endpoint.dial()
        self._call: Optional[_Call] = None
        try:
            options = flight.FlightCallOptions(
                headers=[(name.encode(), value.encode()) for name, value in headers.items()])
            descriptor = flight.FlightDescriptor.for_path("streaming_write", *table)
            self._middleware.last.call = None
            self._writer, self._reader = self._client.do_exchange(descriptor, options)
            self._call = self._middleware.last.call
            self._writer.begin(schema)
        except (pa.ArrowException, flight.FlightError) as error:
            failure = self.failure(error)
            self._client.close()
            raise failure from None

    def failure(self, error: BaseException) -> ArkaError:
        """What ended the stream. Without the server's word on it, it was the way to the server: that
        may be tried again, since a `seq` makes it harmless."""
        said = self._call.retryable() if self._call else None
        failure = from_flight(error, said)
        if failure.code == "UNAUTHENTICATED" and \
                self._endpoint.credentials.renew(self._call and self._call.sent):
            failure.retryable = True
        elif said is None and failure.code in _BROKEN:
            failure.retryable = True
        return failure

    def send(self, batch: pa.RecordBatch, metadata: bytes) -> None:
        """May block for as long as the server takes no more. What it raises says little: read() has
        the reason."""
        self._writer.write_with_metadata(batch, metadata)

    def half_close(self) -> None:
        self._writer.done_writing()

    def opened(self) -> None:
        """Waits until the server has taken the stream; raises ArkaError where it does not."""
        try:
            self._reader.schema  # pylint: disable=pointless-statement
        except (pa.ArrowException, flight.FlightError, OSError) as error:
            raise self.failure(error) from None

    def acks(self) -> Iterator[pa.RecordBatch]:
        """Ack batches until the stream's end; raises ArkaError where it ended in one."""
        try:
            while True:
                try:
                    chunk = self._reader.read_chunk()
                except StopIteration:
                    return
                yield chunk.data
        except (pa.ArrowException, flight.FlightError, OSError) as error:
            raise self.failure(error) from None

    def cancel(self) -> None:
        self._reader.cancel()

    def close(self) -> None:
        """After both threads are done with it."""
        try:
            self._writer.close()
        except (pa.ArrowException, flight.FlightError, OSError):
            pass  # acks() has said it
        self._client.close()
