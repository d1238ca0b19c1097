"""Arka's Iceberg library against PyIceberg and DuckDB, without the server.

A small program made of the library creates the tables and commits; the data files are pyarrow's, so
that what is tested is the metadata. Both sides write to the same table in turn.
"""

import datetime as dt
import json
import subprocess
import uuid
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from testbed.lake import duckdb_connection
from testbed.server import BUILD_DIR

PROGRAM = BUILD_DIR / "arka_iceberg_interop"
TABLE = "arka.every_type"


class Lake:
    """One catalog file and warehouse, used by Arka's program and by PyIceberg."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(exist_ok=True)

    def arka(self, *arguments, stdin=""):
        done = subprocess.run(
            [PROGRAM, self.directory, *arguments],
            input=stdin, capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create(self, table=TABLE):
        return self.arka("create", *table.split("."))

    def append(self, *files, table=TABLE):
        return int(self.arka("append", *table.split("."), stdin=json.dumps(files)))

    @property
    def catalog(self):
        return SqlCatalog(
            "lake",
            uri=f"sqlite:///{self.directory}/catalog.db",
            warehouse=f"file://{self.directory}/warehouse",
        )

    def table(self, table=TABLE):
        return self.catalog.load_table(table)

    def duckdb(self, sql, table=TABLE):
        location = self.table(table).metadata_location
        return duckdb_connection().sql(sql.replace("$t", f"iceberg_scan('{location}')")).fetchall()


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def rows(first, count):
    """Rows of the program's every_type table, with a null in every column that may be null."""
    zone = dt.timezone.utc

    def row(i):
        return {
            "id": i,
            "boolean": i % 2 == 0,
            "int": -i,
            "float": i / 2,
            "double": i / 3,
            "decimal": Decimal(f"-{i}.0001"),
            "date": dt.date(2026, 1, 1) + dt.timedelta(days=i),
            "time": dt.time(1, 2, 3, i),
            "timestamp": dt.datetime(1969, 12, 31, 23, 59, 59, i),
            "timestamptz": dt.datetime(2026, 1, 1, 0, 0, 0, i, tzinfo=zone),
            "string": f"é{i}",
            "uuid": uuid.UUID(int=i).bytes,
            "fixed": f"{i:05}".encode(),
            "binary": b"\x00\xff" * i,
            "list": [str(i), None],
            "map": [(f"k{i}", i), ("none", None)],
            "struct": {"a": i, "b": f"b{i}"},
        }

    with_null = {name: None for name in row(0)} | {"id": first + count - 1}
    return [row(i) for i in range(first, first + count - 1)] + [with_null]


def write_file(lake, first, count, table=TABLE):
    """A data file in the table's location, and what the program is to be told of it."""
    loaded = lake.table(table)
    data = pa.Table.from_pylist(rows(first, count), schema=loaded.schema().as_arrow())
    path = Path(loaded.location().removeprefix("file://")) / "data" / f"{uuid.uuid4()}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(data, path)
    long = lambda value: value.to_bytes(8, "little", signed=True).hex()
    return {
        "path": f"file://{path}",
        "records": count,
        "size": path.stat().st_size,
        "lower": {"1": long(first)},
        "upper": {"1": long(first + count - 1)},
        "counts": {"1": count, "11": count},
        "nulls": {"1": 0, "11": 1},
    }


def test_pyiceberg_lists_and_scans_what_arka_committed(lake):
    lake.create()
    snapshot_id = lake.append(write_file(lake, 0, 10), write_file(lake, 10, 10))

    assert lake.catalog.list_namespaces() == [("arka",)]
    assert lake.catalog.list_tables("arka") == [("arka", "every_type")]
    table = lake.table()
    assert table.metadata.current_snapshot_id == snapshot_id
    assert table.properties["arka.committed-lsn.n1"] == "1042"
    assert table.name_mapping() is not None
    found = table.scan().to_arrow().sort_by("id").to_pylist()
    expected = rows(0, 10) + rows(10, 10)
    for row in found:
        row["uuid"] = row["uuid"] and getattr(row["uuid"], "bytes", row["uuid"])
    assert found == expected

    snapshot = table.current_snapshot()
    assert snapshot.summary.operation.value == "append"
    assert snapshot.summary["total-records"] == "20"
    assert snapshot.summary["total-data-files"] == "2"
    assert snapshot.summary["arka.last-lsn"] == "1042"


def test_pyiceberg_skips_files_by_arkas_bounds(lake):
    lake.create()
    lake.append(write_file(lake, 0, 10), write_file(lake, 10, 10))
    planned = list(lake.table().scan(row_filter="id >= 12").plan_files())
    assert len(planned) == 1
    assert lake.table().scan(row_filter="id >= 12").to_arrow().num_rows == 8


