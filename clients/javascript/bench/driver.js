// How fast the JavaScript client writes, and how fast @grpc/grpc-js with tableToIPC, which is what there is
// otherwise: bench/clients/README.md says how it is run.

import { parseArgs } from 'node:util';
import { Tier, connect } from '../src/index.js';
import { NUMBERED, numbered } from '../tests/numbered.js';
import { exchange } from './raw.js';

const { values: given, positionals: [mode] } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    table: { type: 'string', default: 'sales.orders' },
    rows: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '5' },
    'in-flight': { type: 'string', default: '1024' },
  },
});
const ROWS = Number(given.rows);
const SECONDS = Number(given.seconds);
const TEXT_BYTES = 20;

const secondsSince = (began) => (performance.now() - began) / 1000;
/** The write `i`, made anew as a program would. */
const batch = (i) => numbered(i * ROWS, ROWS, TEXT_BYTES);

/** Does `one(i)` over and over for SECONDS, then `last()`. */
async function counted(what, one, last) {
  const began = performance.now();
  let count = 0;
  for (; secondsSince(began) < SECONDS; ++count) await one(count);
  await last();
  return { [what]: count, seconds: secondsSince(began) };
}

async function latencies(write) {
  const taken = [];
  for (const began = performance.now(); secondsSince(began) < SECONDS;) {
    const start = performance.now();
    await write(batch(taken.length));
    taken.push((performance.now() - start) * 1000);
  }
  taken.sort((a, b) => a - b);
  const at = (share) => taken[Math.floor(share * taken.length)];
  return { writes: taken.length, p50_us: at(0.5), p99_us: at(0.99) };
}

async function withClient(measure) {
  const client = connect(given.url);
  try {
    return await measure(client);
  } finally {
    await client.close();
  }
}

const MODES = {
  async 'raw-writes'() {
    const raw = exchange(given.url, given.table, 'LOCAL_DISK');
    return counted('writes', async (i) => {
      if (raw.unanswered >= Number(given['in-flight'])) await raw.answered();
      raw.write(batch(i));
    }, () => raw.end());
  },

  async 'raw-latency'() {
    const raw = exchange(given.url, given.table, 'MEMORY');
    const result = await latencies(async (data) => {
      raw.write(data);
      while (raw.unanswered > 0) await raw.answered();
    });
    await raw.end();
    return result;
  },

  writes: () => withClient(async (client) => {
    const stream = await client.open(given.table, { schema: NUMBERED });
    let last;
    return counted('writes', async (i) => { last = await stream.write(batch(i)); },
      () => last.reached(Tier.LOCAL_DISK));
  }),

  latency: () => withClient(async (client) => {
    const stream = await client.open(given.table, { schema: NUMBERED });
    return latencies(async (data) => (await stream.write(data)).acknowledged());
  }),

  appender: () => withClient(async (client) => {
    const appender = await client.appender(given.table, { schema: NUMBERED });
    return counted('rows',
      (number) => appender.append({ number, text: String(number).padStart(TEXT_BYTES, '0') }),
      () => appender.flush(Tier.LOCAL_DISK));
  }),
};

console.log(JSON.stringify(await MODES[mode]()));
