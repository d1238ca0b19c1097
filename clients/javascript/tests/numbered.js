// Numbered rows, the table that the conformance scenarios write: number int64 not null, text utf8.

import { Field, Int64, RecordBatch, Schema, Struct, Utf8, makeData, vectorFromArray } from 'apache-arrow';

export const NUMBERED = new Schema([new Field('number', new Int64(), false), new Field('text', new Utf8(), true)]);

/** `text` is the number in decimal, with zeros before it up to `textBytes`. */
export function numbered(first, rows, textBytes = 0) {
  const numbers = BigInt64Array.from({ length: rows }, (_, i) => BigInt(first + i));
  const texts = Array.from({ length: rows }, (_, i) => String(first + i).padStart(textBytes, '0'));
  return new RecordBatch(NUMBERED, makeData({
    type: new Struct(NUMBERED.fields),
    length: rows,
    nullCount: 0,
    children: [
      makeData({ type: new Int64(), data: numbers }),
      rows === 0 ? makeData({ type: new Utf8() }) : vectorFromArray(texts, new Utf8()).data[0],
    ],
  }));
}

/** [rows, different numbers, lowest, highest] of a table. */
export async function summary(client, table) {
  const answer = await client.query(
    `SELECT count(*) AS n, count(DISTINCT number) AS d, min(number) AS low, max(number) AS high FROM ${table}`);
  return answer.get(0).toArray().map(Number);
}
