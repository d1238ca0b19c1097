"""Whatever way a table is read in, at whatever moment: a prefix of what was written to it, with all
that was acknowledged before.

Rounds of two fresh tables, so that a read stays cheap: writers append numbered rows, tables are
committed three times a second, altered and compacted (rewritten by PyIceberg, as any engine's
maintenance does), and readers ask in turn in all four ways. An ordinary run takes as many reads as
fit into SECONDS;

    ARKA_CONSISTENT_READS=10000 ./dev test tests/system/test_consistent_reads.py

as many as it says. The figures are printed (pytest -s), and are in the report as properties.
"""

import concurrent.futures
import contextlib
import itertools
import json
import os
import random
import statistics
import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from pyiceberg.exceptions import CommitFailedException, ValidationException
from testbed import lake
from testbed.numbered_writes import NumberedWrites
from testbed.ways_to_read import WAYS

READS = int(os.environ.get("ARKA_CONSISTENT_READS", "0"))
SECONDS = 60  # of an ordinary run
AT_LEAST_COMMITS = 20  # of an ordinary run, on a machine that is slow and busy
READERS = 4
READS_OF_A_ROUND = 160
COMMITS = {"durability.iceberg_commit_interval": "300ms"}

SCHEMA = pa.schema([("writer", pa.int64()), ("number", pa.int32())])
ALTERATIONS = [
    {"change": "promote_column", "name": "number", "type": "long"},
    {"change": "add_column", "name": "note", "type": "string"},
    {"change": "rename_column", "name": "note", "to": "remark"},
]


class Reader:
    """Asks about tables, chosen at random, in all ways, in an order that changes."""

    def __init__(self, server, tables, seed):
        self._server, self._tables, self._random = server, tables, random.Random(seed)

    def read(self, times):
        """{way: [seconds of a read]}, when each way was taken that often."""
        took = {name: [] for name in WAYS}
        with contextlib.ExitStack() as open_ways:
            ask = {name: open_ways.enter_context(way(self._server)) for name, way in WAYS.items()}
            for _ in range(times):
                for name in self._random.sample(list(WAYS), len(WAYS)):
                    writes = self._random.choice(self._tables)
                    before, began = writes.acknowledged(), time.monotonic()
                    summary = ask[name](writes.table)
                    took[name].append(time.monotonic() - began)
                    try:
                        writes.check(summary, before)
                    except AssertionError as error:
                        raise AssertionError(f"{name}: {error}") from error
        return took


def maintain(server, table):
    """Alters the table step by step, and tries after each to rewrite its files, which cannot be
    done where Arka commits meanwhile; returns how often it could."""
    compactions = 0
    with server.connect() as client:
        for change in ALTERATIONS:
            body = json.dumps({"table": table, "changes": [change]}).encode()
            list(client.do_action(flight.Action("alter_table", body)))
            with contextlib.suppress(CommitFailedException, ValidationException):
                found = lake.load_table(server, table)
                found.overwrite(found.scan().to_arrow())
                compactions += 1
    return compactions


class Tally:
    """What a run did."""

    def __init__(self):
        self.took = {name: [] for name in WAYS}
        self.commits = self.compactions = 0

    @property
    def reads(self):
        return sum(len(seconds) for seconds in self.took.values())

    def figures(self):
        ways = {name: f"{len(took)} reads, median {statistics.median(took) * 1e3:.1f} ms,"
                      f" slowest {max(took) * 1e3:.0f} ms" for name, took in self.took.items()}
        return {**ways, "commits": self.commits, "compactions": self.compactions}


def read_a_round(server, number, seed, tally):
    """Two tables from their first row to their last."""
    with contextlib.ExitStack() as writing:
        tables = [writing.enter_context(NumberedWrites(
            server, f"round{number}.{name}", schema=SCHEMA, rows_per_write=3,
            tiers=("MEMORY", "LOCAL_DISK"), pause=0.02)) for name in ("orders", "users")]
        with concurrent.futures.ThreadPoolExecutor(READERS + len(tables)) as pool:
            times = READS_OF_A_ROUND // READERS // len(WAYS)
            reading = [pool.submit(Reader(server, tables, f"{seed}/{number}/{i}").read, times)
                       for i in range(READERS)]
            maintaining = [pool.submit(maintain, server, writes.table) for writes in tables]
        for done in reading:
            for name, seconds in done.result().items():
                tally.took[name] += seconds
        tally.compactions += sum(done.result() for done in maintaining)
    Reader(server, tables, seed).read(1)  # now it is all of it
    for writes in tables:
        tally.commits += sum(snapshot.summary.additional_properties.get("arka.last-lsn") is not None
                             for snapshot in lake.load_table(server, writes.table).snapshots())


@pytest.mark.timeout(3600 if READS else 400)
@pytest.mark.filterwarnings("ignore:Delete operation did not match any records")  # of PyIceberg's
def test_every_way_to_read_sees_a_prefix_that_holds_what_was_acknowledged(
        start_server, record_property):
    server = start_server(COMMITS)
    seed = os.environ.get("ARKA_CONSISTENT_READS_SEED", str(time.time_ns()))
    print(f"seed {seed}")
    tally, began = Tally(), time.monotonic()
    for number in itertools.count():
        read_a_round(server, number, seed, tally)
        if tally.reads >= READS if READS else time.monotonic() - began > SECONDS:
            break
    for name, value in tally.figures().items():
        print(f"{name}: {value}")
        record_property(name, value)
    assert tally.reads >= max(READS, READS_OF_A_ROUND) and tally.commits >= AT_LEAST_COMMITS
