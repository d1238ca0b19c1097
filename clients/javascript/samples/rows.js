// Rows as objects: gathered into batches, checked against the table's schema.
// usage: node rows.js [grpc://HOST:PORT]

import { Field, Int64, Schema, TimestampMicrosecond, Utf8 } from 'apache-arrow';
import { RowError, Tier, connect } from 'arka-client';

const client = connect(process.argv[2] ?? 'grpc://localhost:8815');
const schema = new Schema([
  new Field('id', new Int64(), false),
  new Field('name', new Utf8(), true),
  new Field('at', new TimestampMicrosecond('UTC'), true),
]);

const appender = await client.appender('sales.visits', { schema, maxRows: 1000, lingerMs: 20 });
for (let id = 0; id < 2500; ++id) await appender.append({ id, name: `visitor ${id}`, at: new Date() });
try {
  await appender.append({ id: 'no number' });
} catch (error) {
  if (!(error instanceof RowError)) throw error;
  console.log(error.message);
}
await appender.flush(Tier.LOCAL_DISK);
console.log(`${appender.stream.written} writes`);

const answer = await client.query('SELECT count(*) AS n, max(name) AS last FROM sales.visits');
console.log(answer.get(0)?.toJSON());
await client.close();
