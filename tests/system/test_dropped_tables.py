"""Tables that are dropped on purpose while writes to them are not committed."""

import json

import pyarrow as pa
import pyarrow.flight as flight
from testbed import lake
from testbed.server import eventually
from testbed.status import get, status
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])


def write(server, table, numbers, until):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA, "sales", table)
        for number in numbers:
            stream.write(pa.record_batch([pa.array([number])], schema=SCHEMA))
        stream.wait(until)
        stream.finish()
    return stream.lsns()


def levels(server, lsns):
    with server.connect() as client:
        action = flight.Action("durability_status", json.dumps({"lsns": lsns}).encode())
        answers = [json.loads(answer.body.to_pybytes()) for answer in client.do_action(action)]
    return [(level["durability_level"], level["lost"]) for a in answers for level in a["levels"]]


def problems(server):
    return [table["problem"] for table in status(server)["tables"] if table["problem"]]


def test_the_writes_of_a_dropped_table_are_given_up_when_the_operator_says_so(start_server):
    server = start_server({"durability.iceberg_commit_interval": "1h"})
    kept = write(server, "users", [1, 2], "OBJECT_STORAGE")
    lost = write(server, "orders", [1, 2, 3], "OBJECT_STORAGE")
    uuid = str(lake.load_table(server, "sales.orders").metadata.table_uuid)
    lake.catalog(server).drop_table("sales.orders")
    server.kill()

    server.settings["durability.iceberg_commit_interval"] = "200ms"
    server.restart()
    eventually(lambda: status(server)["committed_lsn"] == kept[-1])
    assert levels(server, lost) == [("OBJECT_STORAGE", False)] * 3
    flag = f"--give-up-writes-of {uuid}"
    assert flag in server.log()
    assert len(problems(server)) == 1 and flag in problems(server)[0]
    eventually(lambda: flag in get(server.url + "/readyz")[1])

    server.kill()
    server.arguments = tuple(flag.split())
    server.restart()
    server.kill()  # at once: what was told once stays so
    assert f"GIVEN UP: 3 write(s) to table sales.orders (UUID {uuid})" in server.log()
    assert f"LSN {lost[0]} to {lost[-1]}" in server.log()
    server.arguments = ()
    server.restart()
    assert levels(server, kept + lost) == [("COMMITTED", False)] * 2 + [(None, True)] * 3
    assert problems(server) == []
    write(server, "orders", [7], "COMMITTED")
    assert lake.read_with_pyiceberg(server, "sales.orders")["id"].to_pylist() == [7]
    assert sorted(lake.read_with_pyiceberg(server, "sales.users")["id"].to_pylist()) == [1, 2]
    objects = server.data_dir / "objects"
    eventually(lambda: not list(objects.rglob("*.arkalog")))
    assert levels(server, lost) == [(None, True)] * 3


def test_the_flag_gives_nothing_up_of_a_table_that_is_there(start_server):
    server = start_server({"durability.iceberg_commit_interval": "1h"})
    write(server, "orders", [1, 2, 3], "OBJECT_STORAGE")
    uuid = str(lake.load_table(server, "sales.orders").metadata.table_uuid)
    lake.catalog(server).rename_table("sales.orders", "sales.archive")
    server.kill()
    unknown = "00000000-0000-4000-8000-000000000000"
    server.arguments = ("--give-up-writes-of", uuid, "--give-up-writes-of", unknown)
    server.restart()
    assert f"{uuid}: the catalog has that table" in server.log()
    assert f"{unknown}: the log holds no write to that table" in server.log()
    server.stop()
    assert sorted(lake.read_with_pyiceberg(server, "sales.archive")["id"].to_pylist()) == [1, 2, 3]
