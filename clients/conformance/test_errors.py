"""Errors have one shape, and come; nothing hangs."""

import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from driver import DriverError

ORDERS = "sales.orders"


def refusal(driver, *, within=30):
    """The error of a driver that opens a stream and writes, at whichever op it comes."""
    began = time.monotonic()
    with pytest.raises(DriverError) as refused:
        driver.open(table=ORDERS)
        driver.write(first=0, batches=1, rows=5)
        driver.wait(level="LOCAL_DISK", timeout_ms=within * 1000)
    assert time.monotonic() - began < within
    return refused.value


def test_a_schema_that_is_not_the_tables_is_refused_at_once(server, driver):
    schema = pa.schema([("number", pa.string())])
    with server.connect() as client:
        path = flight.FlightDescriptor.for_path("sales", "orders")
        writer, _ = client.do_put(path, schema)
        writer.write_batch(pa.record_batch([pa.array(["1"])], schema=schema))
        writer.close()
    driver.connect(url=server.location)
    error = refusal(driver)
    assert (error.code, error.retryable) == ("INVALID_ARGUMENT", False)
    assert "does not match the table's" in error.message
    with pytest.raises(DriverError) as again:  # and stays so
        driver.write(first=0, batches=1, rows=5)
    assert again.value.code == "INVALID_ARGUMENT"


def test_a_server_that_is_gone_for_good_is_one_typed_error_when_the_deadline_passes(server, driver):
    driver.connect(url=server.location, options={"deadline_ms": 3000})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=10, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.kill()
    driver.write(first=50, batches=10, rows=5)
    began = time.monotonic()
    with pytest.raises(DriverError) as gone:
        driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    assert 2 < time.monotonic() - began < 20
    assert (gone.value.code, gone.value.retryable) == ("DEADLINE_EXCEEDED", True)


def test_close_never_hangs(server, driver):
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    driver.write(first=0, batches=10, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.kill()
    driver.write(first=50, batches=10, rows=5)
    began = time.monotonic()
    with pytest.raises(DriverError) as late:
        driver.close(timeout_ms=2000)
    assert time.monotonic() - began < 15
    assert late.value.code == "DEADLINE_EXCEEDED"
    driver.quit()


def test_nobody_at_home_is_one_typed_error(server, driver):
    server.stop()
    driver.connect(url=server.location, options={"deadline_ms": 2000})
    error = refusal(driver)
    assert error.code in ("DEADLINE_EXCEEDED", "UNAVAILABLE") and error.retryable


def test_a_statement_that_is_none_is_the_servers_error(server, driver):
    driver.connect(url=server.location)
    with pytest.raises(DriverError) as refused:
        driver.query(sql="SELEC 1")
    assert (refused.value.code, refused.value.retryable) == ("INVALID_ARGUMENT", False)
    assert driver.query(sql="SELECT 1 AS one, 'x' AS x")["rows"] == [[1, "x"]]


def test_what_became_of_writes_can_be_asked(server, driver):
    driver.connect(url=server.location)
    driver.open(table=ORDERS, session="session 7")
    driver.write(first=0, batches=4, rows=5)
    driver.flush(level="COMMITTED", timeout_ms=30_000)
    driver.wait(level="COMMITTED", timeout_ms=30_000)
    events = driver.durability(after=1001)["events"]
    assert [level for lsn, level in events if lsn == 1003] == [
        "MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"]
    assert {lsn for lsn, _ in events} == {1002, 1003}
    status = driver.status()["status"]
    assert status["last_lsn"] == 1003 and status["ready"] is True
