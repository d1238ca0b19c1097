// Writes three rows and prints how durable they are, until they are in the Iceberg table.
// usage: node quickstart.js [grpc://HOST:PORT]

import { tableFromArrays } from 'apache-arrow';
import { Tier, connect, tierName } from 'arka-client';

const client = connect(process.argv[2] ?? 'grpc://localhost:8815');
const stream = await client.open('sales.people', {
  onAck: ({ lsn, tier }) => console.log(`LSN ${lsn} reached ${tierName(tier)}`),
});
const write = await stream.write(tableFromArrays({
  id: BigInt64Array.of(1n, 2n, 3n),
  name: ['Alice', 'Bob', 'Charlie'],
}));
await write.reached(Tier.COMMITTED);
console.log(String(await client.query('SELECT count(*) AS people FROM sales.people')));
await client.close();
