"""The object store, or the catalog, of a server on local files is away for a while."""

import contextlib
import sqlite3


@contextlib.contextmanager
def store_is_away(server):
    """Where its objects were is a file: no PUT and no GET works."""
    objects = server.data_dir / "objects"
    aside = server.data_dir / "objects.aside"
    objects.rename(aside)
    objects.write_text("this is no directory")
    try:
        yield
    finally:
        objects.unlink()
        aside.rename(objects)


@contextlib.contextmanager
def catalog_is_away(server):
    """Somebody else holds the catalog's database, and does not let go of it."""
    database = sqlite3.connect(server.data_dir / "catalog.db", timeout=60, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        database.execute("ROLLBACK")
        database.close()
