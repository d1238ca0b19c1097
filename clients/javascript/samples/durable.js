// Waits only for what matters: metrics for nothing, an order for the disk, a payment for the object store.
// usage: node durable.js [grpc://HOST:PORT]

import { tableFromArrays } from 'apache-arrow';
import { AckTracker, LocalCache, Tier, connect } from 'arka-client';

const client = connect(process.argv[2] ?? 'grpc://localhost:8815');
const tracker = new AckTracker();
const cache = new LocalCache();
const stream = await client.open('sales.events', { onAck: tracker.onAck, onWatermarks: cache.onWatermarks });
const event = (id) => tableFromArrays({ id: BigInt64Array.of(BigInt(id)), kind: ['event'] });

await stream.write(event(1)); // handed over; nobody waits

const lsn = await stream.writeDurable(event(2), Tier.LOCAL_DISK); // on disk: survives a crash
console.log('on disk');

const payment = await stream.write(event(3));
await payment.reached(Tier.OBJECT_STORAGE, { timeoutMs: 10_000 }); // survives the machine
console.log('in the object store');

// Many at once: hand them over, then wait for the last ones.
const writes = [];
for (let id = 4; id < 14; ++id) writes.push(await stream.write(event(id)));
const lsns = await Promise.all(writes.map((write) => write.acknowledged()));
await tracker.waitAllDurable(lsns, Tier.LOCAL_DISK, { timeoutMs: 10_000 });
console.log(`${lsns.length} more on disk`);

// Rows kept until they are safe elsewhere: the watermark of the object store drops them.
cache.put(lsn, 'event 2');
await stream.flush(Tier.COMMITTED, { timeoutMs: 30_000 });
const { writes: behind } = stream.lag(Tier.COMMITTED);
console.log(`${behind} writes are not committed`);

// What became of the writes of this session? Also after the stream is gone.
const events = await client.getDurabilityStatus(lsn - 1, { until: Tier.COMMITTED });
console.log(events.some((known) => known.lsn === lsn && known.tier === Tier.COMMITTED));
await client.close();
