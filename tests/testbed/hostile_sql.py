"""Statements that want what no query may have."""

# Files, settings, secrets, the network, other statements than one SELECT: all refused.
HOSTILE = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_parquet('/**/*.parquet')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM 'https://127.0.0.1:1/x.parquet'",
    "SELECT getenv('PATH')",
    "SELECT current_setting('allowed_paths')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('sales.orders')",
    "SELECT * FROM arka_rows(0)",
    "SET enable_external_access = true",
    "PRAGMA enable_profiling",
    "LOAD httpfs", "INSTALL httpfs", "ATTACH '/tmp/x.db'", "COPY (SELECT 1) TO '/tmp/x.csv'",
    "CREATE TABLE t AS SELECT 1", "DROP TABLE sales.orders", "CALL pragma_version()",
    "EXPORT DATABASE '/tmp/x'", "CREATE SECRET s (TYPE s3, KEY_ID 'a')", "CHECKPOINT",
]

# Memory, processor time, output without end: ended at a limit, where DuckDB is not cleverer.
BOMBS = [
    "SELECT length(repeat('x', 1000000000) || repeat('y', 1000000000) || repeat('z', 1000000000))",
    "SELECT count(DISTINCT range || 'abcdefghijklmnopqrst') FROM range(100000000)",
    "SELECT list(range) FROM range(1000000000)",
    "SELECT count(*) FROM range(10000000) a, range(10000000) b, range(10000000) c",
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r",
    "SELECT * FROM range(1000000000) a, range(1000000000) b ORDER BY random()",
    "SELECT regexp_matches(repeat('a', 5000000), '(a*)*b')",
]
