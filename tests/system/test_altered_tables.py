"""Tables that others alter by PyIceberg while writes to them wait and streams are open."""

import collections
import decimal

import pyarrow as pa
import pytest
from conftest import QUICK
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DecimalType, DoubleType, LongType, StringType
from testbed import lake
from testbed.server import ArkaServer, eventually
from testbed.status import get, status
from testbed.write_stream import WriteStream, refusal

BASE = pa.schema([
    pa.field("id", pa.int64(), nullable=False), ("count", pa.int32()), ("ratio", pa.float32()),
    ("price", pa.decimal128(9, 2)), ("note", pa.string()),
])
IDS = pa.schema([pa.field("id", pa.int64(), nullable=False)])


def row(schema, number):
    values = {"id": number, "count": number, "ratio": number + 0.5,
              "price": decimal.Decimal(number), "note": f"note {number}",
              "remark": f"note {number}", "extra": f"extra {number}"}
    return pa.RecordBatch.from_pylist([{name: values[name] for name in schema.names}], schema)


def schema_update(change):
    def alter(catalog, name):
        with catalog.load_table(name).update_schema(allow_incompatible_changes=True) as update:
            change(update)
        return name
    return alter


def promote(update):
    update.update_column("count", LongType())
    update.update_column("ratio", DoubleType())
    update.update_column("price", DecimalType(18, 2))


def rename_table(catalog, name):
    catalog.rename_table(name, name + "_renamed")
    return name + "_renamed"


def set_property(catalog, name):
    with catalog.load_table(name).transaction() as transaction:
        transaction.set_properties({"somebody": "was here"})
    return name


# What is done to a table, what its schema is then, and what a stream of the old schema is told, where
# it is refused.
Alteration = collections.namedtuple("Alteration", "alter schema refused", defaults=(BASE, None))
ALTERATIONS = {
    "nothing": Alteration(lambda catalog, name: name),
    "column_added": Alteration(
        schema_update(lambda update: update.add_column("extra", StringType())),
        BASE.append(pa.field("extra", pa.string())), "column 6 'extra' is missing in the stream"),
    "column_dropped": Alteration(
        schema_update(lambda update: update.delete_column("note")), BASE.remove(4),
        "column 5 'note' is not in the table"),
    "column_renamed": Alteration(
        schema_update(lambda update: update.rename_column("note", "remark")),
        BASE.set(4, pa.field("remark", pa.string())),
        "column 5 is 'remark' in the table, 'note' in the stream"),
    "columns_promoted": Alteration(
        schema_update(promote),
        pa.schema([BASE.field(0), ("count", pa.int64()), ("ratio", pa.float64()),
                   ("price", pa.decimal128(18, 2)), BASE.field(4)]),
        "column 2 'count': the table has long, the stream sent int"),
    "columns_reordered": Alteration(
        schema_update(lambda update: update.move_first("note")),
        pa.schema([BASE.field(4), *list(BASE)[:4]]),
        "column 1 is 'note' in the table, 'id' in the stream"),
    "column_made_optional": Alteration(
        schema_update(lambda update: update.make_column_optional("id")),
        BASE.set(0, pa.field("id", pa.int64()))),
    "doc_changed": Alteration(
        schema_update(lambda update: update.update_column("note", doc="what it is about"))),
    "table_renamed": Alteration(rename_table),
    "property_set": Alteration(set_property),
}


def retried(change, *arguments):
    """PyIceberg gives up where Arka commits between its look and its commit; the user tries again."""
    while True:
        try:
            return change(*arguments)
        except CommitFailedException:
            continue


