"""Every Arrow type that the language's library has, and a table can hold."""

LEAST = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float32", "float64",
         "decimal128", "date32", "timestamp_us", "timestamp_us_utc", "utf8", "binary",
         "fixed_size_binary", "list", "struct", "map", "dictionary"}


def test_a_batch_of_every_type_arrives(server, driver):
    driver.connect(url=server.location)
    driver.open(table="sales.types", columns="types")
    written = driver.write_types()
    assert LEAST <= set(written["columns"]), LEAST - set(written["columns"])
    driver.wait(level="COMMITTED", timeout_ms=30_000)
    driver.close(timeout_ms=30_000)
    for column in written["columns"]:
        counted = driver.query(sql=f'SELECT count(*), count("{column}") FROM sales.types')["rows"]
        assert counted == [[2, 1]], column
