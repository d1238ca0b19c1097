"""The readers: what PyIceberg and DuckDB see of a server's tables."""

import functools
import site

import duckdb
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog


def catalog(server, **properties):
    """The server's catalog, opened as any PyIceberg user would."""
    if server.settings.get("catalog.type") == "rest":
        return RestCatalog("lake", uri=server.settings["catalog.uri"], **properties)
    database = server.settings.get("catalog.uri", f"{server.data_dir}/catalog.db")
    return SqlCatalog(
        "lake",
        uri=f"sqlite:///{database}",
        warehouse=server.settings.get(
            "catalog.warehouse", f"file://{server.data_dir}/warehouse"
        ),
        **properties,
    )


def load_table(server, name="arka.my_table", **properties):
    return catalog(server, **properties).load_table(name)


def read_with_pyiceberg(server, name="arka.my_table", **properties):
    """The whole table as a pyarrow.Table."""
    return load_table(server, name, **properties).scan().to_arrow()


@functools.cache
def duckdb_connection():
    """DuckDB with the Iceberg extension of the wheels, nothing fetched. One per process."""
    packages = site.getsitepackages()[0]
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions=false")
    connection.execute("SET autoload_known_extensions=false")
    for name in ("avro", "httpfs", "iceberg"):
        connection.execute(
            f"LOAD '{packages}/duckdb_extension_{name}/extensions/"
            f"v{duckdb.__version__}/{name}.duckdb_extension'"
        )
    return connection


def scan(server, name="arka.my_table"):
    """The iceberg_scan(...) call of a table's current metadata, to put into DuckDB's SQL."""
    return f"iceberg_scan('{load_table(server, name).metadata_location}')"


def read_with_duckdb(server, name="arka.my_table", columns="*"):
    """The whole table as a pyarrow.Table, by DuckDB."""
    result = duckdb_connection().sql(f"SELECT {columns} FROM {scan(server, name)}")
    table = result.to_arrow_table() if hasattr(result, "to_arrow_table") else result.arrow()
    return table if hasattr(table, "num_rows") else table.read_all()
