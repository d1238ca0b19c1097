"""What a stream says to a server before it writes, seen by a server that takes notes."""

import json
import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.flight as flight
import pytest

import arka

SCHEMA = pa.schema([("id", pa.int64())])
EPOCH = 2**53 + 1
BATCH = pa.record_batch([pa.array([1])], schema=SCHEMA)
ACKS = pa.schema([("lsn", pa.int64()), ("durability_level", pa.string()),
                  ("is_durability_update", pa.bool_()), ("timestamp", pa.timestamp("us", tz="UTC")),
                  ("is_watermark_update", pa.bool_()), ("disk_lsn", pa.int64()),
                  ("s3_lsn", pa.int64()), ("committed_lsn", pa.int64()), ("snapshot_id", pa.int64())])


class Headers(flight.ServerMiddlewareFactory):
    def __init__(self):
        self.seen = []

    def start_call(self, info, headers):
        self.seen.append((info.method, headers))


class Notes(flight.FlightServerBase):
    """Acknowledges every batch of a stream at LOCAL_DISK; ends streams when it is told to."""

    def __init__(self, last_seq=0):
        self.headers = Headers()
        super().__init__("grpc://127.0.0.1:0", middleware={"headers": self.headers})
        self.last_seq = last_seq
        self.said = []
        self.ends_after = None  # batches
        self.unsafe = 0  # of the last writes: a crash takes them just before the next flush

    def do_action(self, context, action):
        self.said.append((action.type, json.loads(action.body.to_pybytes())))
        answer = {"last_seq": self.last_seq, "lsn": 1000 if self.last_seq else None}
        if action.type == "claim_producer":
            answer["epoch"] = EPOCH
        elif action.type == "flush":
            if self.unsafe:
                self.last_seq, self.unsafe = self.last_seq - self.unsafe, 0
                raise flight.FlightUnavailableError("the server is shutting down")
            answer = {"lsn": 1000, "level": "LOCAL_DISK"}
        yield json.dumps(answer).encode()

    @property
    def exchanges(self):
        """The headers of each."""
        return [headers for method, headers in self.headers.seen
                if method == flight.FlightMethod.DO_EXCHANGE]

    def do_exchange(self, context, descriptor, reader, writer):
        self.said.append(("exchange", [part.decode() for part in descriptor.path]))
        writer.begin(ACKS)
        for count, chunk in enumerate(reader, 1):
            seq = json.loads(chunk.app_metadata.to_pybytes())["seq"]
            self.said.append(("batch", seq))
            self.last_seq = max(self.last_seq, seq)
            if count == self.ends_after:
                self.ends_after = None
                raise flight.FlightUnavailableError("the server is shutting down")
            writer.write_batch(pa.record_batch(
                [[2000 + seq] * 2, ["MEMORY", "LOCAL_DISK"], [False, True],
                 pa.array([0, 0], ACKS.field(3).type), [False] * 2, *[pa.nulls(2, pa.int64())] * 4],
                schema=ACKS))


@pytest.fixture
def start():
    started = []

    def make(**options):
        server = Notes(**options)
        started.append(server)
        return server, arka.connect(f"grpc://127.0.0.1:{server.port}", deadline=20)

    yield make
    for server in started:
        threading.Thread(target=server.shutdown, daemon=True).start()


def test_a_new_producer_asks_nothing(start):
    server, client = start()
    with client, client.open("sales.orders", SCHEMA, session="s 1") as stream:
        stream.write_durable(BATCH)
    assert server.said == [("exchange", ["streaming_write", "sales", "orders"]), ("batch", 1)]
    (headers,) = server.exchanges
    assert headers["arka-producer"] == [stream.producer] and headers["arka-session"] == ["s 1"]
    assert headers["arka-ack-until"] == ["LOCAL_DISK"] and headers["arka-watermarks"] == ["true"]
    assert "arka-producer-epoch" not in headers


TILL = {"producer": "till 4", "table": "sales.orders"}
FLUSH = ("flush", {"level": "LOCAL_DISK", "table": "sales.orders"})


def test_a_known_producer_is_claimed_and_has_its_last_write_on_disk_before_it_goes_on(start):
    server, client = start(last_seq=7)
    server.ends_after = 1
    with client, client.open("sales.orders", SCHEMA, producer="till 4") as stream:
        assert stream.next_seq == 8
        assert stream.write(BATCH).seq == 8
        stream.wait_for_durability()
    opened = ("exchange", ["streaming_write", "sales", "orders"])
    assert server.said == [
        ("claim_producer", TILL), FLUSH, ("last_seq", TILL), opened, ("batch", 8),
        ("last_seq", TILL), opened, ("batch", 8)]
    assert [headers["arka-producer-epoch"] for headers in server.exchanges] == [[str(EPOCH)]] * 2


def test_a_crash_before_its_last_writes_are_on_disk_costs_no_second_claim_and_leaves_no_gap(start):
    server, client = start(last_seq=7)
    server.unsafe = 2
    with client, client.open("sales.orders", SCHEMA, producer="till 4") as stream:
        assert stream.next_seq == 6
    assert server.said[:-1] == [
        ("claim_producer", TILL), FLUSH, ("last_seq", TILL), FLUSH, ("last_seq", TILL)]


def test_what_was_not_acknowledged_is_sent_again_under_the_same_seq(start):
    server, client = start()
    server.ends_after = 3
    with client, client.open("sales.orders", SCHEMA) as stream:
        for _ in range(2):
            stream.write_durable(BATCH)
        lsn = stream.write_durable(BATCH)
        assert lsn == 2003 and stream.reconnects == 1
    assert [said for said in server.said if said[0] in ("batch", "last_seq")] == [
        ("batch", 1), ("batch", 2), ("batch", 3),
        ("last_seq", {"producer": stream.producer, "table": "sales.orders"}), ("batch", 3)]


def test_a_stream_that_is_not_closed_does_not_keep_a_program_from_ending(start):
    server, client = start()
    client.close()
    program = (f"import arka, pyarrow as pa\nclient = arka.connect({client.url!r})\n"
               "stream = client.open('a.b')\n"
               "stream.write(pa.record_batch({'id': [1]})).wait()\nprint('done')")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60,
                          check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
