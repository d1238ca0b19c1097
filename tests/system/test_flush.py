"""The actions flush and commit: to a level at once, and an answer when it is reached."""

import collections
import json

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from testbed import lake
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])
LEVELS = ("LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")
# Nothing gets far by itself.
SLOW = {"durability.s3_upload_interval": "1h", "durability.iceberg_commit_interval": "1h"}


@pytest.fixture
def still_server(start_server):
    return start_server(SLOW)


def ask(client, action, timeout=60, **body):
    results = list(client.do_action(flight.Action(action, json.dumps(body).encode()),
                                    flight.FlightCallOptions(timeout=timeout)))
    assert len(results) == 1
    return json.loads(results[0].body.to_pybytes())


def write(stream, first, count):
    for number in range(first, first + count):
        stream.write(pa.record_batch([pa.array([number])], schema=SCHEMA))
    stream.wait("MEMORY")


def watermarks(client):
    info = client.get_flight_info(flight.FlightDescriptor.for_path("status"))
    status = json.loads(info.app_metadata)
    return {"LOCAL_DISK": status["disk_lsn"], "OBJECT_STORAGE": status["s3_lsn"],
            "COMMITTED": status["committed_lsn"]}


def ids_in(server, table):
    return collections.Counter(lake.read_with_pyiceberg(server, table).column("id").to_pylist())


def test_flush_answers_when_the_level_is_reached(still_server):
    with still_server.connect() as client:
        stream = WriteStream(client, SCHEMA, "t")
        for round_, level in enumerate(LEVELS * 2):
            write(stream, 100 * round_, 100)
            last = 999 + 100 * (round_ + 1)
            assert ask(client, "flush", level=level) == {"lsn": last, "level": level}
            assert watermarks(client)[level] >= last
        assert ids_in(still_server, "arka.t") == dict.fromkeys(range(600), 1)


def test_commit_names_the_snapshots(still_server):
    with still_server.connect() as client:
        streams = {name: WriteStream(client, SCHEMA, name) for name in ("a", "b", "c")}
        for name in ("a", "b"):
            write(streams[name], 0, 10)
        answer = ask(client, "commit")
        assert answer["lsn"] == 1019
        snapshots = {table["table"]: table["snapshot_id"] for table in answer["tables"]}
        assert snapshots == {
            f"arka.{name}": lake.load_table(still_server, f"arka.{name}").current_snapshot().snapshot_id
            for name in ("a", "b")}
        write(streams["a"], 10, 1)
        write(streams["c"], 0, 1)
        assert [table["table"] for table in ask(client, "commit", table="c")["tables"]] == ["arka.c"]
        assert ids_in(still_server, "arka.c") == {0: 1}
        assert len(ids_in(still_server, "arka.a")) == 10, "nobody asked for that table"
        assert ask(client, "commit", table="b")["tables"] == []


def test_a_flush_that_cannot_be_ends_with_the_reason(still_server):
    with still_server.connect() as client:
        with pytest.raises(KeyError, match="arka.nowhere"):
            ask(client, "flush", level="COMMITTED", table="nowhere")
        with pytest.raises(pa.ArrowInvalid, match="LOCAL_DISK"):
            ask(client, "flush", level="MEMORY")
        stream = WriteStream(client, SCHEMA, "t")
        write(stream, 0, 1)
        lake.catalog(still_server).drop_table("arka.t")
        with pytest.raises(KeyError, match="arka.t"):
            ask(client, "flush", level="COMMITTED")
        assert ask(client, "flush", level="OBJECT_STORAGE")["lsn"] == 1000
