import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket, createServer } from 'node:net';
import { test } from 'node:test';
import { tableFromArrays } from 'apache-arrow';
import { AckViolation, Tier, connect } from '../src/index.js';
import { fakeServer } from './fake_server.js';
import { NUMBERED, numbered } from './numbered.js';

const M = 'MEMORY';
const D = 'LOCAL_DISK';
const S = 'OBJECT_STORAGE';
const C = 'COMMITTED';

async function openOn(t, fake, { client: options, ...of } = {}) {
  const client = connect(fake.url, options);
  t.after(() => client.close({ timeoutMs: 100 }).catch(() => {}));
  return client.open('sales.orders', { schema: NUMBERED, ...of });
}

/** A connection that has the first batches, acknowledges these, and is gone. */
const goneAfter = (count, ...acks) => async (exchange) => {
  for (let seq = 1; seq <= count; ++seq) assert.equal(await exchange.next(), seq);
  if (acks.length > 0) exchange.ack(...acks);
  setTimeout(() => exchange.drop(), 20);
};

const gone = (error) => ({ code: error.code, message: error.message, retryable: error.retryable });

test('what is not on LOCAL_DISK is sent again with the same seq on the next connection', async (t) => {
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(3, [1000, M], [1001, M], [1000, D]),
      async (exchange) => {
        for (const seq of [2, 3]) assert.equal(await exchange.next(), seq);
        exchange.ack([1001, M], [1002, M], [1001, D], [1002, D]);
      },
    ],
    actions: { last_seq: () => ({ last_seq: fake.opened === 0 ? 0 : 2, lsn: fake.opened === 0 ? null : 1001 }) },
  });
  const stream = await openOn(t, fake);
  const writes = [];
  for (let i = 0; i < 3; ++i) writes.push(await stream.write(numbered(i, 1)));
  await writes[2].reached(Tier.LOCAL_DISK, { timeoutMs: 5000 });
  assert.deepEqual(writes.map(({ lsn }) => lsn), [1000, 1001, 1002]);
  assert.deepEqual(fake.failures, []);
  assert.equal(fake.opened, 2);
});

test('a batch that is sent again has its dictionary with it', async (t) => {
  let seen;
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(2, [1000, M], [1000, D]),
      async (exchange) => {
        assert.equal(await exchange.next(), 2);
        seen = await exchange.batches();
        exchange.ack([1001, M], [1001, D]);
      },
    ],
    actions: { last_seq: () => ({ last_seq: fake.opened === 0 ? 0 : 1, lsn: 1000 }) },
  });
  const stream = await openOn(t, fake, { schema: undefined });
  const { batches: [words] } = tableFromArrays({ word: ['a', 'b', 'b'] });
  await stream.write(words.slice(0, 2));
  const second = await stream.write(words.slice(1, 3));
  await second.reached(Tier.LOCAL_DISK, { timeoutMs: 5000 });
  assert.deepEqual([...seen[0].getChildAt(0)], ['b', 'b']);
});

test('what the server has on disk is not sent again', async (t) => {
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(3, [1000, M], [1001, M]),
      async (exchange) => {
        assert.equal(await exchange.next(), 3);
        exchange.ack([1002, M], [1002, D]);
      },
    ],
    actions: {
      last_seq: () => (fake.opened === 0 ? { last_seq: 0, lsn: null } : { last_seq: 2, lsn: 1001 }),
      durability_status: ({ lsns }) => {
        assert.deepEqual(lsns, [1001]);
        return { levels: [{ lsn: 1001, durability_level: D, lost: false }] };
      },
    },
  });
  const stream = await openOn(t, fake);
  for (let i = 0; i < 3; ++i) await stream.write(numbered(i, 1));
  await stream.flush(Tier.LOCAL_DISK, { timeoutMs: 5000 });
  assert.deepEqual(fake.failures, []);
});

test('what the server has in MEMORY only is sent again', async (t) => {
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(1, [1000, M]),
      async (exchange) => {
        assert.equal(await exchange.next(), 1);
        exchange.ack([1000, M], [1000, D]);
      },
    ],
    actions: {
      last_seq: () => (fake.opened === 0 ? { last_seq: 0, lsn: null } : { last_seq: 1, lsn: 1000 }),
      durability_status: () => ({ levels: [{ lsn: 1000, durability_level: M, lost: false }] }),
    },
  });
  const stream = await openOn(t, fake);
  await stream.writeDurable(numbered(0, 1), Tier.LOCAL_DISK, { timeoutMs: 5000 });
  assert.equal(fake.opened, 2);
  assert.deepEqual(fake.failures, []);
});

