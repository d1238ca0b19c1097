// A server that cannot keep up slows the writer down; the client's memory stays bounded.
// usage: node backpressure.js [grpc://HOST:PORT]

import { tableFromArrays } from 'apache-arrow';
import { connect } from 'arka-client';

const client = connect(process.argv[2] ?? 'grpc://localhost:8815', { budgetBytes: 1 << 20 });
const stream = await client.open('sales.readings');
const reading = (first) => tableFromArrays({
  number: BigInt64Array.from({ length: 1000 }, (_, i) => BigInt(first + i)),
  value: Float64Array.from({ length: 1000 }, Math.random),
});

let most = 0;
for (let first = 0; first < 200_000; first += 1000) {
  await stream.write(reading(first)); // waits while 1 MiB is not on disk yet
  most = Math.max(most, client.heldBytes);
}
console.log(most <= 1 << 20);

// Or not to wait: to drop, or to keep it elsewhere.
if (stream.tryWrite(reading(200_000)) === null) console.log('no room now');
await client.close();