class Scenario:
    """Every table written to, altered, and written to by the old streams and by new ones, all at once:
    ids 0 and 1 before the alteration, `by_old` after it, 10 by a stream of the new schema."""

    def __init__(self, directory, killed):
        self.server = ArkaServer(directory, {
            **QUICK, "durability.iceberg_commit_interval": "1h" if killed else "700ms"})
        self.names, self.old_streams_went_on, self.by_old = {}, {}, [2] if killed else [2, 3]
        with self.server.connect() as client:
            old = {key: WriteStream(client, BASE, "t", key) for key in ALTERATIONS}
            self.write(old, BASE, 0)
            self.write(old, BASE, 1, "OBJECT_STORAGE")
            catalog = lake.catalog(self.server)
            for key, alteration in ALTERATIONS.items():
                self.names[key] = retried(alteration.alter, catalog, f"t.{key}")
            for number in self.by_old:  # the first one's commit sees the alteration
                self.write(old, BASE, number, "OBJECT_STORAGE" if killed else "COMMITTED")
            if killed:
                self.server.kill()
            else:
                for stream in old.values():
                    stream.finish()
        if killed:
            self.server.settings["durability.iceberg_commit_interval"] = "300ms"
            self.server.restart()
        with self.server.connect() as client:
            new = {key: WriteStream(client, alteration.schema, *self.names[key].split("."))
                   for key, alteration in ALTERATIONS.items()}
            for key, stream in new.items():
                stream.write(row(stream.schema, 10))
            for stream in new.values():
                stream.wait("COMMITTED")
                stream.finish()
        self.ids = [0, 1, *self.by_old, 10]

    @staticmethod
    def write(streams, schema, number, tier=None):
        for stream in streams.values():
            stream.write(row(schema, number))
        for stream in streams.values() if tier else ():
            stream.wait(tier)


@pytest.fixture(scope="module", params=["running", "killed"])
def scenario(request, tmp_path_factory):
    made = Scenario(tmp_path_factory.mktemp(request.param) / "data", request.param == "killed")
    yield made
    made.server.stop()


@pytest.mark.parametrize("key", ALTERATIONS)
def test_an_altered_table_has_every_write_once_under_its_new_schema(scenario, key):
    schema, name = ALTERATIONS[key].schema, scenario.names[key]
    expected = pa.Table.from_batches([row(schema, number) for number in scenario.ids]).to_pylist()
    for read in expected:
        if "extra" in read and read["id"] < 10:
            read["extra"] = None  # written before there was such a column, or by a stream without it
    for table in (lake.read_with_pyiceberg(scenario.server, name),
                  lake.read_with_duckdb(scenario.server, name)):
        assert table.column_names == schema.names
        assert table.sort_by("id").to_pylist() == expected
    # By the bounds of each file's columns, which are of the type that the file was written with.
    for condition, kept in (("count >= 2", lambda number: number >= 2),
                            ("ratio < 2.0", lambda number: number < 2)):
        wanted = [number for number in scenario.ids if kept(number)]
        scan = lake.load_table(scenario.server, name).scan(row_filter=condition)
        assert sorted(scan.to_arrow()["id"].to_pylist()) == wanted
        found = lake.duckdb_connection().sql(
            f"SELECT id FROM {lake.scan(scenario.server, name)} WHERE {condition} ORDER BY id")
        assert [value for (value,) in found.fetchall()] == wanted


@pytest.mark.parametrize("key", [k for k, a in ALTERATIONS.items() if a.refused])
def test_a_new_stream_of_the_old_schema_is_told_what_is_different(scenario, key):
    with scenario.server.connect() as client:
        error = refusal(client, BASE, *scenario.names[key].split("."))
    assert isinstance(error, pa.ArrowInvalid), repr(error)
    assert ALTERATIONS[key].refused in str(error)


def problem_of(server, name):
    return next((t["problem"] for t in status(server)["tables"] if t["name"] == name), None)


def write_ids(stream, *numbers, until="COMMITTED"):
    for number in numbers:
        stream.write(pa.record_batch([pa.array([number])], schema=IDS))
    stream.wait(until)


def ids(server, name):
    tables = lake.read_with_pyiceberg(server, name), lake.read_with_duckdb(server, name)
    by_pyiceberg, by_duckdb = (sorted(table["id"].to_pylist()) for table in tables)
    assert by_pyiceberg == by_duckdb
    return by_pyiceberg


def partition(catalog, name):
    with catalog.load_table(name).update_spec() as update:
        update.add_field("id", IdentityTransform(), "by_id")


def unpartition(catalog, name):
    with catalog.load_table(name).update_spec() as update:
        update.remove_field("by_id")


