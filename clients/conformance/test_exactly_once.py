"""Every row once: in normal use, and whatever happens to the server and to the way to it."""

import shutil
import signal
import time

import pyarrow.flight as flight
import pytest
from conftest import Rows
from driver import DriverError
from testbed.server import eventually

ORDERS = "sales.orders"


def test_what_is_written_is_there_once_and_its_levels_are_told(server, driver, rows):
    driver.connect(url=server.location)
    opened = driver.open(table=ORDERS)
    assert opened["producer"] and opened["session"]
    assert driver.write(first=0, batches=100, rows=5) == {"accepted": 100}
    first = driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    assert first["count"] == 100 and first["lsns"] == [1000, 1099]
    assert driver.memory() == {"bytes": 0}
    driver.flush(level="COMMITTED", timeout_ms=30_000)
    eventually(lambda: set(driver.acks().values()) == {100})
    assert driver.query(sql=f"SELECT count(*), max(number) FROM {ORDERS}")["rows"] == [[500, 499]]
    driver.write(first=500, batches=1, rows=5)
    driver.close(timeout_ms=30_000)
    driver.quit()
    rows.check(505)


def test_a_server_that_is_killed_and_restarted_in_mid_stream_has_every_row_once(
        start_server, driver, chance):
    # So slow to the disk that each crash takes writes that were acknowledged in memory.
    server = start_server({"write_buffer.flush_interval": "100ms"})
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    written = 0
    for _ in range(6):
        driver.start("write", first=written * 5, batches=4000, rows=5)
        written += 4000
        for _ in range(2):
            time.sleep(chance.uniform(0.02, 0.2))  # anywhere in the stream
            server.kill()
            server.restart()
        assert driver.answer() == {"accepted": 4000}
    waited = driver.wait(level="COMMITTED", timeout_ms=60_000)
    assert waited["count"] == written and waited["lsns"][1] > waited["lsns"][0]
    counts = eventually(lambda: driver.acks()["COMMITTED"] == written and driver.acks())
    assert {counts[level] for level in ("LOCAL_DISK", "OBJECT_STORAGE")} == {written}
    driver.close(timeout_ms=30_000)
    driver.quit()
    Rows(server).check(written * 5)


def test_writes_of_before_a_crash_are_heard_of_without_being_sent_again(start_server, driver):
    """They are on disk, so the client no longer has them; nothing else is written."""
    server = start_server({"durability.iceberg_commit_interval": "3s"})
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    driver.write(first=0, batches=20, rows=5)
    waited = driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.kill()
    server.restart()
    assert driver.wait(level="COMMITTED", timeout_ms=60_000) == waited
    assert eventually(lambda: set(driver.acks().values()) == {20})
    driver.close(timeout_ms=30_000)
    Rows(server).check(100)


def test_a_server_that_was_away_for_long_while_nobody_needed_it_is_waited_for_as_ever(server, driver):
    """The deadline does not run while nothing is to be written."""
    driver.connect(url=server.location, options={"deadline_ms": 4000})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=1, rows=5)
    driver.wait(level="COMMITTED", timeout_ms=30_000)
    for first in (5, 10):
        server.kill()
        time.sleep(5)  # more than the deadline
        driver.write(first=first, batches=1, rows=5)  # to nobody, as yet
        server.restart()
        driver.wait(level="COMMITTED", timeout_ms=30_000)
    driver.close(timeout_ms=30_000)
    Rows(server).check(15)


def test_a_stream_that_the_server_ends_because_it_is_idle_is_there_when_it_is_needed(
        start_server, driver):
    server = start_server({"server.stream_idle_timeout": "500ms"})
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    for first in (0, 5, 10):
        driver.write(first=first, batches=1, rows=5)
        driver.wait(level="COMMITTED", timeout_ms=30_000)
        time.sleep(1.5)  # nothing moves
    driver.write(first=15, batches=1, rows=5)
    driver.close(timeout_ms=30_000)
    Rows(server).check(20)


def test_a_producer_that_was_forgotten_numbers_the_rest_from_1(start_server, start_driver):
    server = start_server({"producers.max": "1", "producers.expire_after": "1ms"})
    one = start_driver()
    one.connect(url=server.location)
    one.open(table=ORDERS)
    one.write(first=0, batches=3, rows=5)
    one.wait(level="COMMITTED", timeout_ms=30_000)
    server.stop()  # ends its stream, which would keep it from being forgotten
    server.restart()
    other = start_driver()
    other.connect(url=server.location)
    other.open(table=ORDERS)
    other.write(first=15, batches=1, rows=5)
    other.wait(level="COMMITTED", timeout_ms=30_000)
    other.close(timeout_ms=30_000)
    one.write(first=20, batches=3, rows=5)
    one.wait(level="COMMITTED", timeout_ms=30_000)
    one.close(timeout_ms=30_000)
    Rows(server).check(35)


