"""Rows written over plain HTTP: POST /api/v1/tables/{namespace}/{table}."""

import collections
import concurrent.futures
import http.client
import json
import socket
import subprocess

import pandas as pd
import pyarrow as pa
import pyarrow.flight as flight
import pytest
from crash.shim import Shim
from testbed import lake
from testbed.http import ARROW, CSV, NDJSON, post_rows, request, stream_of
from testbed.server import eventually

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string()), ("at", pa.timestamp("us", "UTC")),
                    ("day", pa.date32()), ("price", pa.decimal128(9, 2))])
IDS = pa.schema([("id", pa.int64())])
LEVELS = ["MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED"]


def ids(first, rows=1):
    return pa.record_batch([pa.array(range(first, first + rows))], schema=IDS)


def make_table(server, table="sales.orders", schema=SCHEMA):
    answer = post_rows(server, table, stream_of(schema=schema))
    assert (answer.status, answer.json["writes"], answer.json["last_lsn"]) == (200, [], None)


def ids_in(server, table="sales.orders"):
    return collections.Counter(lake.read_with_pyiceberg(server, table).column("id").to_pylist())


def read(server, table="sales.orders"):
    with server.connect() as client:
        info = client.get_flight_info(flight.FlightDescriptor.for_path(*table.split(".")))
        parts = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]
    return pa.concat_tables(parts)


@pytest.mark.parametrize("level", LEVELS)
def test_an_arrow_stream_is_answered_at_the_level_asked_for(server, level):
    body = stream_of(ids(0, 10), ids(10, 5))
    answer = post_rows(server, "sales.orders", body, arka_acks=level)
    assert answer.status == 200
    assert answer.json == {
        "table": "sales.orders", "rows": 15, "last_lsn": 1001,
        "writes": [{"lsn": 1000, "durability_level": level, "rows": 10},
                   {"lsn": 1001, "durability_level": level, "rows": 5}]}
    if level == "COMMITTED":
        assert ids_in(server) == dict.fromkeys(range(15), 1)


def test_the_level_is_local_disk_where_none_is_asked_for(slow_server):
    answer = post_rows(slow_server, "sales.orders", stream_of(ids(0)))
    assert answer.json["writes"][0]["durability_level"] == "LOCAL_DISK"
    slow_server.kill()
    slow_server.restart()
    assert read(slow_server).column("id").to_pylist() == [0]


def test_dotted_namespaces_and_compressed_streams(server):
    options = {"options": pa.ipc.IpcWriteOptions(compression="zstd")}
    answer = post_rows(server, "eu.sales.orders", stream_of(ids(0, 1000), **options),
                       arka_acks="COMMITTED")
    assert (answer.status, answer.json["table"]) == (200, "eu.sales.orders")
    assert sum(ids_in(server, "eu.sales.orders").values()) == 1000


def test_ndjson_is_parsed_into_the_tables_schema(server):
    make_table(server)
    body = ('{"id": 1, "text": "a\\u00e9", "at": "2026-01-02T03:04:05.000006Z", "day": "2026-01-02",'
            ' "price": "12.50"}\n\n{"price": 1.25, "id": 2}\n')
    answer = post_rows(server, "sales.orders", body.encode(), NDJSON, arka_acks="COMMITTED")
    assert (answer.status, answer.json["rows"], len(answer.json["writes"])) == (200, 2, 1)
    first, second = lake.read_with_pyiceberg(server, "sales.orders").to_pylist()
    assert str(first["at"]) == "2026-01-02 03:04:05.000006+00:00"
    assert (first["text"], str(first["day"]), str(first["price"])) == ("aé", "2026-01-02", "12.50")
    assert second == {"id": 2, "text": None, "at": None, "day": None, "price": second["price"]}


def test_csv_is_parsed_into_the_tables_schema(server):
    make_table(server)
    body = 'price,id,text,day\n1.5,1,,2026-01-02\n,2,"",\n,3,"a,\n""b""",\n'
    answer = post_rows(server, "sales.orders", body.encode(), CSV + "; charset=utf-8",
                       arka_acks="COMMITTED")
    assert (answer.status, answer.json["rows"]) == (200, 3)
    rows = lake.read_with_pyiceberg(server, "sales.orders").to_pylist()
    assert [row["text"] for row in rows] == [None, "", 'a,\n"b"']
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert [str(row["day"]) for row in rows] == ["2026-01-02", "None", "None"]


