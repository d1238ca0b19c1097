import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tier, connect } from '../src/index.js';
import { fakeServer } from './fake_server.js';
import { NUMBERED } from './numbered.js';

const row = (number) => ({ number: BigInt(number), text: `row ${number}` });

/** A server that takes writes and acknowledges none before release(). */
async function holdingServer(t) {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const numbers = [];
  const fake = await fakeServer(t, { exchanges: [async (exchange) => {
    await held;
    for (let lsn = 1000; await exchange.next() !== undefined; ++lsn) exchange.ack([lsn, 'MEMORY'], [lsn, 'LOCAL_DISK']);
    for (const batch of await exchange.batches()) numbers.push(...Array.from(batch.getChild('number').toArray(), Number));
    exchange.finish();
  }] });
  return { fake, release, numbers };
}

async function appenderOn(t, fake, options) {
  const client = connect(fake.url, { budgetBytes: 700, deadlineMs: 1500 });
  t.after(() => client.close({ timeoutMs: 100 }).catch(() => {}));
  return client.appender('sales.orders', { schema: NUMBERED, ...options });
}

test('a row for which there was no room is not taken, and no other is lost', async (t) => {
  const { fake, release, numbers } = await holdingServer(t);
  const appender = await appenderOn(t, fake, { maxRows: 3, lingerMs: 60_000 });
  let taken = 0;
  await assert.rejects(async () => {
    for (; taken < 100; ++taken) await appender.append(row(taken));
  }, { code: 'DEADLINE_EXCEEDED', retryable: true });
  assert.ok(taken >= 6, `${taken} rows were taken`);
  await assert.rejects(appender.flush(Tier.LOCAL_DISK, { timeoutMs: 20 }), { code: 'DEADLINE_EXCEEDED', retryable: true });
  release();
  for (; taken < 20; ++taken) await appender.append(row(taken));
  await appender.close({ timeoutMs: 10_000 });
  assert.deepEqual(numbers, Array.from({ length: 20 }, (_, i) => i));
  assert.deepEqual(fake.failures, []);
});

test('rows that lingered without room are written when there is', async (t) => {
  const { fake, release, numbers } = await holdingServer(t);
  const appender = await appenderOn(t, fake, { maxRows: 1000, lingerMs: 10 });
  for (let number = 0; number < 4; ++number) {
    await appender.append(row(number));
    await new Promise((resolve) => { setTimeout(resolve, 30); }); // a batch each; the budget has room for one
  }
  await new Promise((resolve) => { setTimeout(resolve, 2000); }); // the deadline passes
  assert.ok(appender.pendingRows > 0);
  release();
  while (appender.pendingRows > 0) await new Promise((resolve) => { setTimeout(resolve, 5); });
  await appender.close({ timeoutMs: 10_000 });
  assert.deepEqual(numbers, [0, 1, 2, 3]);
  assert.deepEqual(fake.failures, []);
});

test('what lingers while others wait for room does not wait for them one by one', async (t) => {
  const { fake, release, numbers } = await holdingServer(t);
  const appender = await appenderOn(t, fake, { maxRows: 1000, lingerMs: 5 });
  let taken = 0;
  const began = performance.now();
  await assert.rejects(async () => {
    for (; taken < 10_000; ++taken) {
      await appender.append(row(taken));
      await new Promise((resolve) => { setTimeout(resolve, 10); }); // a batch each, if there were room
    }
  }, { code: 'DEADLINE_EXCEEDED', retryable: true });
  assert.ok(performance.now() - began < 10_000); // a deadline is 1.5 s
  release();
  await appender.close({ timeoutMs: 10_000 });
  assert.deepEqual(numbers, Array.from({ length: taken }, (_, i) => i));
});

test('close is over in time while rows wait for room', async (t) => {
  const { fake } = await holdingServer(t);
  const appender = await appenderOn(t, fake, { maxRows: 1, lingerMs: 60_000, deadlineMs: 20_000 });
  await appender.append(row(0));
  const waiting = [appender.append(row(1)), appender.append(row(2))];
  const began = performance.now();
  await assert.rejects(appender.close({ timeoutMs: 100 }), { code: 'DEADLINE_EXCEEDED', retryable: true });
  assert.ok(performance.now() - began < 5000);
  for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, 'rejected');
  await assert.rejects(async () => appender.append(row(3)));
});
