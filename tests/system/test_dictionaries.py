"""Dictionary-encoded columns, in any way Flight allows, are stored decoded."""

import pyarrow as pa
import pytest
from testbed import lake
from testbed.write_stream import WriteStream


def write(client, table, batches, **ipc):
    stream = WriteStream(client, batches[0].schema, table,
                         ipc_options=pa.ipc.IpcWriteOptions(**ipc))
    for batch in batches:
        stream.write(batch)
    stream.wait("COMMITTED")
    stream.finish()


def expect(server, table, name, values):
    for read in (lake.read_with_pyiceberg, lake.read_with_duckdb):
        assert read(server, table)[name].to_pylist() == values, read.__name__


def encoded(values, indices=pa.int32()):
    plain = pa.array(values)
    distinct = plain.unique().drop_null()
    places = {v: i for i, v in enumerate(distinct.to_pylist())}
    return pa.DictionaryArray.from_arrays(pa.array([places.get(v) for v in values], indices), distinct)


def column(*arrays):
    return [pa.record_batch([array], names=["c"]) for array in arrays]


@pytest.mark.parametrize("indices", [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(),
                                     pa.uint32(), pa.int64()])
def test_every_index_type(server, client, indices):
    write(client, "t", column(encoded(["a", "b", "a", None], indices)))
    expect(server, "arka.t", "c", ["a", "b", "a", None])


def test_one_dictionary_for_the_whole_stream(server, client):
    words = pa.array(["red", "green", "blue"])
    batches = column(*(pa.DictionaryArray.from_arrays(pa.array([i % 3, None, 2], pa.int8()), words)
                       for i in range(10)))
    write(client, "t", batches)
    expect(server, "arka.t", "c",
           [v for i in range(10) for v in (words[i % 3].as_py(), None, "blue")])


def test_a_dictionary_replaced_with_every_batch(server, client):
    write(client, "t", column(encoded(["a", "b"]), encoded(["c", "d", "e"]), encoded(["a"])))
    expect(server, "arka.t", "c", ["a", "b", "c", "d", "e", "a"])


def test_a_dictionary_that_grows_by_deltas(server, client):
    words = [f"w{i}" for i in range(40)]
    batches = column(*(
        pa.DictionaryArray.from_arrays(pa.array([0, n - 1], pa.int32()), pa.array(words[:n]))
        for n in (2, 5, 5, 40)
    ))
    write(client, "t", batches, emit_dictionary_deltas=True)
    expect(server, "arka.t", "c", ["w0", "w1", "w0", "w4", "w0", "w4", "w0", "w39"])


def test_dictionaries_of_numbers_and_instants(server, client):
    numbers = pa.array([10, 20, 10, None]).dictionary_encode()
    days = pa.array([1, 1, None, 2], pa.date32()).dictionary_encode()
    write(client, "t", [pa.record_batch([numbers, days], names=["n", "d"])])
    expect(server, "arka.t", "n", [10, 20, 10, None])
    expect(server, "arka.t", "d", pa.array([1, 1, None, 2], pa.date32()).to_pylist())


def test_dictionaries_within_lists_and_structs(server, client):
    words = encoded(["x", "y", "x", "z"])
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 2, 4], pa.int32()), words)
    structs = pa.StructArray.from_arrays([encoded(["p", "q", "p"]), pa.array([1, 2, 3])], ["s", "n"])
    write(client, "t", [pa.record_batch([lists, structs], names=["l", "st"])])
    expect(server, "arka.t", "l", [["x", "y"], [], ["x", "z"]])
    expect(server, "arka.t", "st", [{"s": "p", "n": 1}, {"s": "q", "n": 2}, {"s": "p", "n": 3}])


def test_a_dictionary_whose_values_hold_dictionaries(server, client):
    inner = encoded(["x", "y"])
    values = pa.StructArray.from_arrays([inner], ["w"])
    outer = pa.DictionaryArray.from_arrays(pa.array([1, 0, 1], pa.int8()), values)
    write(client, "t", column(outer))
    expect(server, "arka.t", "c", [{"w": "y"}, {"w": "x"}, {"w": "y"}])


def test_a_dictionary_with_nulls_and_repeated_values(server, client):
    values = pa.array(["a", None, "a"])
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None], pa.int8()), values)
    write(client, "t", column(coded))
    expect(server, "arka.t", "c", ["a", None, "a", None])


def test_an_encoded_stream_fits_the_table_of_a_plain_one(server, client):
    write(client, "t", column(pa.array(["plain"])))
    write(client, "t", column(encoded(["coded", "coded"])))
    found = lake.read_with_pyiceberg(server, "arka.t")["c"].to_pylist()
    assert sorted(found) == ["coded", "coded", "plain"], "two snapshots, read in any order"


def test_compressed_dictionaries(server, client):
    write(client, "t", column(encoded(["long value " * 20] * 100)), compression="zstd")
    expect(server, "arka.t", "c", ["long value " * 20] * 100)
