// Drives the JavaScript client for the conformance runner: a JSON object a line on stdin, a JSON line
// on stdout for each, in order (clients/conformance).

import { createInterface } from 'node:readline';
import { ArkaError, Tier, connect, tierName, tierOf } from '../src/index.js';
import { NUMBERED, numbered } from '../test/numbered.js';
import { everyType } from '../test/every_type.js';

let client;
let stream;
let table;
let appender;
let writes = [];
let acks = {};

const OPS = {
  connect({ url, options = {} }) {
    client = connect(url, {
      username: options.username,
      password: options.password,
      token: options.token,
      tlsRoot: options.tls_root,
      clientCert: options.client_cert,
      clientKey: options.client_key,
      deadlineMs: options.deadline_ms,
      budgetBytes: options.budget_bytes,
    });
    return {};
  },

  async open({ table: name, producer, session, columns }) {
    table = name;
    acks = {};
    writes = [];
    stream = await client.open(name, {
      producer: producer ?? undefined,
      session: session ?? undefined,
      schema: columns === 'numbered' ? NUMBERED : undefined,
      onAck: ({ tier }) => { acks[tierName(tier)] = (acks[tierName(tier)] ?? 0) + 1; },
    });
    return { producer: stream.producer, session: stream.session };
  },

  async write({ first, batches, rows }) {
    for (let i = 0; i < batches; ++i) writes.push(await stream.write(numbered(first + i * rows, rows)));
    return { accepted: batches };
  },

  async wait({ level, timeout_ms: timeoutMs }) {
    if (writes.length > 0) await writes.at(-1).reached(tierOf(level), { timeoutMs });
    const lsns = writes.length > 0 ? [writes[0].lsn, writes.at(-1).lsn] : [];
    return { lsns, count: writes.length };
  },

  async flush({ level, timeout_ms: timeoutMs }) {
    await stream.flush(tierOf(level), { timeoutMs });
    return {};
  },

  async append_rows({ first, rows }) {
    appender ??= await client.appender(table, { schema: NUMBERED });
    for (let i = first; i < first + rows; ++i) await appender.append({ number: i, text: `text ${i}` });
    await appender.flush(Tier.LOCAL_DISK);
    return { accepted: rows };
  },

  async write_types() {
    const batch = everyType();
    writes.push(await stream.write(batch));
    return { accepted: 1, types: batch.schema.fields.map(({ type }) => String(type)) };
  },

  async query({ sql }) {
    const answer = await client.query(sql);
    return { rows: answer.toArray().map((row) => row.toArray().map(plain)) };
  },

  status: () => client.status(),

  async durability({ after }) {
    const events = await client.getDurabilityStatus(after, { session: stream.session });
    return { events: events.map(({ lsn, tier }) => ({ lsn, durability_level: tierName(tier) })) };
  },

  acks: () => acks,
  memory: () => ({ bytes: client.heldBytes }),

  async close({ timeout_ms: timeoutMs }) {
    await appender?.close({ timeoutMs });
    await stream?.close({ timeoutMs });
    appender = stream = undefined;
    return {};
  },
};

const plain = (value) => (typeof value === 'bigint' ? Number(value) : value);

function failure(error) {
  if (error instanceof ArkaError) return { error };
  return { error: { code: 'UNKNOWN', message: String(error?.stack ?? error), retryable: false } };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line);
  let answer;
  if (op === 'quit') break;
  try {
    if (!OPS[op]) throw new ArkaError('UNIMPLEMENTED', `no op '${op}'`);
    answer = { ok: await OPS[op](request) };
  } catch (error) {
    answer = failure(error);
  }
  process.stdout.write(`${JSON.stringify(answer, (_, value) => plain(value))}\n`);
}
await client?.close({ timeoutMs: 5000 }).catch(() => {});
