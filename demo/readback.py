"""Reads the table with PyIceberg and with DuckDB and compares both with the source."""

import site

import duckdb
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog


def connect():
    """DuckDB with its Iceberg extension, from the Python packages; nothing is downloaded."""
    packages = site.getsitepackages()[0]
    connection = duckdb.connect()
    for name in ("avro", "httpfs", "iceberg"):
        connection.execute(
            f"LOAD '{packages}/duckdb_extension_{name}/extensions/"
            f"v{duckdb.__version__}/{name}.duckdb_extension'"
        )
    return connection


def fingerprint(connection, relation, schema):
    """{what: value}: row count, sums, and a checksum of every column that no order of rows changes.

    The last checksum is over whole rows, so that values which changed places are seen too.
    """
    wanted = {"rows": "count(*)"}
    for field in schema:
        if pa.types.is_integer(field.type):
            wanted[f"sum of {field.name}"] = f'sum("{field.name}")'
        wanted[f"checksum of {field.name}"] = f'sum(hash("{field.name}"))'
    columns = ", ".join(f'"{name}"' for name in schema.names)
    wanted["checksum of whole rows"] = f"sum(hash({columns}))"
    values = connection.sql(f"SELECT {', '.join(wanted.values())} FROM {relation}").fetchone()
    return dict(zip(wanted, values))


def compare(source, data_dir, name):
    """Prints a line per reader and one for each difference; true when there is none."""
    catalog = SqlCatalog(
        "lake", uri=f"sqlite:///{data_dir}/catalog.db", warehouse=f"file://{data_dir}/warehouse"
    )
    table = catalog.load_table(name)
    connection = connect()
    connection.register("source", source)
    connection.register("by_pyiceberg", table.scan().to_arrow())
    expected = fingerprint(connection, "source", source.schema)
    same = True
    for reader, relation in (
        ("PyIceberg", "by_pyiceberg"),
        ("DuckDB", f"iceberg_scan('{table.metadata_location}')"),
    ):
        found = fingerprint(connection, relation, source.schema)
        differences = [key for key in expected if found[key] != expected[key]]
        same = same and not differences
        verdict = "all as in the source" if not differences else "DIFFERENT"
        print(f"  {reader:<10} {found['rows']:,} rows, {len(expected)} sums and checksums: {verdict}")
        for key in differences:
            print(f"    {key}: wrote {expected[key]}, read {found[key]}")
    return same


def print_queries(data_dir, name):
    print(f"""
All is well. The server has stopped; the table stays. To query it by hand:

  .venv/bin/python - <<'PYTHON'
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("lake", uri="sqlite:///{data_dir}/catalog.db")
table = catalog.load_table("{name}")
flights = table.scan(row_filter="dest == 'SEA'").to_arrow()
print(flights.group_by("carrier").aggregate([("distance", "count")]).to_pandas())
PYTHON

  .venv/bin/python - <<'PYTHON'
import sys; sys.path.append("demo")
from readback import connect
connect().sql(\"\"\"
    SELECT carrier, count(*) AS flights, avg(dep_delay) AS delay_minutes
    FROM iceberg_scan('{_metadata_location(data_dir, name)}')
    GROUP BY carrier ORDER BY flights DESC
\"\"\").show()
PYTHON

Or start the server again on the same data: build/release/arka serve --set server.data_dir={data_dir}""")


def _metadata_location(data_dir, name):
    return SqlCatalog("lake", uri=f"sqlite:///{data_dir}/catalog.db").load_table(name).metadata_location
