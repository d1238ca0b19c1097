import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dictionary, Int32, Utf8, Field, List, RecordBatch, Schema, Struct, makeData, tableFromArrays,
  vectorFromArray } from 'apache-arrow';
import { BatchEncoder, missingDictionaries, readBatches } from '../src/ipc.js';
import { stampSeq } from '../src/protobuf.js';
import { EVERY_TYPE, everyType } from './every_type.js';
import { NUMBERED, numbered } from './numbered.js';

/** What a server on one connection makes of the frames: the batches. */
async function received(encoder, batches) {
  const frames = [encoder.schemaFrame()];
  const sent = new Map();
  for (const batch of batches) {
    const { frame, dictionaries } = encoder.encode(batch);
    frames.push(...missingDictionaries(sent, dictionaries), frame);
  }
  const read = [];
  for await (const batch of readBatches(frames.map((frame) => frame.subarray(5)))) read.push(batch);
  return { read, frames: frames.length };
}

const words = (values, type) => {
  const fields = [new Field('word', type, true)];
  return new RecordBatch(new Schema(fields), makeData({
    type: new Struct(fields), length: values.length, nullCount: 0, children: [vectorFromArray(values, type).data[0]] }));
};
const values = (batch) => [...batch.getChildAt(0)];

test('a batch of every type comes out as it went in', async () => {
  const { read } = await received(new BatchEncoder(everyType().schema), [everyType()]);
  assert.equal(read[0].numCols, EVERY_TYPE.length + 1);
  const rows = (batch) => [...batch].map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)));
  assert.deepEqual(rows(read[0]), rows(everyType()));
  assert.match(rows(read[0])[0], /"utf8":"Grüße"/);
});

test('a slice of a batch comes out as the slice', async () => {
  const whole = numbered(0, 20);
  const { read } = await received(new BatchEncoder(NUMBERED), [whole.slice(3, 9), whole.slice(10, 10)]);
  assert.deepEqual(values(read[0]), [3n, 4n, 5n, 6n, 7n, 8n]);
  assert.equal(read[0].getChild('text').get(5), '8');
  assert.equal(read[1].numRows, 0);
});

test('batches with dictionaries of different numbers go on one stream', async () => {
  const batches = [['a', 'b'], ['c'], ['a']].map((word) => tableFromArrays({ word }));
  const { read } = await received(new BatchEncoder(batches[0].schema), batches);
  assert.deepEqual(read.map(values), [['a', 'b'], ['c'], ['a']]);
});

test('a dictionary that two batches share is sent once', async () => {
  const shared = words(['x', 'y'], new Dictionary(new Utf8(), new Int32()));
  const { frames } = await received(new BatchEncoder(shared.schema), [shared, shared.slice(1, 2), shared]);
  assert.equal(frames, 1 + 1 + 3);
});

test('a dictionary that grew is sent as a delta, and another one in its place', async () => {
  const type = new Dictionary(new Utf8(), new Int32(), 7);
  const dictionary = vectorFromArray(['a', 'b'], new Utf8());
  const grown = dictionary.concat(vectorFromArray(['c'], new Utf8()));
  const other = vectorFromArray(['z'], new Utf8());
  const batch = (of, indices) => {
    const fields = [new Field('word', type, true)];
    const column = makeData({ type, length: indices.length, data: Int32Array.from(indices), dictionary: of });
    return new RecordBatch(new Schema(fields), makeData({ type: new Struct(fields), length: indices.length, nullCount: 0, children: [column] }));
  };
  const encoder = new BatchEncoder(batch(dictionary, [0]).schema);
  const { read, frames } = await received(encoder, [batch(dictionary, [0, 1]), batch(grown, [2]), batch(other, [0])]);
  assert.deepEqual(read.map(values), [['a', 'b'], ['c'], ['z']]);
  assert.equal(frames, 1 + 3 + 3);
});

test('a dictionary inside a list is sent too', async () => {
  const type = new List(new Field('item', new Dictionary(new Utf8(), new Int32()), true));
  const batch = words([['a', 'b'], ['a']], type);
  const { read } = await received(new BatchEncoder(batch.schema), [batch]);
  assert.deepEqual(values(read[0]).map((list) => [...list]), [['a', 'b'], ['a']]);
});

test('a batch of another schema is refused, naming the column', () => {
  const encoder = new BatchEncoder(NUMBERED);
  const refuses = (batch, problem) => assert.throws(() => encoder.encode(batch),
    (error) => error.code === 'INVALID_ARGUMENT' && problem.test(error.message));
  refuses(tableFromArrays({ number: Int32Array.of(1), text: ['a'] }), /column 'number' is Int32, and Int64/);
  refuses(tableFromArrays({ other: BigInt64Array.of(1n), text: ['a'] }), /'other', and 'number'/);
  refuses(tableFromArrays({ number: BigInt64Array.of(1n) }), /1 columns on a stream of 2/);
  refuses({}, /RecordBatch/);
});

test('nulls where the schema has none are refused', () => {
  const column = vectorFromArray([1n, null], NUMBERED.fields[0].type).data[0];
  const batch = new RecordBatch(NUMBERED, makeData({ type: new Struct(NUMBERED.fields), length: 2, nullCount: 0,
    children: [column, numbered(0, 2).data.children[1]] }));
  assert.throws(() => new BatchEncoder(NUMBERED).encode(batch), /'number' has nulls/);
});

test('a frame can be stamped with any seq, again and again', () => {
  const { frame, seqAt } = new BatchEncoder(NUMBERED).encode(numbered(0, 1));
  for (const seq of [1, 12345, Number.MAX_SAFE_INTEGER, 7]) {
    stampSeq(frame, seqAt, seq);
    const json = /\{"seq": *\d+\}/.exec(frame.toString('latin1'))[0];
    assert.deepEqual(JSON.parse(json), { seq });
  }
});
