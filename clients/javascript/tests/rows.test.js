import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Field, Int8, Table, Uint64, Union } from 'apache-arrow';
import { columnFor, plainSchema } from '../src/columns.js';
import { EVERY_TYPE, everyType } from './every_type.js';

const column = (name) => {
  const [, type] = EVERY_TYPE.find(([candidate]) => candidate === name);
  return columnFor(new Field(name, type, true));
};

const stored = (name, ...values) => {
  const made = column(name);
  for (const value of values) made.append(made.convert(value));
  const data = made.finish();
  return data.values.slice(0, data.length * data.stride);
};

test('times are exact in every unit', () => {
  const time = new Date('2024-10-04T12:00:00.123Z');
  assert.deepEqual([...stored('timestamp_s', time, new Date(-1))], [1728043200n, -1n]);
  assert.deepEqual([...stored('timestamp_ms', time)], [1728043200123n]);
  assert.deepEqual([...stored('timestamp_us', time, 1728043200123456n)], [1728043200123000n, 1728043200123456n]);
  assert.deepEqual([...stored('timestamp_ns', time, 1728043200123456789n)], [1728043200123000000n, 1728043200123456789n]);
  assert.deepEqual([...stored('date32', new Date('1969-12-31T23:00:00Z'))], [-1]);
});

test('decimals are exact', () => {
  const words = (...values) => [...stored('decimal128', ...values)];
  assert.deepEqual(words('12.34', 5), [1234, 0, 0, 0, 500, 0, 0, 0]);
  assert.deepEqual(words('-0.01'), [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]);
});

for (const [name, value, problem] of [
  ['int8', 128, /128 is not an integer of 8 bits from -128 to 127/],
  ['int8', 1.5, /1.5 is not an integer/],
  ['int8', 1n, /1n is not/],
  ['uint8', -1, /-1 is not/],
  ['int64', 2 ** 53, /is not an integer of 64 bits/],
  ['int64', 2n ** 63n, /is not an integer of 64 bits/],
  ['float64', '1', /'1' is not a number/],
  ['bool', 1, /1 is not true or false/],
  ['utf8', 5, /5 is not text/],
  ['binary', 'x', /'x' is not a Uint8Array/],
  ['fixed_size_binary', Uint8Array.of(1), /of 4 bytes/],
  ['timestamp_us', 17, /17 is not a Date/],
  ['timestamp_us', new Date(NaN), /is not a Date/],
  ['decimal128', '1.234', /is not a decimal of 10 digits, 2 of them/],
  ['decimal128', 0.5, /is not a decimal/],
  ['decimal128', '123456789.00', /is not a decimal/],
  ['list', 'abc', /'abc' is not an array/],
  ['list', [5n, 'x'], /'x' is not a Date/],
  ['fixed_size_list', [1], /an array of 2/],
  ['struct', { c: 1 }, /a struct without 'c'/],
  ['map', new Map([[null, 1]]), /'key' within is null/],
]) {
  test(`${name} does not take ${typeof value} ${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`, () => {
    assert.throws(() => column(name).convert(value), (error) => error instanceof TypeError && problem.test(error.message));
  });
}

test('null does not fit a column without nulls', () => {
  assert.throws(() => columnFor(new Field('a', new Int8(), false)).convert(undefined), /has no nulls/);
});

test('a column that no row can have is refused at once', () => {
  assert.throws(() => columnFor(new Field('u', new Union(0, [], []), true)), { code: 'INVALID_ARGUMENT' });
  assert.ok(columnFor(new Field('u', new Uint64(), true)));
});

test('dictionary-encoded columns are written as their values', () => {
  assert.equal(String(plainSchema(everyType().schema).fields.at(-1).type), 'Utf8');
});

test('values come back as they were given', () => {
  const row = new Table([everyType()]).get(0).toJSON();
  assert.equal(row.utf8, 'Grüße');
  assert.equal(row.int64, -(2n ** 62n));
  assert.equal(row.utf8_view, 'a text that is too long to lie in the view itself');
  assert.deepEqual([...row.fixed_size_list], [1.5, 2.5]);
  assert.equal(row.map.toJSON().k, 9n);
  assert.equal(new Table([everyType()]).get(1).toJSON().struct, null);
});
