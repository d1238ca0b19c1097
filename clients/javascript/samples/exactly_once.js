// A program that may be started again at any time, and writes every batch once.
// usage: node exactly_once.js [grpc://HOST:PORT]

import { tableFromArrays } from 'apache-arrow';
import { Tier, connect } from 'arka-client';

const URL = process.argv[2] ?? 'grpc://localhost:8815';
const batch = (n) => tableFromArrays({ number: BigInt64Array.of(BigInt(n)), text: [`batch ${n}`] });

async function run(until) {
  const client = connect(URL);
  const stream = await client.open('sales.ledger', { producer: 'ledger 1' });
  // `seq` counts the batches of this producer in this table: it says where to go on in the input.
  for (let seq = stream.nextSeq; seq <= until; ++seq) await stream.write(batch(seq));
  await stream.flush(Tier.COMMITTED);
  await client.close();
}

await run(5);
await run(8); // begins with batch 6

const client = connect(URL);
const answer = await client.query('SELECT count(*) AS n, count(DISTINCT number) AS d FROM sales.ledger');
console.log(answer.get(0)?.toJSON());
await client.close();
