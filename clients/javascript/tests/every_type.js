// A batch with a column of every type that Arrow's library has and a table can hold: a row of values,
// and one of nulls (as the conformance scenario of that name writes them).

import {
  Binary, BinaryView, Bool, DateDay, DateMillisecond, Decimal, Dictionary, Field, FixedSizeBinary, FixedSizeList,
  Float16, Float32, Float64, Int16, Int32, Int64, Int8, LargeBinary, LargeList, LargeUtf8, List, Map_, RecordBatch,
  Schema, Struct, TimeMicrosecond, TimeMillisecond, TimeNanosecond, TimeSecond, TimestampMicrosecond,
  TimestampMillisecond, TimestampNanosecond, TimestampSecond, Uint16, Uint32, Uint8, Utf8, Utf8View, makeData,
  vectorFromArray,
} from 'apache-arrow';
import { columnFor } from '../src/columns.js';

const NOON = new Date('2024-10-04T12:00:00Z');
const item = (type) => new Field('item', type, true);

/** [name, type, value] of every column. */
export const EVERY_TYPE = [
  ['bool', new Bool(), true],
  ['int8', new Int8(), -8],
  ['int16', new Int16(), -1600],
  ['int32', new Int32(), -320000],
  ['int64', new Int64(), -(2n ** 62n)],
  ['uint8', new Uint8(), 200],
  ['uint16', new Uint16(), 60000],
  ['uint32', new Uint32(), 4_000_000_000],
  ['float16', new Float16(), 0.5],
  ['float32', new Float32(), 0.25],
  ['float64', new Float64(), 0.125],
  ['decimal128', new Decimal(2, 10, 128), '-12.34'],
  ['utf8', new Utf8(), 'Grüße'],
  ['large_utf8', new LargeUtf8(), 'large'],
  ['utf8_view', new Utf8View(), 'a text that is too long to lie in the view itself'],
  ['binary', new Binary(), Uint8Array.of(1, 2, 3)],
  ['large_binary', new LargeBinary(), Uint8Array.of(4, 5)],
  ['binary_view', new BinaryView(), new Uint8Array(40).fill(7)],
  ['fixed_size_binary', new FixedSizeBinary(4), Uint8Array.of(1, 2, 3, 4)],
  ['date32', new DateDay(), new Date('2024-10-04')],
  ['date64', new DateMillisecond(), new Date('2024-10-04')],
  ['time32_s', new TimeSecond(), 43_200],
  ['time32_ms', new TimeMillisecond(), 43_200_000],
  ['time64_us', new TimeMicrosecond(), 43_200_000_000n],
  ['time64_ns', new TimeNanosecond(), 43_200_000_000_000n],
  ['timestamp_s', new TimestampSecond(), NOON],
  ['timestamp_ms', new TimestampMillisecond(), NOON],
  ['timestamp_us', new TimestampMicrosecond(), NOON],
  ['timestamp_ns', new TimestampNanosecond(), NOON],
  ['timestamp_us_utc', new TimestampMicrosecond('UTC'), 1_728_043_200_000_001n],
  ['list', new List(item(new TimestampMicrosecond())), [NOON, null]],
  ['large_list', new LargeList(item(new Int32())), [1, 2, 3]],
  ['fixed_size_list', new FixedSizeList(2, item(new Float64())), [1.5, 2.5]],
  ['struct', new Struct([new Field('a', new Int32(), true), new Field('b', new Utf8(), true)]), { a: 1, b: 'x' }],
  ['map', new Map_(new Field('entries', new Struct([
    new Field('key', new Utf8(), false), new Field('value', new Int64(), true)]), false)), new Map([['k', 9]])],
];

export function everyType() {
  const fields = EVERY_TYPE.map(([name, type]) => new Field(name, type, true));
  const children = EVERY_TYPE.map(([, , value], i) => {
    const column = columnFor(fields[i]);
    column.append(column.convert(value));
    column.append(column.convert(null));
    return column.finish();
  });
  const words = new Dictionary(new Utf8(), new Int32());
  fields.push(new Field('dictionary', words, true));
  children.push(vectorFromArray(['word', null], words).data[0]);
  return new RecordBatch(new Schema(fields), makeData({ type: new Struct(fields), length: 2, nullCount: 0, children }));
}