test('a write that a crash took from MEMORY gets another LSN, and is told of again', async (t) => {
  const told = [];
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(1, [1000, M]),
      async (exchange) => {
        assert.equal(await exchange.next(), 1);
        exchange.ack([1500, M], [1500, D]);
      },
    ],
    actions: { durability_status: () => ({ levels: [{ lsn: 1000, durability_level: null, lost: true }] }) },
  });
  const stream = await openOn(t, fake, { onAck: ({ lsn, tier }) => told.push([lsn, tier]) });
  const write = await stream.write(numbered(0, 1));
  assert.equal(await write.reached(Tier.LOCAL_DISK, { timeoutMs: 5000 }), 1500);
  assert.deepEqual(told, [[1000, Tier.MEMORY], [1500, Tier.MEMORY], [1500, Tier.LOCAL_DISK]]);
});

test('an LSN that a crash took stands for its write, whatever comes before that one', async (t) => {
  let goOn;
  const held = new Promise((resolve) => { goOn = resolve; });
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(2, [1000, M], [1001, M]),
      async (exchange) => {
        for (const seq of [1, 2]) assert.equal(await exchange.next(), seq);
        exchange.ack([1500, M], [1500, D], [1500, S], [1500, C]);
        await held;
        exchange.ack([1501, M], [1501, D]);
      },
    ],
    actions: { durability_status: () => ({ levels: [{ lsn: 1001, durability_level: null, lost: true }] }) },
  });
  const stream = await openOn(t, fake);
  const first = await stream.write(numbered(0, 1));
  await stream.write(numbered(1, 1));
  await first.reached(Tier.COMMITTED, { timeoutMs: 5000 });
  await stream.waitForDurability(1000, Tier.COMMITTED, { timeoutMs: 50 });
  await assert.rejects(stream.waitForDurability(1001, Tier.LOCAL_DISK, { timeoutMs: 50 }), { code: 'DEADLINE_EXCEEDED' });
  goOn();
  await stream.waitForDurability(1001, Tier.LOCAL_DISK, { timeoutMs: 5000 });
  await assert.rejects(stream.waitForDurability(1502, Tier.LOCAL_DISK, { timeoutMs: 50 }), { code: 'NOT_FOUND' });
  assert.deepEqual(fake.failures, []);
});

test('writes of an earlier connection reach the higher tiers by the watermarks', async (t) => {
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(1, [1000, M], [1000, D]),
      async (exchange) => {
        exchange.ack([1000, 1000, 999, 999]);
        exchange.ack([1000, 1000, 1000, 999]);
        exchange.ack([1000, 1000, 1000, 1000]);
      },
    ],
    actions: { last_seq: () => (fake.opened === 0 ? { last_seq: 0, lsn: null } : { last_seq: 1, lsn: 1000 }) },
  });
  const stream = await openOn(t, fake);
  const write = await stream.write(numbered(0, 1));
  assert.equal(await write.reached(Tier.COMMITTED, { timeoutMs: 5000 }), 1000);
  assert.deepEqual(stream.watermarks, { lastLsn: 1000, diskLsn: 1000, s3Lsn: 1000, committedLsn: 1000 });
});

test('writes of an earlier connection are told of before later ones', async (t) => {
  const told = [];
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(1, [1000, M], [1000, D]),
      async (exchange) => {
        await exchange.next();
        exchange.ack([1001, M], [1001, D], [1001, S], [1001, C]);
      },
    ],
    actions: { last_seq: () => ({ last_seq: fake.opened, lsn: fake.opened === 0 ? null : 1000 }) },
  });
  const stream = await openOn(t, fake, { onAck: ({ seq, tier }) => told.push([seq, tier]) });
  await stream.writeDurable(numbered(0, 1));
  await stream.writeDurable(numbered(1, 1), Tier.COMMITTED, { timeoutMs: 5000 });
  assert.deepEqual(told.filter(([, tier]) => tier >= Tier.OBJECT_STORAGE), [[1, 2], [2, 2], [1, 3], [2, 3]]);
});