def test_duckdb_scans_what_arka_committed(lake):
    lake.create()
    assert lake.duckdb("SELECT count(*) FROM $t") == [(0,)]
    lake.append(write_file(lake, 0, 10))
    lake.append(write_file(lake, 10, 10))
    assert lake.duckdb("SELECT count(*), sum(id), count(string) FROM $t") == [(20, 190, 18)]
    assert lake.duckdb('SELECT id FROM $t WHERE id > 17 ORDER BY id') == [(18,), (19,)]
    assert lake.duckdb('SELECT "decimal", "date", string, list, "struct" FROM $t WHERE id = 3') == [
        (Decimal("-3.0001"), dt.date(2026, 1, 4), "é3", ["3", None], {"a": 3, "b": "b3"})
    ]


def test_two_writers_take_turns_on_one_table(lake):
    lake.create()
    lake.append(write_file(lake, 0, 10))
    table = lake.table()
    table.append(pa.Table.from_pylist(rows(10, 10), schema=table.schema().as_arrow()))
    lake.append(write_file(lake, 20, 10))
    with lake.table().transaction() as transaction:
        transaction.set_properties({"owner": "someone"})
    lake.append(write_file(lake, 30, 10))

    table = lake.table()
    assert table.scan().to_arrow().num_rows == 40
    assert sorted(table.scan(selected_fields=("id",)).to_arrow()["id"].to_pylist()) == [*range(40)]
    assert table.current_snapshot().summary["total-records"] == "40"
    assert table.properties["owner"] == "someone"
    assert [entry.sequence_number for entry in table.metadata.snapshots] == [1, 2, 3, 4]
    assert len(table.metadata.metadata_log) == 5
    assert lake.duckdb("SELECT count(*), count(DISTINCT id) FROM $t") == [(40, 40)]
    assert len(table.inspect.manifests()) == 4


def test_each_snapshot_can_still_be_read(lake):
    lake.create()
    first = lake.append(write_file(lake, 0, 10))
    second = lake.append(write_file(lake, 10, 10))
    assert lake.table().scan(snapshot_id=first).to_arrow().num_rows == 10
    assert lake.table().scan(snapshot_id=second).to_arrow().num_rows == 20


def test_arka_appends_to_a_table_that_pyiceberg_made(lake):
    lake.arka("list")
    made_by_arka = Lake(lake.directory.parent / "schema")
    made_by_arka.create()
    lake.catalog.create_namespace("arka")
    schema = made_by_arka.table().schema()
    lake.catalog.create_table(TABLE, schema, properties={"format-version": "2"})
    lake.table().append(pa.Table.from_pylist(rows(0, 10), schema=schema.as_arrow()))
    lake.append(write_file(lake, 10, 10))
    lake.table().append(pa.Table.from_pylist(rows(20, 10), schema=schema.as_arrow()))
    assert lake.arka("list") == TABLE
    assert lake.table().scan().to_arrow().num_rows == 30
    assert lake.duckdb("SELECT sum(id) FROM $t") == [(sum(range(30)),)]


def test_pyiceberg_can_delete_from_and_overwrite_what_arka_wrote(lake):
    lake.create()
    lake.append(write_file(lake, 0, 10), write_file(lake, 10, 10))
    lake.table().delete("id < 5")
    lake.append(write_file(lake, 20, 10))
    assert sorted(lake.table().scan().to_arrow()["id"].to_pylist()) == [*range(5, 30)]
    assert lake.table().current_snapshot().summary["total-records"] == "25"
    assert lake.duckdb("SELECT count(*) FROM $t") == [(25,)]


def test_merged_manifests_are_read_like_any_others(lake):
    lake.create()
    with lake.table().transaction() as transaction:
        transaction.set_properties({"commit.manifest.min-count-to-merge": "3"})
    for i in range(8):
        lake.append(write_file(lake, 10 * i, 10))
    manifests = lake.table().inspect.manifests()
    assert len(manifests) < 5
    assert sum(manifests["existing_data_files_count"].to_pylist()) > 0
    assert sorted(lake.table().scan().to_arrow()["id"].to_pylist()) == [*range(80)]
    assert lake.duckdb("SELECT count(*), count(DISTINCT id) FROM $t") == [(80, 80)]
    lake.table().delete("id < 15")
    lake.append(write_file(lake, 80, 10))
    assert sorted(lake.table().scan().to_arrow()["id"].to_pylist()) == [*range(15, 90)]
