"""The connection to a server: streams, appenders, queries, and what the server says of itself."""

from __future__ import annotations

import pathlib
import threading
import time
import uuid
import weakref
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Union

import pyarrow as pa
import pyarrow.flight as flight

from arka.acks import Ack
from arka.appender import Appender
from arka.connection import Credentials, Endpoint
from arka.errors import ArkaError
from arka.levels import Level, LevelLike
from arka.stream import Stream

Pem = Union[bytes, str, pathlib.Path, None]  # PEM text, or a file that holds it
MB = 1 << 20


def connect(url: str = "grpc://localhost:8815", *, username: Optional[str] = None,
            password: Optional[str] = None, token: Union[str, Callable[[], str], None] = None,
            tls_root: Pem = None, client_cert: Pem = None, client_key: Pem = None,
            session: Optional[str] = None, deadline: float = 60.0, budget: int = 64 * MB) -> Client:
    """A client of the server at `url`: grpc://host:port, or grpc+tls://host:port. Nothing is sent yet.

    username, password   or
    token                a text, or a function that returns one that is good now
    tls_root             certificates to trust instead of the system's
    client_cert, client_key   the client's own certificate, for servers that ask for one
    session              this client's name for its session; random unless given
    deadline             seconds: how long a stream tries to get its connection back before it fails, and
                         how long any call waits that is given no timeout
    budget               bytes that a stream keeps of what is not on LOCAL_DISK; then writing waits
    """
    return Client(url, username=username, password=password, token=token, tls_root=tls_root,
                  client_cert=client_cert, client_key=client_key, session=session,
                  deadline=deadline, budget=budget)


class Watermarks(NamedTuple):
    """Every LSN of the server at or below one of these has reached that level."""

    disk_lsn: int
    s3_lsn: int
    committed_lsn: int
    last_lsn: int  # the last that was given


class DurabilityStatus(NamedTuple):
    events: List[Ack]
    forgotten_through: Optional[int]  # the server no longer knows of events up to this LSN


