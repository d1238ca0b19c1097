// Every error has a code, a message, and says whether the same may succeed later.
// usage: node errors.js [grpc://HOST:PORT]

import { tableFromArrays } from 'apache-arrow';
import { ArkaError, connect } from 'arka-client';

const client = connect(process.argv[2] ?? 'grpc://localhost:8815');
const stream = await client.open('sales.checked');
await stream.writeDurable(tableFromArrays({ id: BigInt64Array.of(1n) }));

const other = await client.open('sales.checked');
try {
  await other.writeDurable(tableFromArrays({ id: ['one'] }));
} catch (error) {
  if (!(error instanceof ArkaError)) throw error;
  console.log(error.code, error.retryable);
}
await client.close().catch((error) => console.log('closed after', error.code));
