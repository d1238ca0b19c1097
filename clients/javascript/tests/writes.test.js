import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tier, connect } from '../src/index.js';
import { serve } from './arka.js';
import { NUMBERED, numbered, summary } from './numbered.js';

const TABLE = 'sales.orders';

async function client(t, server, options) {
  const made = connect(server.url, options);
  t.after(() => made.close({ timeoutMs: 1000 }).catch(() => {}));
  return made;
}

test('a write gets an LSN, and reaches every tier in order', async (t) => {
  const arka = await client(t, await serve(t));
  const acks = [];
  const stream = await arka.open(TABLE, { schema: NUMBERED, onAck: (ack) => acks.push(ack) });
  const write = await stream.write(numbered(0, 5));
  assert.equal(await write.acknowledged(), 1000);
  assert.equal(await write.reached(Tier.COMMITTED, { timeoutMs: 20_000 }), 1000);
  assert.deepEqual(acks.map(({ seq, lsn, tier }) => [seq, lsn, tier]), [
    [1, 1000, Tier.MEMORY], [1, 1000, Tier.LOCAL_DISK], [1, 1000, Tier.OBJECT_STORAGE], [1, 1000, Tier.COMMITTED]]);
  assert.equal(typeof acks[3].snapshotId, 'bigint');
  assert.ok(acks.every(({ timestampUs }) => Math.abs(timestampUs / 1000 - Date.now()) < 60_000));
  await stream.close();
  assert.equal(arka.heldBytes, 0);
});

test('ten thousand writes in a row are all there, once', async (t) => {
  const arka = await client(t, await serve(t));
  const stream = await arka.open(TABLE, { schema: NUMBERED });
  for (let i = 0; i < 10_000; ++i) await stream.write(numbered(i, 1));
  await stream.close();
  assert.deepEqual(await summary(arka, TABLE), [10_000, 10_000, 0, 9_999]);
});

test('a server that is killed in mid-stream costs nothing but time', async (t) => {
  const server = await serve(t);
  const arka = await client(t, server);
  const stream = await arka.open(TABLE, { schema: NUMBERED });
  let restarted;
  for (let i = 0; i < 3000; ++i) {
    await stream.write(numbered(i, 1));
    if (i === 2000) await restarted;
    if (i === 1000 || i === 2000) restarted = server.kill().then(() => server.start());
  }
  await restarted;
  await stream.flush(Tier.COMMITTED, { timeoutMs: 30_000 });
  await stream.close();
  assert.deepEqual(await summary(arka, TABLE), [3000, 3000, 0, 2999]);
});

test('a producer that is known goes on where it was', async (t) => {
  const arka = await client(t, await serve(t));
  const first = await arka.open(TABLE, { schema: NUMBERED, producer: 'till 4' });
  await first.writeDurable(numbered(0, 5));
  await first.close();
  const second = await arka.open(TABLE, { schema: NUMBERED, producer: 'till 4' });
  const write = await second.write(numbered(5, 5));
  assert.equal(write.seq, 2);
  await write.reached(Tier.LOCAL_DISK);
  await second.close();
  assert.deepEqual(await summary(arka, TABLE), [10, 10, 0, 9]);
});

test('a client tells the status, the watermarks, and what became of a session', async (t) => {
  const arka = await client(t, await serve(t));
  const stream = await arka.open(TABLE, { schema: NUMBERED });
  const lsn = await stream.writeDurable(numbered(0, 5), Tier.COMMITTED);
  const status = await arka.status();
  assert.ok(status.ready);
  assert.deepEqual(status.tables.map(({ name }) => name), [TABLE]);
  assert.deepEqual(await arka.watermarks(), { lastLsn: lsn, diskLsn: lsn, s3Lsn: lsn, committedLsn: lsn });
  const events = await arka.getDurabilityStatus(undefined, { until: Tier.COMMITTED });
  assert.deepEqual(events.map(({ tier }) => tier), [0, 1, 2, 3]);
  assert.equal(typeof events[3].snapshotId, 'bigint');
  assert.deepEqual(await arka.durabilityOf([lsn]), [{ lsn, tier: Tier.COMMITTED, lost: false }]);
  await assert.rejects(arka.durabilityOf([5000]), { code: 'NOT_FOUND', retryable: false });
  await assert.rejects(arka.query('SELECT nothing FROM nowhere'), { name: 'ArkaError', retryable: false });
  assert.equal((await arka.query(`SELECT * FROM ${TABLE} WHERE number > 100`)).numRows, 0);
  let rows = 0;
  for await (const batch of arka.queryBatches(`SELECT * FROM ${TABLE}`)) rows += batch.numRows;
  assert.equal(rows, 5);
});