const violations = {
  'of what was not sent': [[[1000, M], [1001, M]], /not sent/],
  'that goes back': [[[1001, M], [1000, M]], /LSN 1000 for the batch after/, 2],
  'that skips a level': [[[1000, M], [1000, S]], /OBJECT_STORAGE before LOCAL_DISK/],
  'of another LSN': [[[1000, M], [1007, D]], /LSN 1000 was due/],
  'at a level twice': [[[1000, M], [1000, D], [1000, D]], /LOCAL_DISK before MEMORY/],
  'at no level': [[[1000, 'DISC']], /unknown level 'DISC'/],
};
for (const [what, [acks, message, batches = 1]] of Object.entries(violations)) {
  test(`an ack ${what} ends the stream with a typed error`, async (t) => {
    const fake = await fakeServer(t, { exchanges: [async (exchange) => {
      for (let i = 0; i < batches; ++i) await exchange.next();
      exchange.ack(...acks);
    }] });
    const stream = await openOn(t, fake);
    const writes = [];
    for (let i = 0; i < batches; ++i) writes.push(await stream.write(numbered(i, 1)));
    await assert.rejects(writes.at(-1).reached(Tier.COMMITTED, { timeoutMs: 5000 }), (error) => {
      assert.ok(error instanceof AckViolation, String(error));
      assert.match(error.message, message);
      return error.retryable === false;
    });
    await assert.rejects(stream.write(numbered(9, 1)), AckViolation);
  });
}

test('an error that cannot be retried ends the stream, and what waits for it', async (t) => {
  const fake = await fakeServer(t, { exchanges: [async (exchange) => {
    await exchange.next();
    exchange.ack([1000, M]);
    exchange.finish({ 'grpc-status': '3', 'grpc-message': 'batch 2 is bad%21', 'arka-retryable': 'false' });
  }] });
  const stream = await openOn(t, fake);
  const write = await stream.write(numbered(0, 1));
  await assert.rejects(write.reached(Tier.LOCAL_DISK), { code: 'INVALID_ARGUMENT', message: 'batch 2 is bad!', retryable: false });
  await assert.rejects(stream.close(), { code: 'INVALID_ARGUMENT' });
});

test('an error that can be retried is: the caller sees nothing', async (t) => {
  const fake = await fakeServer(t, { exchanges: [
    async (exchange) => {
      await exchange.next();
      exchange.finish({ 'grpc-status': '8', 'grpc-message': 'full', 'arka-retryable': 'true' });
    },
    async (exchange) => {
      assert.equal(await exchange.next(), 1);
      exchange.ack([1000, M], [1000, D]);
    }] });
  const stream = await openOn(t, fake);
  assert.equal(await stream.writeDurable(numbered(0, 1), Tier.LOCAL_DISK, { timeoutMs: 5000 }), 1000);
});

test('a server that stays away is one typed error when the deadline has passed', async (t) => {
  const fake = await fakeServer(t, { exchanges: [async (exchange) => { await exchange.next(); exchange.ack([1000, M]); }] });
  const stream = await openOn(t, fake, { deadlineMs: 400 });
  const write = await stream.write(numbered(0, 1));
  await write.acknowledged();
  fake.stop();
  const error = await write.reached(Tier.LOCAL_DISK, { timeoutMs: 10_000 }).then(() => null, (reason) => reason);
  assert.deepEqual([error.code, error.retryable], ['DEADLINE_EXCEEDED', true]);
  assert.match(error.message, /no way to sales.orders for 400 ms/);
  assert.equal(error.cause.code, 'UNAVAILABLE');
  assert.deepEqual(gone(stream.failure), gone(error));
});

test('writes wait where the budget is used up, and go on when there is room', async (t) => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const fake = await fakeServer(t, { exchanges: [async (exchange) => {
    await exchange.next();
    await held;
    exchange.ack([1000, M], [1000, D]);
    assert.equal(await exchange.next(), 2);
    exchange.ack([1001, M], [1001, D]);
  }] });
  const stream = await openOn(t, fake, { client: { budgetBytes: 700 } });
  await stream.write(numbered(0, 1));
  await assert.rejects(stream.write(numbered(1, 1), { timeoutMs: 50 }), { code: 'DEADLINE_EXCEEDED', retryable: true });
  await assert.rejects(stream.write(numbered(1, 1), { timeoutMs: 0 }), { code: 'RESOURCE_EXHAUSTED', retryable: true });
  assert.equal(stream.tryWrite(numbered(1, 1)), null);
  const waiting = stream.write(numbered(1, 1));
  assert.equal(stream.written, 1);
  release();
  await (await waiting).reached(Tier.LOCAL_DISK, { timeoutMs: 5000 });
  assert.equal(stream.heldBytes, 0);
  assert.deepEqual(fake.failures, []);
});

