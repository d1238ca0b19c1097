// The JavaScript client, led by the conformance runner: clients/conformance/README.md says how.

import { createInterface } from 'node:readline';
import { ArkaError, Tier, connect, tierName, tierOf } from '../src/index.js';
import { everyType } from '../tests/every_type.js';
import { NUMBERED, numbered } from '../tests/numbered.js';

let client;
let makeClient;
let stream;
let table;
let appender;
let first; // the stream's first write
let last;
let acks;

const OPS = {
  connect({ url, options = {} }) {
    makeClient = () => connect(url, {
      username: options.username,
      password: options.password,
      token: options.token,
      tlsRoot: options.tls_root,
      clientCert: options.client_cert,
      clientKey: options.client_key,
      deadlineMs: options.deadline_ms,
      budgetBytes: options.budget_bytes,
    });
    client = makeClient();
    return {};
  },

  async open({ table: name, producer, session, columns = 'numbered' }) {
    table = name;
    acks = Object.fromEntries(Object.keys(Tier).map((level) => [level, 0]));
    stream = await client.open(name, {
      producer: producer ?? undefined,
      session: session ?? undefined,
      schema: columns === 'types' ? everyType().schema : NUMBERED,
      onAck: ({ tier }) => { acks[tierName(tier)] += 1; },
    });
    first = last = undefined;
    return { producer: stream.producer, session: stream.session };
  },

  async write({ first: number, batches, rows, text_bytes: textBytes }) {
    for (let i = 0; i < batches; ++i) {
      last = await stream.write(numbered(number + i * rows, rows, textBytes));
      first ??= last;
    }
    return { accepted: batches };
  },

  async wait({ level, timeout_ms: timeoutMs }) {
    await last.reached(tierOf(level), { timeoutMs: timeoutMs ?? undefined });
    return { lsns: first === last ? [last.lsn] : [first.lsn, last.lsn], count: stream.written };
  },

  async flush({ level, timeout_ms: timeoutMs }) {
    await (appender ?? stream).flush(tierOf(level), { timeoutMs: timeoutMs ?? undefined });
    return {};
  },

  async append_rows({ first: from, rows, table: name, text_bytes: textBytes = 0 }) {
    appender ??= await client.appender(name ?? table, { schema: NUMBERED });
    for (let number = from; number < from + rows; ++number) {
      await appender.append({ number, text: String(number).padStart(textBytes, '0') });
    }
    return { accepted: rows };
  },

  async write_types() {
    const batch = everyType();
    last = await stream.write(batch);
    first ??= last;
    return { columns: batch.schema.fields.map(({ name }) => name), rows: batch.numRows };
  },

  async query({ sql }) {
    const answer = await client.query(sql);
    return { rows: answer.toArray().map((row) => row.toArray()) };
  },

  async status() {
    return { status: await client.status() };
  },

  async durability({ after }) {
    const events = await client.getDurabilityStatus(after ?? undefined, { session: stream.session });
    return { events: events.map(({ lsn, tier }) => [lsn, tierName(tier)]) };
  },

  acks: () => acks,
  memory: () => ({ bytes: stream.heldBytes }),

  async close({ timeout_ms: timeoutMs }) {
    await client.close({ timeoutMs: timeoutMs ?? undefined });
    client = makeClient(); // for queries
    return {};
  },

  quit: () => ({}),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: await OPS[op](request) };
  } catch (error) {
    if (!(error instanceof ArkaError)) throw error;
    answer = { error };
  }
  // The whole numbers of a query come as BigInt.
  process.stdout.write(`${JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? Number(value) : value))}\n`);
  if (op === 'quit') process.exit(0);
}
process.exit(0);