class Client:
    """Made by connect(). May be used from any thread; a context manager."""

    def __init__(self, url: str, *, username: Optional[str], password: Optional[str],
                 token: Union[str, Callable[[], str], None], tls_root: Pem, client_cert: Pem,
                 client_key: Pem, session: Optional[str], deadline: float, budget: int):
        self.url = url
        self.session = session or f"arka-python-{uuid.uuid4()}"
        self._deadline = deadline
        self._budget = budget
        self._endpoint = Endpoint(
            url, credentials=Credentials(username, password, token), tls_root=_pem(tls_root),
            client_cert=_pem(client_cert), client_key=_pem(client_key))
        self._streams: "weakref.WeakSet[Stream]" = weakref.WeakSet()
        self._appenders: "weakref.WeakSet[Appender]" = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    # Writing

    def open(self, table: str, schema: Optional[pa.Schema] = None, *, producer: Optional[str] = None,
             session: Optional[str] = None, on_ack: Optional[Callable[[Ack], None]] = None,
             keep_acks: bool = False, budget: Optional[int] = None,
             deadline: Optional[float] = None) -> Stream:
        """A stream of writes to `table` ("sales.orders").

        With a `schema` the server is dialled at once, and open() raises what is wrong; without, the first
        write brings the schema. `producer` names a sequence of writes that goes on where an earlier
        program left it, and takes the name over: a stream that had it before fails with FAILED_PRECONDITION
        instead of writing any more. Without, the stream has a random name of its own. `on_ack` is called, in
        a thread of its own, for every level that a write reaches; with `keep_acks` Stream.acks() yields them.
        """
        if self._closed:
            raise ArkaError("FAILED_PRECONDITION", "the client is closed")
        stream = Stream(
            self._endpoint, table, schema=schema, producer=producer or f"arka-python-{uuid.uuid4()}",
            known_producer=producer is not None, session=session or self.session,
            deadline=self._deadline if deadline is None else deadline,
            budget=self._budget if budget is None else budget, on_ack=on_ack, keep_acks=keep_acks)
        with self._lock:
            self._streams.add(stream)
        if schema is not None:
            stream.wait_open()
        return stream

    def appender(self, table: str, schema: Optional[pa.Schema] = None, *, max_rows: int = 10_000,
                 max_bytes: int = MB, linger: float = 0.05, **options: Any) -> Appender:
        """Takes rows one by one and writes them in batches: when there are `max_rows` of them, or about
        `max_bytes`, or when the first has waited for `linger` seconds. Without a `schema` it is the
        table's. Other options are those of open()."""
        if schema is None:
            schema = self.schema(table)
        stream = self.open(table, schema, **options)
        appender = Appender(stream, schema, max_rows=max_rows, max_bytes=max_bytes, linger=linger)
        with self._lock:
            self._appenders.add(appender)
        return appender

    def flush(self, level: LevelLike = Level.COMMITTED, table: Optional[str] = None,
              timeout: Optional[float] = None) -> int:
        """Has the server bring every write of before this call, of anybody, to `level`, those to `table`
        or all; returns the last LSN that this concerns."""
        body: Dict[str, Any] = {"level": Level.of(level).name}
        if table is not None:
            body["table"] = table
        return self._action("flush", body, timeout)[0]["lsn"]

    # Looking

    def status(self, timeout: Optional[float] = None) -> Dict[str, Any]:
        """The server's status, as the wire contract describes it."""
        return self._action("status", {}, timeout)[0]

    def watermarks(self, timeout: Optional[float] = None) -> Watermarks:
        status = self.status(timeout)
        return Watermarks(*(status[name] for name in Watermarks._fields))

    def get_durability_status(self, last_known_lsn: Optional[int] = None, *,
                              session: Optional[str] = None, until: Optional[LevelLike] = None,
                              timeout: Optional[float] = None) -> DurabilityStatus:
        """What became of the session's writes above `last_known_lsn` (None: all), and what was on its way
        for those below when a stream ended. With `until` it waits for that level. A session is known for
        five minutes after its last stream, unless the server is configured otherwise; then NOT_FOUND."""
        body: Dict[str, Any] = {"session": session or self.session}
        if last_known_lsn is not None:
            body["after_lsn"] = last_known_lsn
        if until is not None:
            body["until"] = Level.of(until).name
        events, forgotten = [], None
        for answer in self._action("durability_status", body, timeout):
            forgotten = answer.get("forgotten_through", forgotten)
            events += [Ack(event["lsn"], Level[event["durability_level"]], 0,
                           _microseconds(event["timestamp"]), event.get("snapshot_id"))
                       for event in answer["events"]]
        return DurabilityStatus(events, forgotten)

    def level_of(self, lsn: int, timeout: Optional[float] = None) -> Optional[Level]:
        """The level that an LSN has reached, however long ago; None: a crash took it before LOCAL_DISK."""
        answer = self._action("durability_status", {"lsns": [lsn]}, timeout)[0]["levels"][0]
        return None if answer["lost"] else Level[answer["durability_level"]]

    def schema(self, table: str, timeout: Optional[float] = None) -> pa.Schema:
        """The schema of a table, without the metadata that says where its columns are stored."""
        descriptor = flight.FlightDescriptor.for_path(*table.split("."))
        options = flight.FlightCallOptions(timeout=self._seconds(timeout))
        schema = self._ask(lambda client: client.get_schema(descriptor, options).schema, timeout)
        return pa.schema([field.remove_metadata() for field in schema])

    def query(self, sql: str, timeout: Optional[float] = None) -> pa.Table:
        """The answer to a SELECT, over every row that was acknowledged before."""
        descriptor = flight.FlightDescriptor.for_command(sql)
        options = flight.FlightCallOptions(timeout=self._seconds(timeout))

        def ask(client: flight.FlightClient) -> pa.Table:
            info = client.get_flight_info(descriptor, options)
            return client.do_get(info.endpoints[0].ticket, options).read_all()

        return self._ask(ask, timeout)

    # The rest

    def _seconds(self, timeout: Optional[float]) -> float:
        return self._deadline if timeout is None else timeout

    def _action(self, name: str, body: Dict[str, Any], timeout: Optional[float]
                ) -> List[Dict[str, Any]]:
        return self._endpoint.retried_action(name, body, time.monotonic() + self._seconds(timeout))

    def _ask(self, call: Callable[[flight.FlightClient], Any], timeout: Optional[float]) -> Any:
        return self._endpoint.retried(lambda: self._endpoint.call(call),
                                      time.monotonic() + self._seconds(timeout))

    def close(self, timeout: Optional[float] = None) -> None:
        """Closes every appender and every stream, as their close() does, then the connection. One deadline
        for all; raises the first error once everything is closed."""
        self._closed = True
        until = time.monotonic() + self._seconds(timeout)
        failure = None
        with self._lock:
            writers: List[Union[Appender, Stream]] = [*self._appenders, *self._streams]
        for writer in writers:
            try:
                writer.close(timeout=max(0.0, until - time.monotonic()))
            except ArkaError as error:
                failure = failure or error
        self._endpoint.close()
        if failure is not None:
            raise failure

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self.close()
        except ArkaError:
            if kind is None:
                raise


def _pem(value: Pem) -> Optional[bytes]:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str) and value.lstrip().startswith("-----BEGIN"):
        return value.encode()
    return pathlib.Path(value).read_bytes()


def _microseconds(text: str) -> int:
    moment = pa.scalar(text, pa.string()).cast(pa.timestamp("us", tz="UTC"))
    return moment.cast(pa.int64()).as_py()