def test_a_server_that_is_restarted_in_order_costs_nothing_but_time(server, driver, rows):
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    driver.write(first=0, batches=100, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.stop()
    driver.start("write", first=500, batches=100, rows=5)
    server.restart()
    driver.answer()
    driver.wait(level="COMMITTED", timeout_ms=60_000)
    driver.close(timeout_ms=30_000)
    rows.check(1000)


def test_a_connection_that_is_cut_at_random_bytes_loses_and_doubles_nothing(
        server, proxy, driver, rows, chance, thorough):
    driver.connect(url=f"grpc://{proxy.address}", options={"deadline_ms": 120_000})
    driver.open(table=ORDERS)
    written = 0
    for _ in range(60 if thorough else 6):
        # The connections to come end after so many bytes, those of the client or those of the server.
        proxy.poison("limit_data", stream=chance.choice(["upstream", "downstream"]),
                     bytes=chance.randrange(3_000, 200_000))
        proxy.cut()
        driver.start("write", first=written * 5, batches=500, rows=5)
        proxy.mend()
        written += 500
        assert driver.answer() == {"accepted": 500}
        time.sleep(chance.uniform(0, 0.5))
        proxy.heal()
    driver.wait(level="COMMITTED", timeout_ms=120_000)
    driver.close(timeout_ms=30_000)
    driver.quit()
    rows.check(written * 5)


def test_a_producer_goes_on_where_an_earlier_program_left_it(server, start_driver, rows):
    for program in range(3):
        driver = start_driver()
        driver.connect(url=server.location)
        assert driver.open(table=ORDERS, producer="till 4")["producer"] == "till 4"
        driver.write(first=program * 50, batches=10, rows=5)
        driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
        driver.close(timeout_ms=30_000)
        driver.quit()
    rows.check(150)


def test_two_producers_write_to_one_table_at_once(server, start_driver, rows):
    drivers = [start_driver() for _ in range(2)]
    for driver in drivers:
        driver.connect(url=server.location)
        driver.open(table=ORDERS)
    for number, driver in enumerate(drivers):
        driver.start("write", first=number * 5000, batches=1000, rows=5)
    for driver in drivers:
        driver.answer()
        driver.wait(level="COMMITTED", timeout_ms=60_000)
        driver.close(timeout_ms=30_000)
    rows.check(10_000)


def test_rows_that_are_appended_one_by_one_are_there_once(server, driver, rows):
    driver.connect(url=server.location)
    driver.open(table=ORDERS)
    driver.write(first=0, batches=1, rows=10)
    driver.wait(level="COMMITTED", timeout_ms=30_000)
    assert driver.append_rows(first=10, rows=25_000, table=ORDERS) == {"accepted": 25_000}
    driver.flush(level="LOCAL_DISK", timeout_ms=30_000)
    rows.check(25_010)
    driver.append_rows(first=25_010, rows=1)
    eventually(lambda: driver.query(sql=f"SELECT count(*) FROM {ORDERS}")["rows"] == [[25_011]])
    driver.append_rows(first=25_011, rows=1)
    driver.close(timeout_ms=30_000)
    rows.check(25_012)


def test_a_server_that_has_lost_what_it_had_acknowledged_is_an_error_and_not_a_gap(server, driver):
    driver.connect(url=server.location, options={"deadline_ms": 20_000})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=3, rows=5)
    driver.wait(level="COMMITTED", timeout_ms=30_000)
    server.kill()
    shutil.rmtree(server.data_dir)
    server.restart()
    with pytest.raises(DriverError) as refused:
        driver.write(first=15, batches=1, rows=5)
        driver.wait(level="LOCAL_DISK", timeout_ms=20_000)
    assert (refused.value.code, refused.value.retryable) == ("DATA_LOSS", False)


def test_a_table_that_is_dropped_ends_its_streams(server, driver):
    driver.connect(url=server.location, options={"deadline_ms": 20_000})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=3, rows=5)
    driver.wait(level="COMMITTED", timeout_ms=30_000)
    with server.connect() as client:
        list(client.do_action(flight.Action("drop_table", b'{"table": "sales.orders"}')))
    with pytest.raises(DriverError) as refused:
        driver.write(first=15, batches=1, rows=5)
        driver.wait(level="LOCAL_DISK", timeout_ms=20_000)
    assert refused.value.code in ("NOT_FOUND", "DATA_LOSS") and not refused.value.retryable


def test_the_deadline_runs_from_the_loss_of_a_connection_that_served_all_there_was(start_server, driver):
    """Who listens keeps a connection though nothing is to be written."""
    server = start_server({"durability.iceberg_commit_interval": "60s"})
    driver.connect(url=server.location, options={"deadline_ms": 4000})
    driver.open(table=ORDERS)
    driver.write(first=0, batches=1, rows=5)
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    server.kill()
    server.restart()
    time.sleep(6)  # more than the deadline
    server.process.send_signal(signal.SIGSTOP)
    driver.write(first=5, batches=1, rows=5)
    time.sleep(0.5)
    server.kill()
    server.restart()
    driver.wait(level="LOCAL_DISK", timeout_ms=30_000)
    driver.close(timeout_ms=30_000)
    Rows(server).check(10)
