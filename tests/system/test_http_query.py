"""SQL over plain HTTP: POST /api/v1/query."""

import json

import pyarrow as pa
import pytest
from testbed.http import ARROW, CSV, NDJSON, post_rows, request, stream_of

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("at", pa.timestamp("us", "UTC"))])
ROWS = pa.record_batch([[1, 2, None], ["a", "b,\"c", None], [0, 1, None]], schema=SCHEMA)
JSON = "application/json"


def send(server, body, kind, **headers):
    return request(server, "POST", "/api/v1/query", body, content_type=kind, **headers)


def ask(server, sql, accept=None, parameters=None):
    body = {"sql": sql, **({} if parameters is None else {"parameters": parameters})}
    headers = {"accept": accept} if accept else {}
    return send(server, json.dumps(body).encode(), JSON, **headers)


@pytest.fixture
def filled(server):
    assert post_rows(server, "sales.orders", stream_of(ROWS)).status == 200
    return server


def test_rows_come_as_json_ndjson_csv_and_arrow(filled):
    sql = "SELECT * FROM sales.orders ORDER BY id"
    for accept in (None, JSON, "*/*", "text/html, application/json;q=0.9"):
        answer = ask(filled, sql, accept)
        assert (answer.status, answer.headers["content-type"]) == (200, JSON)
        assert [(row["id"], row["name"]) for row in answer.json] == [
            (1, "a"), (2, 'b,"c'), (None, None)]
    lines = ask(filled, sql, NDJSON).body.decode().splitlines()
    assert json.loads(lines[1])["id"] == 2 and len(lines) == 3
    assert ask(filled, "SELECT id, name FROM sales.orders ORDER BY id", CSV).body.decode() == (
        '"id","name"\n1,"a"\n2,"b,""c"\n,\n')
    with pa.ipc.open_stream(ask(filled, sql, ARROW).body) as reader:
        assert reader.read_all().to_pydict() == pa.Table.from_batches([ROWS]).to_pydict()


def test_an_answer_without_rows_is_whole(filled):
    sql = "SELECT id FROM sales.orders WHERE id > 9;  "
    assert ask(filled, sql).json == []
    assert ask(filled, sql, NDJSON).body == b""
    assert ask(filled, sql, CSV).body == b'"id"\n'
    with pa.ipc.open_stream(ask(filled, sql, ARROW).body) as reader:
        assert reader.read_all().num_rows == 0


def test_a_statement_may_come_as_text_and_with_parameters(filled):
    text = send(filled, b"SELECT 42 AS x -- the answer", "text/plain")
    assert text.json == [{"x": 42}]
    answer = ask(filled, "SELECT ?::INT + 1 AS a, ? AS b, ? AS c, ? AS d", None, [1, "x", True, 0.5])
    assert answer.json == [{"a": 2, "b": "x", "c": True, "d": 0.5}]


def test_a_large_answer_is_streamed_whole(server):
    answer = ask(server, "SELECT i, repeat('x', 100) AS text FROM range(200000) t(i)", ARROW)
    with pa.ipc.open_stream(answer.body) as reader:
        assert reader.read_all().column("i").to_pylist() == list(range(200_000))


@pytest.mark.parametrize("sql,status,code", [
    ("SELECT * FROM sales.missing", 404, "NOT_FOUND"),
    ("SELEC 1", 400, "INVALID_ARGUMENT"),
    ("DROP TABLE sales.orders", 400, "INVALID_ARGUMENT"),
    ("SELECT * FROM read_text('/etc/passwd')", 400, "INVALID_ARGUMENT"),
    ("SELECT CAST('x' AS INT)", 400, "INVALID_ARGUMENT"),
])
def test_errors_have_a_status_and_say_what_is_wrong(filled, sql, status, code):
    for accept in (JSON, ARROW):
        answer = ask(filled, sql, accept)
        assert (answer.status, answer.json["error"]["code"]) == (status, code)
        assert answer.json["error"]["message"]


def test_requests_that_are_none_are_refused(server):
    for body in (b"", b"{", b"[]", b'{"sql": 1}', b'{"sql": "SELECT 1", "x": 2}',
                 b'{"sql": "SELECT 1", "parameters": {}}', b'{"sql": "SELECT ?", "parameters": [[]]}'):
        assert send(server, body, JSON).status == 400, body
    assert ask(server, "SELECT 1", "image/png").status == 406
    assert request(server, "GET", "/api/v1/query").status == 405
