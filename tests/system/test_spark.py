"""Spark reads the tables through Java's JdbcCatalog on the same SQLite file."""

import os

import pyarrow as pa
import pytest
from testbed.server import ROOT
from testbed.write_stream import WriteStream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("at", pa.timestamp("us", tz="UTC")),
                    ("tags", pa.list_(pa.string()))])


@pytest.fixture
def spark_for():
    """spark_for(server): a session whose catalog `lake` is the server's."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    sessions = []

    def open_session(server):
        jars = ",".join(str(jar) for jar in sorted((ROOT / ".deps/jars").glob("*.jar")))
        iceberg = "org.apache.iceberg.spark"
        session = (
            SparkSession.builder.master("local[2]").appName("arka-test")
            .config("spark.jars", jars)
            .config("spark.driver.memory", "1g")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.warehouse.dir", str(server.data_dir / "spark"))
            .config("spark.sql.extensions", f"{iceberg}.extensions.IcebergSparkSessionExtensions")
            .config("spark.sql.defaultCatalog", "lake")
            .config("spark.sql.catalog.lake", f"{iceberg}.SparkCatalog")
            .config("spark.sql.catalog.lake.catalog-impl", "org.apache.iceberg.jdbc.JdbcCatalog")
            .config("spark.sql.catalog.lake.uri", f"jdbc:sqlite:{server.data_dir}/catalog.db")
            .config("spark.sql.catalog.lake.warehouse", f"file://{server.data_dir}/warehouse")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("ERROR")
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.stop()


def test_spark_reads_appends_and_travels_in_time(server, client, spark_for):
    def rows(first):
        ids = list(range(first, first + 10))
        return pa.record_batch([pa.array(ids), pa.array([f"n{i}" for i in ids]),
                                pa.array(ids, pa.timestamp("us", tz="UTC")),
                                pa.array([["a", str(i)] for i in ids])], schema=SCHEMA)

    stream = WriteStream(client, SCHEMA)
    stream.write(rows(0))
    first = stream.wait("COMMITTED")[0]
    stream.write(rows(10))
    stream.wait("COMMITTED")

    spark = spark_for(server)
    found = spark.sql("SELECT * FROM arka.my_table ORDER BY id").collect()
    assert [r["id"] for r in found] == list(range(20))
    assert found[3]["name"] == "n3" and found[3]["tags"] == ["a", "3"]
    counted = spark.sql(
        f"SELECT count(*) FROM arka.my_table FOR VERSION AS OF {first.snapshot_id}").collect()
    assert counted[0][0] == 10
    files = spark.sql("SELECT record_count FROM arka.my_table.files").collect()
    assert sum(r[0] for r in files) == 20

    # Another engine may append between our commits: ours go on top of it, both stay.
    spark.sql("INSERT INTO arka.my_table VALUES (100, 'spark', timestamp'2026-01-01', array('s'))")
    stream.write(rows(20))
    stream.wait("COMMITTED", 3)
    stream.finish()
    spark.sql("REFRESH TABLE arka.my_table")
    ids = [r[0] for r in spark.sql("SELECT id FROM arka.my_table ORDER BY id").collect()]
    assert ids == [*range(30), 100]