def test_a_table_that_is_partitioned_keeps_its_writes_until_its_spec_is_set_back(server):
    catalog = lake.catalog(server)
    with server.connect() as client:
        orders, users = (WriteStream(client, IDS, "t", name) for name in ("orders", "users"))
        write_ids(orders, 1)
        retried(partition, catalog, "t.orders")
        write_ids(orders, 2, until="OBJECT_STORAGE")
        eventually(lambda: "is partitioned" in (problem_of(server, "t.orders") or ""))
        assert "t.orders is partitioned" in get(server.url + "/readyz")[1]
        write_ids(users, 1)
        second = WriteStream(client, IDS, "t", "orders")
        write_ids(second, 3, until="OBJECT_STORAGE")
        server.kill()
    server.restart()  # a start does not stumble over it, nor lose sight of it
    eventually(lambda: "is partitioned" in (problem_of(server, "t.orders") or ""))
    with server.connect() as client:
        orders, users = (WriteStream(client, IDS, "t", name) for name in ("orders", "users"))
        write_ids(orders, 4, until="OBJECT_STORAGE")
        write_ids(users, 2)
        assert ids(server, "t.orders") == [1]
        retried(unpartition, catalog, "t.orders")
        orders.wait("COMMITTED")
        orders.finish()
        users.finish()
    assert ids(server, "t.orders") == [1, 2, 3, 4]
    assert ids(server, "t.users") == [1, 2]
    assert problem_of(server, "t.orders") == ""


def test_a_table_that_is_partitioned_from_the_start_is_refused(server):
    catalog = lake.catalog(server)
    catalog.create_namespace("t")
    catalog.create_table("t.orders", IDS)
    partition(catalog, "t.orders")
    with server.connect() as client:
        assert "t.orders is partitioned" in str(refusal(client, IDS, "t", "orders"))
        unpartition(catalog, "t.orders")
        orders = WriteStream(client, IDS, "t", "orders")
        write_ids(orders, 1)
        orders.finish()
    assert ids(server, "t.orders") == [1]


def test_a_table_that_is_rolled_back_or_has_snapshots_expired_takes_what_waits_once(server):
    def roll_back(name, snapshot):
        catalog.load_table(name).manage_snapshots().rollback_to_snapshot(snapshot).commit()

    def expire(name, snapshot):
        catalog.load_table(name).maintenance.expire_snapshots().by_id(snapshot).commit()

    catalog = lake.catalog(server)
    with server.connect() as client:
        back, expired, users = (WriteStream(client, IDS, "t", name)
                                for name in ("back", "expired", "users"))
        for number in (1, 2, 3):
            for stream in (back, expired):
                write_ids(stream, number)
        first = {name: catalog.load_table(name).metadata.snapshots[0].snapshot_id
                 for name in ("t.back", "t.expired")}
        for stream in (back, expired):
            write_ids(stream, 4, until="MEMORY")
        retried(roll_back, "t.back", first["t.back"])
        retried(expire, "t.expired", first["t.expired"])
        for stream in (back, expired, users):
            write_ids(stream, 5)
        server.kill()
    server.restart()
    with server.connect() as client:
        for name in ("back", "expired"):
            stream = WriteStream(client, IDS, "t", name)
            write_ids(stream, 6)
            stream.finish()
    # 4 may have been committed just before the table was rolled back: then it went with the rest.
    assert ids(server, "t.back") in ([1, 4, 5, 6], [1, 5, 6])
    assert ids(server, "t.expired") == [1, 2, 3, 4, 5, 6]
    assert ids(server, "t.users") == [5]


def test_a_table_that_is_made_anew_gets_nothing_of_what_the_old_one_waits_for(start_server):
    server = start_server({**QUICK, "durability.iceberg_commit_interval": "1s"})
    catalog = lake.catalog(server)
    with server.connect() as client:
        old, users = (WriteStream(client, IDS, "t", name) for name in ("orders", "users"))
        write_ids(old, 1)
        table = catalog.load_table("t.orders")
        catalog.drop_table("t.orders")
        catalog.create_table("t.orders", IDS)
        write_ids(old, 2, until="OBJECT_STORAGE")
        eventually(lambda: "another one of that name" in (problem_of(server, "t.orders") or ""))
        old.write(pa.record_batch([pa.array([3])], schema=IDS))
        assert "is gone" in str(old.join()), "what cannot land is not taken"
        new = WriteStream(client, IDS, "t", "orders")
        write_ids(new, 10)
        write_ids(users, 1)
        assert ids(server, "t.orders") == [10]
        catalog.register_table("t.archive", table.metadata_location)
        eventually(lambda: status(server)["committed_lsn"] == status(server)["last_lsn"])
        new.finish()
        users.finish()
    assert ids(server, "t.archive") == [1, 2]
    assert ids(server, "t.orders") == [10]
