import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LsnRuns } from '../src/acks.js';
import { Budget } from '../src/budget.js';
import { AckTracker, DurabilityLag, LocalCache, Tier, tierName, tierOf } from '../src/index.js';

test('tiers are ordered, and have names', () => {
  const tiers = ['MEMORY', 'LOCAL_DISK', 'OBJECT_STORAGE', 'COMMITTED'].map(tierOf);
  assert.deepEqual(tiers, [...tiers].sort());
  assert.deepEqual(tiers.map(tierName).map(tierOf), tiers);
  assert.throws(() => tierOf('DISK'), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => tierName(4), { code: 'INVALID_ARGUMENT' });
});

test('a tracker waits for the level that was asked for, not for a name that sorts after it', async () => {
  const tracker = new AckTracker();
  tracker.onAck({ lsn: 1000, tier: Tier.MEMORY });
  await assert.rejects(tracker.waitAllDurable([1000], Tier.LOCAL_DISK, { timeoutMs: 20 }), { code: 'DEADLINE_EXCEEDED' });
  const waiting = tracker.waitAllDurable([1000, 1001], Tier.LOCAL_DISK, { timeoutMs: 5000 });
  tracker.onAck({ lsn: 1001, tier: Tier.COMMITTED });
  tracker.onAck({ lsn: 1000, tier: Tier.LOCAL_DISK });
  await waiting;
  assert.equal(tracker.tier(1001), Tier.COMMITTED);
  tracker.forgetThrough(1000);
  assert.equal(tracker.size, 1);
});

test('an LSN that a crash took stands for the one that its write got', async () => {
  const tracker = new AckTracker();
  for (const lsn of [1000, 1001]) tracker.onAck({ lsn, tier: Tier.MEMORY, replaces: null });
  tracker.onAck({ lsn: 1005, tier: Tier.MEMORY, replaces: 1000 });
  tracker.onAck({ lsn: 1005, tier: Tier.COMMITTED, replaces: null });
  assert.equal(tracker.tier(1000), Tier.COMMITTED);
  assert.equal(tracker.tier(1001), Tier.MEMORY);
  const waiting = tracker.waitAllDurable([1000, 1001], Tier.LOCAL_DISK, { timeoutMs: 5000 });
  tracker.onAck({ lsn: 1006, tier: Tier.MEMORY, replaces: 1001 });
  tracker.onAck({ lsn: 1006, tier: Tier.LOCAL_DISK, replaces: null });
  await waiting;
  tracker.forgetThrough(1006);
  assert.deepEqual([tracker.size, tracker.tier(1000)], [0, undefined]);
});

test('a cache drops what the watermark of its tier has passed', () => {
  const cache = new LocalCache();
  for (const lsn of [1000, 1001, 1002]) cache.put(lsn, `data ${lsn}`);
  cache.onWatermarks({ lastLsn: 1002, diskLsn: 1002, s3Lsn: 1001, committedLsn: 999 });
  assert.equal(cache.size, 1);
  assert.equal(cache.get(1002), 'data 1002');
  assert.ok(!cache.has(1001));
});

test('lag tells how many writes are behind, and for how long', () => {
  const lag = new DurabilityLag();
  for (let i = 1; i <= 10; ++i) lag.sent(i, i * 100);
  assert.deepEqual(lag.of(10, 2000), { writes: 0, milliseconds: 0 });
  assert.deepEqual(lag.of(4, 2000), { writes: 6, milliseconds: 1500 });
  lag.forget(4);
  assert.deepEqual(lag.of(4, 2000), { writes: 6, milliseconds: 1500 });
});

test('lag of a million writes takes little memory, and is still about right', () => {
  const lag = new DurabilityLag();
  for (let i = 1; i <= 1_000_000; ++i) lag.sent(i, i);
  const { writes, milliseconds } = lag.of(500_000, 1_000_000);
  assert.equal(writes, 500_000);
  assert.ok(Math.abs(milliseconds - 500_000) < 5_000, milliseconds);
});

test('runs know the LSN of a write and the writes through an LSN', () => {
  const runs = new LsnRuns();
  [1000, 1001, 1005, 1006, 1010].forEach((lsn, i) => runs.append(i + 1, lsn));
  assert.deepEqual([1, 2, 3, 4, 5, 6].map((index) => runs.lsnOf(index)), [1000, 1001, 1005, 1006, 1010, undefined]);
  assert.deepEqual([999, 1000, 1003, 1005, 1009, 2000].map((lsn) => runs.indexThrough(lsn)), [0, 1, 2, 3, 4, 5]);
  runs.truncate(3);
  assert.equal(runs.last, 3);
  runs.append(4, 1100);
  assert.equal(runs.lsnOf(4), 1100);
  runs.forgetBelow(3);
  assert.deepEqual([1, 3].map((index) => runs.lsnOf(index)), [undefined, 1005]);
});

test('a budget is first come, first served, and lets in alone what is larger than all of it', () => {
  const budget = new Budget(100);
  const entered = [];
  const take = (bytes) => budget.take('a', bytes, { enter: () => entered.push(bytes), refuse: () => entered.push(-bytes) });
  [60, 50, 10, 500].forEach(take);
  assert.deepEqual(entered, [60]);
  budget.release(60);
  assert.deepEqual(entered, [60, 50, 10]);
  budget.release(60);
  assert.deepEqual(entered, [60, 50, 10, 500]);
  take(1);
  budget.abandon('a', new Error('over'));
  assert.deepEqual(entered, [60, 50, 10, 500, -1]);
});
