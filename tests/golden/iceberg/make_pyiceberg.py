"""Makes pyiceberg/ afresh: a small table as PyIceberg writes it, under file:///tmp/arka-golden.

Run by hand when a newer PyIceberg is to be matched; the tests only read the files that are here.
"""

import datetime as dt
import pathlib
import shutil
from decimal import Decimal

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

ROOT = pathlib.Path("/tmp/arka-golden")
HERE = pathlib.Path(__file__).parent


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir()
    catalog = SqlCatalog("lake", uri=f"sqlite:///{ROOT}/catalog.db", warehouse=f"file://{ROOT}/wh")
    catalog.create_namespace("arka")
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            ("name", pa.string()),
            ("price", pa.decimal128(18, 4)),
            ("ts", pa.timestamp("us", "UTC")),
            ("tags", pa.list_(pa.string())),
            ("st", pa.struct([("a", pa.int32())])),
        ]
    )
    table = catalog.create_table("arka.golden", schema, properties={"owner": "someone"})
    for first in (0, 10):
        rows = [
            {
                "id": i,
                "name": f"n{i}",
                "price": Decimal(i) / 4,
                "ts": dt.datetime(2026, 1, 1, i, tzinfo=dt.timezone.utc),
                "tags": ["a", str(i)],
                "st": {"a": i},
            }
            for i in range(first, first + 10)
        ]
        table.append(pa.Table.from_pylist(rows, schema=schema))
    table = catalog.load_table("arka.golden")
    out = HERE / "pyiceberg"
    snapshot = table.current_snapshot()
    copy = lambda uri, name: shutil.copy(uri.removeprefix("file://"), out / name)
    copy(table.metadata_location, "metadata.json")
    copy(snapshot.manifest_list, "manifest_list.avro")
    newest = snapshot.manifests(table.io)[0]
    copy(newest.manifest_path, "manifest.avro")
    shutil.rmtree(ROOT)


if __name__ == "__main__":
    main()