def test_what_pandas_writes_is_taken(server):
    make_table(server)
    frame = pd.DataFrame({"id": [1, 2], "text": ["x", None],
                          "at": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True)})
    ndjson = frame.to_json(orient="records", lines=True, date_format="iso", date_unit="us")
    assert post_rows(server, "sales.orders", ndjson.encode(), NDJSON).status == 200
    assert post_rows(server, "sales.orders", frame.to_csv(index=False).encode(), CSV).status == 200
    assert post_rows(server, "sales.orders", stream_of(
        pa.RecordBatch.from_pandas(frame.assign(day=None, price=None), schema=SCHEMA,
                                   preserve_index=False))).status == 200
    assert sorted(read(server).column("id").to_pylist()) == [1, 1, 1, 2, 2, 2]
    assert set(map(str, read(server).column("at").to_pylist())) == {
        "2026-01-01 00:00:00+00:00", "2026-01-02 00:00:00+00:00"}


@pytest.mark.parametrize("kind,body,words", [
    (NDJSON, '{"id": 1}\n{"id": 2}\n{"id": 1.5}\n', ["line 3", "'id'", "int64"]),
    (NDJSON, '{"id": 1}\n{"idd": 2}\n', ["line 2", "'idd'"]),
    (NDJSON, '{"id": 1}\n{"day": "2026-13-01"}\n', ["line 2", "'day'"]),
    (NDJSON, '{"id": 1}\n[1]\n', ["line 2", "object"]),
    (NDJSON, '{"id": 1}\n{"id": \n', ["line 2"]),
    (CSV, "id,text\n1,x\ny,z\n", ["Row #3", "'id'", "'y'"]),
    (CSV, "id,colour\n1,red\n", ["'colour'"]),
    (CSV, "id,id\n1,2\n", ["'id'", "twice"]),
    (CSV, "id,text\n1\n", ["Row #2"]),
    (CSV, "", ["empty"]),
    (ARROW, b"ARROW1\0\0", ["stream format"]),
    (ARROW, stream_of(ids(0))[:-50], ["stream"]),
    (ARROW, stream_of(ids(0)) + b"more", ["ends at byte"]),
    (ARROW, b"\0" * 100, ["schema"]),
    (ARROW, stream_of(pa.record_batch([pa.array(["x"])], names=["id"])), ["id"]),
])
def test_a_body_that_does_not_fit_is_refused_and_nothing_of_it_is_written(
        server, kind, body, words):
    make_table(server)
    body = body.encode() if isinstance(body, str) else body
    answer = post_rows(server, "sales.orders", body, kind)
    assert answer.status == 400, answer.body
    assert answer.error["code"] == "INVALID_ARGUMENT"
    assert answer.error["retryable"] is False
    assert answer.error.get("written", []) == []
    for word in words:
        assert word in answer.error["message"], answer.error["message"]
    assert read(server).num_rows == 0


def test_a_bad_batch_after_good_ones_writes_none_of_them(server):
    good, bad = ids(0), pa.record_batch([pa.array([None], pa.int64())], schema=IDS)
    required = pa.schema([pa.field("id", pa.int64(), nullable=False)])
    make_table(server, schema=required)
    body = stream_of(*(pa.RecordBatch.from_arrays(b.columns, schema=required)
                       for b in (good, good, bad)))
    answer = post_rows(server, "sales.orders", body)
    assert (answer.status, answer.error["written"]) == (400, [])
    assert "batch 2" in answer.error["message"]
    assert read(server).num_rows == 0


@pytest.mark.parametrize("table,headers,status,code", [
    ("sales.orders", {"kind": "application/json"}, 415, "INVALID_ARGUMENT"),
    ("sales.orders", {"content_encoding": "gzip"}, 415, "INVALID_ARGUMENT"),
    ("sales.missing", {"kind": CSV}, 404, "NOT_FOUND"),
    ("sales.-bad", {}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_acks": "DISK"}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_acks": "MEMORY,COMMITTED"}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_producer": "p"}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_seq": "1"}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_producer": "p", "arka_seq": "0"}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_producer": "p", "arka_seq": "5"}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_watermarks": "true"}, 400, "INVALID_ARGUMENT"),
    ("sales.orders", {"arka_session": "x" * 200}, 400, "INVALID_ARGUMENT"),
])
def test_a_wrong_request_says_what_was_wrong(server, table, headers, status, code):
    answer = post_rows(server, table, stream_of(ids(0)), **headers)
    assert (answer.status, answer.error["code"]) == (status, code), answer.body
    assert answer.headers["content-type"] == "application/json"