test('a connection that went silent is found out by a ping, and replaced', async (t) => {
  let silence;
  const fake = await fakeServer(t, { exchanges: [
    async (exchange) => { await exchange.next(); silence(); },
    async (exchange) => {
      assert.equal(await exchange.next(), 1);
      exchange.ack([1000, M], [1000, D]);
    }] });
  const upstream = Number(fake.url.split(':').at(-1));
  const way = createServer((socket) => { // passes everything on, until it passes nothing on
    const other = connectSocket(upstream, '127.0.0.1');
    socket.pipe(other).pipe(socket);
    socket.on('error', () => {});
    other.on('error', () => {});
    silence = () => { socket.unpipe(other); other.unpipe(socket); };
    t.after(() => { socket.destroy(); other.destroy(); });
  });
  await once(way.listen(0, '127.0.0.1'), 'listening');
  t.after(() => way.close());
  const stream = await openOn(t, { url: `grpc://127.0.0.1:${way.address().port}` }, { client: { keepAliveMs: 50 } });
  assert.equal(await stream.writeDurable(numbered(0, 1), Tier.LOCAL_DISK, { timeoutMs: 5000 }), 1000);
  assert.equal(fake.opened, 2);
});

test('closing never hangs', async (t) => {
  const fake = await fakeServer(t, { exchanges: [async () => {}] });
  const stream = await openOn(t, fake);
  const write = await stream.write(numbered(0, 1));
  const waiting = assert.rejects(write.reached(Tier.COMMITTED), { code: 'DEADLINE_EXCEEDED' });
  await assert.rejects(stream.close({ timeoutMs: 100 }), { code: 'DEADLINE_EXCEEDED', retryable: true });
  await waiting;
  assert.equal(stream.heldBytes, 0);
  assert.deepEqual(stream.pending().map((batch) => batch.getChild('text').get(0)), ['0']);
});

test('closing does not hang on a server that never ends the stream', async (t) => {
  const fake = await fakeServer(t, { exchanges: [async (exchange) => {
    await exchange.next();
    exchange.ack([1000, M], [1000, D]);
  }] });
  const stream = await openOn(t, fake);
  await stream.write(numbered(0, 1));
  await stream.close({ timeoutMs: 200 });
});

test('a producer that was forgotten numbers what is not safe from 1 on', async (t) => {
  const fake = await fakeServer(t, {
    exchanges: [
      goneAfter(2, [1000, M], [1000, D]),
      async (exchange) => {
        assert.equal(await exchange.next(), 1);
        exchange.ack([2000, M], [2000, D]);
      },
    ],
    actions: { last_seq: () => (fake.opened === 0 ? { last_seq: 0, lsn: null }
      : { last_seq: 0, lsn: null, forgotten_through: 1500 }) },
  });
  const stream = await openOn(t, fake);
  await stream.write(numbered(0, 1));
  const second = await stream.write(numbered(1, 1));
  assert.equal(await second.reached(Tier.LOCAL_DISK, { timeoutMs: 5000 }), 2000);
  assert.deepEqual(fake.failures, []);
});

test('a server that lost what it acknowledged on disk is found out', async (t) => {
  const fake = await fakeServer(t, { exchanges: [goneAfter(2, [1000, M], [1000, D])] });
  const stream = await openOn(t, fake);
  await stream.write(numbered(0, 1));
  const second = await stream.write(numbered(1, 1));
  await assert.rejects(second.reached(Tier.LOCAL_DISK, { timeoutMs: 5000 }), { code: 'DATA_LOSS', retryable: false });
});

test('a producer that has a name is claimed, and what an earlier program wrote is safe before it goes on', async (t) => {
  const asked = [];
  const headers = [];
  const epoch = 2n ** 53n + 1n;
  const noted = (answer) => (body) => { asked.push(body); return answer; };
  const sends = (...acks) => async (exchange) => {
    headers.push(exchange.headers);
    assert.equal(await exchange.next(), 8);
    exchange.ack(...acks);
    if (acks.length === 1) setTimeout(() => exchange.drop(), 20);
  };
  const fake = await fakeServer(t, {
    exchanges: [sends([1008, M]), sends([1008, M], [1008, D])],
    actions: {
      claim_producer: noted({ epoch, last_seq: 9, lsn: 1009 }), // of which a crash takes two before they are safe
      flush: noted({}),
      last_seq: noted({ last_seq: 7, lsn: 1007 }),
    },
  });
  const stream = await openOn(t, fake, { producer: 'till 4' });
  assert.equal(stream.nextSeq, 8);
  const producer = { producer: 'till 4', table: 'sales.orders' };
  assert.deepEqual(asked, [producer, { level: 'LOCAL_DISK', table: 'sales.orders' }, producer]);
  await stream.writeDurable(numbered(0, 1), Tier.LOCAL_DISK, { timeoutMs: 5000 });
  assert.deepEqual(fake.failures, []);
  assert.deepEqual(headers.map((sent) => sent['arka-producer-epoch']), [`${epoch}`, `${epoch}`]);
  assert.equal(asked.length, 4, 'one claim for a stream; a reconnect asks last_seq');
});

