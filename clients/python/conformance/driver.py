"""Arka's Python client, led by the conformance runner: clients/conformance/README.md says how."""

import collections
import datetime
import decimal
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import pyarrow as pa  # noqa: E402
import pyarrow.compute as pc  # noqa: E402

import arka  # noqa: E402

NUMBERED = pa.schema([pa.field("number", pa.int64(), nullable=False), ("text", pa.string())])

DAY = datetime.date(2024, 10, 4)
MOMENT = datetime.datetime(2024, 10, 4, 12, 30, 15)
# One value of each type that a table can hold.
TYPES = {
    "bool": (pa.bool_(), True),
    "int8": (pa.int8(), -128),
    "int16": (pa.int16(), -32768),
    "int32": (pa.int32(), -(2**31)),
    "int64": (pa.int64(), -(2**63)),
    "uint8": (pa.uint8(), 255),
    "uint16": (pa.uint16(), 65535),
    "uint32": (pa.uint32(), 2**32 - 1),
    "float16": (pa.float16(), 0.5),
    "float32": (pa.float32(), 0.5),
    "float64": (pa.float64(), 0.1),
    "decimal32": (pa.decimal32(7, 2), decimal.Decimal("1.25")),
    "decimal64": (pa.decimal64(10, 3), decimal.Decimal("1.250")),
    "decimal128": (pa.decimal128(38, 10), decimal.Decimal(10) ** 27),
    "decimal256": (pa.decimal256(20, 0), decimal.Decimal(2**64 - 1)),
    "date32": (pa.date32(), DAY),
    "date64": (pa.date64(), DAY),
    "time32_s": (pa.time32("s"), datetime.time(1, 2, 3)),
    "time32_ms": (pa.time32("ms"), datetime.time(1, 2, 3, 4000)),
    "time64_us": (pa.time64("us"), datetime.time(12, 0, 0, 1)),
    "time64_ns": (pa.time64("ns"), datetime.time(12, 0, 0, 1)),
    "timestamp_s": (pa.timestamp("s"), MOMENT),
    "timestamp_ms": (pa.timestamp("ms"), MOMENT),
    "timestamp_us": (pa.timestamp("us"), MOMENT),
    "timestamp_ns": (pa.timestamp("ns"), MOMENT),
    "timestamp_us_utc": (pa.timestamp("us", tz="UTC"), MOMENT),
    "timestamp_us_berlin": (pa.timestamp("us", tz="Europe/Berlin"), MOMENT),
    "utf8": (pa.string(), "grüße, 世界 🛰"),
    "large_utf8": (pa.large_string(), "long"),
    "utf8_view": (pa.string_view(), "longer than twelve bytes inline"),
    "binary": (pa.binary(), b"\x00\xff"),
    "large_binary": (pa.large_binary(), b"\x00\xff"),
    "binary_view": (pa.binary_view(), b"longer than twelve bytes inline"),
    "fixed_size_binary": (pa.binary(3), b"abc"),
    "list": (pa.list_(pa.int32()), [1, None, 3]),
    "large_list": (pa.large_list(pa.string()), ["a"]),
    "fixed_size_list": (pa.list_(pa.float64(), 2), [1.0, None]),
    "struct": (pa.struct([("a", pa.int64()), ("b", pa.string())]), {"a": 1, "b": "x"}),
    "map": (pa.map_(pa.string(), pa.int64()), [("k", 1), ("l", None)]),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), "one of few"),
}


def numbered(first, rows, text_bytes=0):
    numbers = range(first, first + rows)
    return pa.record_batch(
        [pa.array(numbers, pa.int64()), pa.array([str(n).zfill(text_bytes) for n in numbers])],
        schema=NUMBERED)


def types():
    """Two rows: a value in every column, then a null."""
    columns = {name: pa.array([value, None], kind) for name, (kind, value) in TYPES.items()}
    columns["uuid"] = pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([bytes(range(16)), None], pa.binary(16)))
    columns["run_end_encoded"] = pc.run_end_encode(pa.array([7, None], pa.int64()))
    return pa.record_batch(list(columns.values()), names=list(columns))


class Driver:
    def __init__(self):
        self.client = self.stream = self.appender = None
        self.table = None
        self.writes = []
        self.acks = collections.Counter()

    def on_ack(self, ack):
        self.acks[ack.level.name] += 1

    def connect(self, url, options):
        names = {"deadline_ms": ("deadline", 0.001), "budget_bytes": ("budget", 1)}
        given = {}
        for name, value in options.items():
            name, unit = names.get(name, (name, None))
            given[name] = value * unit if unit else value
        self.client = arka.connect(url, **given)
        return {}

    def open(self, table, producer=None, session=None, columns="numbered"):
        self.table = table
        schema = {"numbered": NUMBERED, "types": types().schema}[columns]
        self.stream = self.client.open(table, schema, producer=producer, session=session,
                                       on_ack=self.on_ack)
        return {"producer": self.stream.producer, "session": self.stream.session}

    def write(self, first, batches, rows, text_bytes=0):
        for number in range(batches):
            batch = numbered(first + number * rows, rows, text_bytes)
            write = self.stream.write(batch)
            self.writes[1:] = [write]  # the first and the last are asked for
            if not self.writes:
                self.writes = [write]
        return {"accepted": batches}

    def wait(self, level, timeout_ms=None):
        self.stream.wait_for_durability(None, level, timeout_ms and timeout_ms / 1000)
        return {"lsns": [write.lsn for write in self.writes], "count": self.stream.last_write}

    def flush(self, level, timeout_ms=None):
        target = self.appender or self.stream
        target.flush(level, timeout_ms and timeout_ms / 1000)
        return {}

    def append_rows(self, first, rows, table=None, text_bytes=0):
        if self.appender is None:
            self.appender = self.client.appender(table or self.table, NUMBERED)
        for number in range(first, first + rows):
            self.appender.append({"number": number, "text": str(number).zfill(text_bytes)})
        return {"accepted": rows}

    def write_types(self):
        batch = types()
        self.stream.write(batch)
        return {"columns": batch.schema.names, "rows": batch.num_rows}

    def query(self, sql):
        return {"rows": [list(row.values()) for row in self.client.query(sql).to_pylist()]}

    def status(self):
        return {"status": self.client.status()}

    def durability(self, after=None):
        events = self.client.get_durability_status(after, session=self.stream.session).events
        return {"events": [[event.lsn, event.level.name] for event in events]}

    def acks_(self):
        return {level.name: self.acks[level.name] for level in arka.Level}

    def memory(self):
        return {"bytes": self.stream.held_bytes}

    def close(self, timeout_ms=None):
        timeout = timeout_ms and timeout_ms / 1000
        if self.appender is not None:
            self.appender.close(timeout=timeout)
        self.client.close(timeout)
        return {}

    def quit(self):
        return {}


def main():
    driver = Driver()
    for line in sys.stdin:
        request = json.loads(line)
        op = request.pop("op")
        if op == "connect":
            request.setdefault("options", {})
        try:
            answer = {"ok": getattr(driver, "acks_" if op == "acks" else op)(**request)}
        except arka.ArkaError as error:
            answer = {"error": {"code": error.code, "message": error.message,
                                "retryable": error.retryable}}
        print(json.dumps(answer), flush=True)
        if op == "quit":
            break


if __name__ == "__main__":
    main()