def test_wrong_methods_and_paths(server):
    answer = request(server, "GET", "/api/v1/tables/sales/orders")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert request(server, "POST", "/api/v1/tables/orders", content_type=ARROW).status == 404
    assert request(server, "POST", "/api/v1/tables/a/b/c", content_type=ARROW).status == 404


def test_a_body_over_the_limit_is_refused_before_it_is_sent(start_server):
    server = start_server({"server.max_batch_bytes": "1MB"})
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    connection.putrequest("POST", "/api/v1/tables/sales/orders")
    for name, value in {"content-type": CSV, "content-length": "1048577",
                        "expect": "100-continue"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["error"]["code"] == "RESOURCE_EXHAUSTED"

    def endless():
        for _ in range(64):
            yield b"x" * 100_000
    try:
        assert post_rows(server, "sales.orders", endless(), CSV).status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # the answer was on its way while the client still sent


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_curl_sends_a_large_file(server, tmp_path, version):
    make_table(server, schema=IDS)
    file = tmp_path / "rows.csv"
    file.write_text("id\n" + "".join(f"{i}\n" for i in range(1_500_000)))
    done = subprocess.run(
        ["curl", "-sS", version, "--fail-with-body", "-H", "content-type: text/csv",
         "-H", "arka-acks: COMMITTED", "--data-binary", f"@{file}",
         f"{server.url}/api/v1/tables/sales/orders"], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["rows"] == 1_500_000
    assert [write["rows"] for write in answer["writes"]] == [1 << 20, 1_500_000 - (1 << 20)]
    assert len(ids_in(server)) == 1_500_000


def test_a_body_in_chunks(server):
    body = stream_of(ids(0, 1000), ids(1000, 1000))
    pieces = (body[i:i + 100] for i in range(0, len(body), 100))
    answer = post_rows(server, "sales.orders", pieces)
    assert (answer.status, answer.json["rows"]) == (200, 2000)


def test_over_tls(tls_server, certificate):
    done = subprocess.run(
        ["curl", "-sS", "--cacert", str(certificate[0]), "-H", f"content-type: {ARROW}",
         "--data-binary", "@-", f"https://localhost:{tls_server.port}/api/v1/tables/sales/orders"],
        input=stream_of(ids(0)), capture_output=True, timeout=60)
    assert json.loads(done.stdout)["last_lsn"] == 1000, done.stderr


def test_a_retry_is_answered_with_the_first_lsns_and_written_once(server):
    body = stream_of(ids(0, 3), ids(3, 3))
    headers = {"arka_producer": "till-7", "arka_seq": "1", "arka_acks": "COMMITTED"}
    first = post_rows(server, "sales.orders", body, **headers)
    again = post_rows(server, "sales.orders", body, **headers)
    assert first.status == again.status == 200
    assert [write["lsn"] for write in again.json["writes"]] == [1000, 1001]
    later = post_rows(server, "sales.orders", stream_of(ids(6)), **{**headers, "arka_seq": "3"})
    assert later.json["writes"][0]["lsn"] == 1002
    gap = post_rows(server, "sales.orders", stream_of(ids(7)), **{**headers, "arka_seq": "9"})
    assert gap.status == 400 and "4" in gap.error["message"]
    assert ids_in(server) == dict.fromkeys(range(7), 1)


def test_a_retry_after_a_crash_is_written_once(slow_server):
    headers = {"arka_producer": "till-7", "arka_seq": "1"}
    first = post_rows(slow_server, "sales.orders", stream_of(ids(0)), **headers)
    slow_server.kill()
    slow_server.restart()
    again = post_rows(slow_server, "sales.orders", stream_of(ids(0)), **headers)
    assert first.json["last_lsn"] == again.json["last_lsn"]
    assert read(slow_server).num_rows == 1


def test_twenty_writers_at_once_exactly_once(server):
    def write(writer):
        for seq in range(1, 11):
            body = stream_of(ids(writer * 1000 + seq))
            for _ in range(2):
                answer = post_rows(server, "sales.orders", body, arka_producer=f"w{writer}",
                                   arka_seq=str(seq))
                assert answer.status == 200, answer.body
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    post_rows(server, "sales.orders", stream_of(ids(-1)), arka_acks="COMMITTED")
    assert ids_in(server) == dict.fromkeys(
        [-1, *(w * 1000 + s for w in range(20) for s in range(1, 11))], 1)


def test_a_client_that_goes_while_it_waits_loses_nothing(slow_server):
    body = stream_of(ids(0, 5))
    head = (f"POST /api/v1/tables/sales/orders HTTP/1.1\r\nhost: x\r\ncontent-type: {ARROW}\r\n"
            f"arka-acks: COMMITTED\r\narka-producer: p\r\narka-seq: 1\r\n"
            f"content-length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection((slow_server.host, slow_server.port)) as connection:
        connection.sendall(head + body)
        eventually(lambda: json.loads(
            request(slow_server, "GET", "/api/v1/status").body)["disk_lsn"] == 1000)
    answer = post_rows(slow_server, "sales.orders", body, arka_producer="p", arka_seq="1")
    assert answer.json["last_lsn"] == 1000
    assert read(slow_server).num_rows == 5
    slow_server.stop()


def test_who_waits_for_commits_is_answered_when_the_server_stops(slow_server):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waits = pool.submit(post_rows, slow_server, "sales.orders", stream_of(ids(0)),
                            arka_acks="COMMITTED")
        eventually(lambda: json.loads(
            request(slow_server, "GET", "/api/v1/status").body)["disk_lsn"] == 1000)
        assert not waits.done()
        slow_server.stop()
        assert waits.result().json["writes"] == [
            {"lsn": 1000, "durability_level": "COMMITTED", "rows": 1}]


def test_no_room_is_told_with_what_was_written_and_when_to_retry(start_server, tmp_path):
    """The log's disk takes 1 MB/s, and 8 MB may wait for it, for a third of a second."""
    shim = Shim(tmp_path)
    server = start_server({"write_buffer.max_unflushed_bytes": "8MB",
                           "write_buffer.max_buffer_size": "8MB", "wal.segment_size": "64MB",
                           "write_buffer.admission_timeout": "300ms"}, env=shim.environment)
    megabyte = pa.record_batch([pa.array(range(128 << 10))], schema=IDS)
    post_rows(server, "sales.orders", stream_of(ids(0)))
    shim.set("log_bytes_per_second", 1 << 20)
    answer = post_rows(server, "sales.orders", stream_of(*[megabyte] * 30), arka_acks="MEMORY")
    shim.set("log_bytes_per_second", 1 << 30)
    assert (answer.status, answer.error["code"]) == (429, "RESOURCE_EXHAUSTED")
    assert answer.headers["retry-after"] == "1"
    assert answer.error["retryable"] is True
    written = answer.error["written"]
    assert 0 < len(written) < 30
    assert f"batch {len(written)} of the body" in answer.error["message"]
    assert [write["lsn"] for write in written] == list(range(1001, 1001 + len(written)))
    assert read(server).num_rows == 1 + len(written) * (128 << 10)


def test_a_slow_client_keeps_nobody_else_waiting(server):
    with socket.create_connection((server.host, server.port)) as slow:
        slow.sendall(b"POST /api/v1/tables/sales/orders HTTP/1.1\r\nhost: x\r\n"
                     b"content-type: text/csv\r\ncontent-length: 1000\r\n\r\nid\n")
        assert post_rows(server, "sales.orders", stream_of(ids(0))).status == 200


def test_pages_of_other_origins_are_let_in_where_configured(start_server):
    server = start_server({"http.cors_origins": "https://app.example.com"})
    path, mine = "/api/v1/tables/sales/orders", "https://app.example.com"
    asked = {"access_control_request_method": "POST"}
    allowed = request(server, "OPTIONS", path, origin=mine, **asked)
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, mine)
    assert "arka-seq" in allowed.headers["access-control-allow-headers"]
    assert request(server, "OPTIONS", path, origin="https://evil.example", **asked).status == 403
    written = post_rows(server, "sales.orders", stream_of(ids(0)), origin=mine)
    assert written.headers["access-control-allow-origin"] == mine
    refused = post_rows(server, "sales.orders", b"x", "text/html", origin=mine)
    assert refused.headers["access-control-allow-origin"] == mine
    other = post_rows(server, "sales.orders", stream_of(ids(0)), origin="https://evil.example")
    assert "access-control-allow-origin" not in other.headers


def test_no_other_origin_is_let_in_by_default(server):
    asked = {"access_control_request_method": "POST", "origin": "https://app.example.com"}
    answer = request(server, "OPTIONS", "/api/v1/tables/sales/orders", **asked)
    assert answer.status == 405
    assert not any(name.startswith("access-control") for name in answer.headers)
