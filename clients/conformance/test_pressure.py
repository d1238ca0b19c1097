"""Much, large, slow: what a client keeps is bounded, and everything arrives."""

import signal
import time

import pytest
from conftest import Rows
from driver import DriverError
from testbed.server import eventually

ORDERS = "sales.orders"
MB = 1 << 20


def test_a_slow_way_to_the_server_fills_the_budget_and_no_more(server, proxy, driver, rows):
    proxy.poison("bandwidth", stream="upstream", rate=1000)  # KB/s
    proxy.poison("latency", latency=100)
    driver.connect(url=f"grpc://{proxy.address}", options={"budget_bytes": MB})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=50, rows=100, text_bytes=1000)
    assert 0 < driver.memory()["bytes"] <= MB
    driver.wait(level="LOCAL_DISK", timeout_ms=60_000)
    assert driver.memory()["bytes"] == 0
    driver.close(timeout_ms=30_000)
    rows.check(5000)


def test_a_server_that_stands_still_costs_nothing_but_time(server, driver, rows, thorough):
    driver.connect(url=server.location, options={"budget_bytes": 4 * MB})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=10, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.process.send_signal(signal.SIGSTOP)
    try:
        driver.start("write", first=50, batches=200, rows=100)
        time.sleep(30 if thorough else 3)
    finally:
        server.process.send_signal(signal.SIGCONT)
    driver.answer()
    driver.wait(level="COMMITTED", timeout_ms=60_000)
    driver.close(timeout_ms=30_000)
    rows.check(20_050)


def test_a_writer_that_finds_no_room_hears_of_it_in_time(server, driver, rows):
    driver.connect(url=server.location, options={"budget_bytes": MB, "deadline_ms": 3000})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=1, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(DriverError) as full:
            driver.write(first=5, batches=100, rows=100, text_bytes=1000)
        assert 2 < time.monotonic() - began < 20
        assert full.value.code in ("DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED") and full.value.retryable
        assert driver.memory()["bytes"] <= MB
    finally:
        server.process.send_signal(signal.SIGCONT)


def test_a_row_that_an_appender_has_no_room_for_is_not_taken_and_none_before_it_is_lost(
        server, driver, rows):
    driver.connect(url=server.location, options={"budget_bytes": 20_000, "deadline_ms": 2000})
    driver.append_rows(first=0, rows=10, table=ORDERS)
    driver.flush(level="LOCAL_DISK", timeout_ms=30_000)
    server.process.send_signal(signal.SIGSTOP)
    try:
        taken = 10
        with pytest.raises(DriverError) as full:
            while taken < 20_000:
                driver.append_rows(first=taken, rows=1, text_bytes=1000)
                taken += 1
        assert full.value.code == "DEADLINE_EXCEEDED" and full.value.retryable
    finally:
        server.process.send_signal(signal.SIGCONT)
    driver.append_rows(first=taken, rows=1000)
    driver.close(timeout_ms=30_000)
    rows.check(taken + 1000)


def test_an_appender_that_has_no_room_is_closed_in_time(server, driver):
    driver.connect(url=server.location, options={"budget_bytes": 20_000, "deadline_ms": 60_000})
    driver.append_rows(first=0, rows=10, table=ORDERS)
    driver.flush(level="LOCAL_DISK", timeout_ms=30_000)
    server.process.send_signal(signal.SIGSTOP)
    try:
        driver.append_rows(first=10, rows=5000)
        time.sleep(0.5)  # they linger
        driver.append_rows(first=5010, rows=10)
        began = time.monotonic()
        with pytest.raises(DriverError) as late:
            driver.close(timeout_ms=2000)
        assert time.monotonic() - began < 12
        assert late.value.code == "DEADLINE_EXCEEDED" and late.value.retryable
    finally:
        server.process.send_signal(signal.SIGCONT)


def test_a_batch_of_nearly_64_mb_is_one_write(server, driver, rows):
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    driver.write(first=0, batches=1, rows=60_000, text_bytes=1000)
    assert driver.wait(level="COMMITTED", timeout_ms=60_000)["count"] == 1
    driver.close(timeout_ms=30_000)
    rows.check(60_000)


def test_a_batch_that_is_too_large_is_one_typed_error(server, driver, rows):
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    driver.write(first=0, batches=1, rows=10)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    with pytest.raises(DriverError) as refused:
        driver.write(first=10, batches=1, rows=70_000, text_bytes=1000)
        driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    assert refused.value.code == "RESOURCE_EXHAUSTED" and not refused.value.retryable
    rows.check(10)


def test_very_many_tiny_writes_by_one_who_reads_no_acks(server, driver, rows, thorough):
    """Nobody asks how they fare until all are written, and little is kept of them."""
    many = 100_000 if thorough else 20_000
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    driver.write(first=0, batches=1000, rows=1)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    before = driver.resident_mb
    for first in range(1000, many, 1000):
        driver.write(first=first, batches=1000, rows=1)
    assert driver.wait(level="LOCAL_DISK", timeout_ms=60_000)["count"] == many
    assert driver.memory() == {"bytes": 0}
    grown = driver.resident_mb - before
    assert grown < 100, f"{grown:.0f} MB more after {many} writes"
    eventually(lambda: driver.acks()["LOCAL_DISK"] == many)
    driver.close(timeout_ms=60_000)
    rows.check(many)


@pytest.mark.timeout(1200)
def test_the_memory_of_a_client_that_goes_on_writing_is_flat(start_server, driver, thorough):
    server = start_server({"query.timeout": "5m"})  # ten minutes make a hundred million rows
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    seconds, written, early = (600 if thorough else 10), 0, None
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        driver.write(first=written * 100, batches=200, rows=100)
        written += 200
        driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
        if early is None and passed > seconds / 3:
            early = driver.resident_mb
    grown = driver.resident_mb - early
    # In ten seconds a collector of garbage has not settled; batches that were kept would be far more.
    assert grown < (30 if thorough else 100), f"{grown:.0f} MB more since a third of the time had passed"
    driver.close(timeout_ms=60_000)
    Rows(server, timeout=300).check(written * 100)
