"""Of the programs that have a producer's name the youngest writes, and no other."""

import json
import time

import pyarrow.flight as flight
import pytest
from conftest import Rows
from driver import DriverError
from testbed.server import eventually

ORDERS = "sales.orders"


def open_streams(server, session):
    with server.connect() as client:
        (answer,) = client.do_action(flight.Action("list_sessions", b"{}"))
    sessions = json.loads(answer.body.to_pybytes())["sessions"]
    return sum(each["open_streams"] for each in sessions if each["session"] == session)


def connected(driver, url):
    driver.connect(url=url, options={"deadline_ms": 30_000})
    return driver


@pytest.mark.parametrize("written_before", [0, 5])
def test_what_a_dead_program_had_on_the_way_takes_no_place_of_what_its_successor_writes(
        written_before, server, proxy, start_driver, rows):
    """It arrives after the successor has opened its stream, and after it has written some."""
    dead = connected(start_driver(), f"grpc://{proxy.address}")
    dead.open(table=ORDERS, producer="till 4", session="dead")
    dead.write(first=0, batches=10, rows=5)
    dead.wait(level="LOCAL_DISK", timeout_ms=30_000)
    proxy.poison("latency", stream="upstream", latency=600_000)
    before = proxy.bytes_read
    dead.write(first=1000, batches=10, rows=5, text_bytes=1000)
    eventually(lambda: proxy.bytes_read - before > 50_000)  # it has them, and the server has not
    dead.kill()

    successor = connected(start_driver(), server.location)
    successor.open(table=ORDERS, producer="till 4")
    if written_before:
        successor.write(first=50, batches=written_before, rows=5)
        successor.wait(level="LOCAL_DISK", timeout_ms=30_000)
    assert open_streams(server, "dead") == 1
    proxy.heal()  # what it holds goes on at once
    eventually(lambda: open_streams(server, "dead") == 0)
    successor.write(first=50 + 5 * written_before, batches=10, rows=5)
    successor.wait(level="COMMITTED", timeout_ms=30_000)
    successor.close(timeout_ms=30_000)
    rows.check(100 + 5 * written_before)


@pytest.mark.parametrize("killed", [False, True], ids=["", "the server is killed"])
def test_of_two_living_programs_of_one_name_the_elder_fails_and_the_younger_writes(
        killed, server, start_driver, chance):
    elder, younger = (connected(start_driver(), server.location) for _ in range(2))
    elder.open(table=ORDERS, producer="till 4")
    elder.write(first=0, batches=1, rows=5)
    elder.wait(level="LOCAL_DISK", timeout_ms=30_000)
    elder.start("write", first=5, batches=20_000, rows=5)
    time.sleep(chance.uniform(0, 0.3))  # anywhere in its stream
    younger.open(table=ORDERS, producer="till 4")
    (written,) = younger.query(sql=f"SELECT count(*) FROM {ORDERS}")["rows"][0]  # by the elder, ever
    younger.write(first=written, batches=10, rows=5)
    younger.wait(level="LOCAL_DISK", timeout_ms=30_000)
    if killed:
        server.kill()
        server.restart()
    with pytest.raises(DriverError) as fenced:
        elder.answer()
        elder.write(first=1_000_000, batches=1, rows=5)  # it may have had all of the others written
        elder.wait(level="LOCAL_DISK", timeout_ms=30_000)
    assert (fenced.value.code, fenced.value.retryable) == ("FAILED_PRECONDITION", False)
    assert "till 4" in fenced.value.message
    with pytest.raises(DriverError) as again:
        elder.write(first=1_000_000, batches=1, rows=5)
    assert (again.value.code, again.value.retryable) == ("FAILED_PRECONDITION", False)
    younger.write(first=written + 50, batches=10, rows=5)
    younger.wait(level="COMMITTED", timeout_ms=60_000)
    younger.close(timeout_ms=30_000)
    Rows(server).check(written + 100)