test('a claim that was answered is not made again, whatever fails after it', async (t) => {
  const asked = [];
  const fake = await fakeServer(t, { actions: {
    claim_producer: () => { asked.push('claim_producer'); return { epoch: 5, last_seq: 7, lsn: 1007 }; },
    flush: () => {
      asked.push('flush');
      if (asked.length === 2) throw Object.assign(new Error('not now'), { status: 14, retryable: true });
      return {};
    },
    last_seq: () => { asked.push('last_seq'); return { last_seq: 7, lsn: 1007 }; },
  } });
  await openOn(t, fake, { producer: 'till 4' });
  assert.deepEqual(asked, ['claim_producer', 'flush', 'last_seq', 'flush', 'last_seq']);
});

test('a random name is not claimed', async (t) => {
  let epoch;
  const fake = await fakeServer(t, {
    exchanges: [async (exchange) => {
      epoch = exchange.headers['arka-producer-epoch'];
      await exchange.next();
      exchange.ack([1000, M], [1000, D]);
    }],
    actions: { claim_producer: () => { throw new Error('claimed'); } },
  });
  await (await openOn(t, fake)).writeDurable(numbered(0, 1));
  assert.equal(epoch, undefined);
});

test('a stream whose name was claimed by another fails, and has what it keeps', async (t) => {
  const fake = await fakeServer(t, { exchanges: [async (exchange) => {
    await exchange.next();
    exchange.finish({ 'grpc-status': '9', 'grpc-message': 'claimed since', 'arka-retryable': 'false' });
  }] });
  const stream = await openOn(t, fake, { producer: 'till 4' });
  const write = await stream.write(numbered(0, 1));
  const fenced = { code: 'FAILED_PRECONDITION', message: 'claimed since', retryable: false };
  await assert.rejects(write.reached(Tier.LOCAL_DISK), fenced);
  await assert.rejects(stream.write(numbered(1, 1)), fenced);
  await assert.rejects(stream.close(), fenced);
  assert.deepEqual(stream.pending().map((batch) => batch.getChild('text').get(0)), ['0']);
  assert.equal(fake.opened, 1);
});

test('a producer whose name another program uses is told so', async (t) => {
  const fake = await fakeServer(t, {
    exchanges: [goneAfter(1)],
    actions: { last_seq: () => ({ last_seq: fake.opened === 0 ? 0 : 9, lsn: null }) },
  });
  const stream = await openOn(t, fake, { producer: 'till 4' });
  const write = await stream.write(numbered(0, 1));
  await assert.rejects(write.reached(Tier.LOCAL_DISK), { code: 'FAILED_PRECONDITION', message: /'till 4'.*another program/ });
});

test('a connection that nobody needs is not made again before somebody writes', async (t) => {
  const fake = await fakeServer(t, { exchanges: [
    goneAfter(1, [1000, M], [1000, D], [1000, S], [1000, C]),
    async (exchange) => {
      assert.equal(await exchange.next(), 2);
      exchange.ack([1001, M], [1001, D]);
    }],
  actions: { last_seq: () => ({ last_seq: fake.opened, lsn: 1000 }) } });
  const stream = await openOn(t, fake, { deadlineMs: 1000 });
  await stream.writeDurable(numbered(0, 1), Tier.COMMITTED, { timeoutMs: 10_000 });
  await new Promise((resolve) => { setTimeout(resolve, 1250); }); // longer than the deadline
  assert.equal(fake.opened, 1);
  assert.equal(await stream.writeDurable(numbered(1, 1), Tier.LOCAL_DISK, { timeoutMs: 10_000 }), 1001);
  assert.equal(fake.opened, 2);
});

test('acks can be read as they come, each once and in order', async (t) => {
  const fake = await fakeServer(t, { exchanges: [async (exchange) => {
    await exchange.next();
    exchange.ack([1000, M], [1000, D]);
    exchange.ack([1000, S], [1000, C]);
  }] });
  const stream = await openOn(t, fake);
  const acks = stream.acks();
  const first = acks.next();
  const write = await stream.write(numbered(0, 1));
  await write.reached(Tier.COMMITTED, { timeoutMs: 5000 });
  assert.deepEqual((await first).value, { seq: 1, lsn: 1000, tier: Tier.MEMORY, timestampUs: 1.7e15, snapshotId: null, replaces: null });
  for (const tier of [Tier.LOCAL_DISK, Tier.OBJECT_STORAGE]) assert.equal((await acks.next()).value.tier, tier);
  assert.equal((await acks.next()).value.snapshotId, 77n);
});
