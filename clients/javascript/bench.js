// How fast the client writes, beside a plain program on @grpc/grpc-js and tableToIPC, which is what there is otherwise.
// usage: node bench.js grpc://HOST:PORT [WRITES]; needs examples/javascript/node_modules (./setup)

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import {
  Field, Float64, Int64, Message, RecordBatch, Schema, Struct, Table, Utf8, makeData, tableToIPC,
} from 'apache-arrow';
import { Tier, connect } from './src/index.js';

const [url, count = '30000'] = process.argv.slice(2);
const WRITES = Number(count);
const ROWS = 10;
const SCHEMA = new Schema([
  new Field('id', new Int64(), true), new Field('temperature', new Float64(), true), new Field('at', new Int64(), true)]);

/** A batch as a program makes one: anew every time. */
function batch(i) {
  const column = (type, data) => makeData({ type, data });
  return new RecordBatch(SCHEMA, makeData({ type: new Struct(SCHEMA.fields), length: ROWS, nullCount: 0, children: [
    column(new Int64(), new BigInt64Array(ROWS).fill(BigInt(i))), column(new Float64(), new Float64Array(ROWS)),
    column(new Int64(), new BigInt64Array(ROWS))] }));
}

async function measured(what, unit, units, run) {
  const began = performance.now();
  await run();
  console.log(`${what}: ${Math.round(units / (performance.now() - began) * 1000)} ${unit}/s`);
}

/** Until the server has said of every write that it is on disk. */
async function plain() {
  const require = createRequire(new URL('../../examples/javascript/', import.meta.url));
  const grpc = require('@grpc/grpc-js');
  const proto = fileURLToPath(new URL('../../examples/javascript/flight.proto', import.meta.url));
  const { FlightService } = grpc.loadPackageDefinition(
    require('@grpc/proto-loader').loadSync(proto, { defaults: true })).arrow.flight.protocol;
  const client = new FlightService(url.replace('grpc://', ''), grpc.credentials.createInsecure());
  const headers = new grpc.Metadata();
  headers.set('arka-ack-until', 'LOCAL_DISK');
  const stream = client.doExchange(headers);
  const ended = new Promise((resolve, reject) => { stream.on('data', () => {}).on('error', reject).on('end', resolve); });
  for (let i = 0; i < WRITES; ++i) {
    const [schema, data] = split(tableToIPC(new Table([batch(i)]), 'stream'));
    if (i === 0) stream.write({ ...schema, flightDescriptor: { type: 'PATH', path: ['streaming_write', 'bench.plain'] } });
    if (!stream.write(data)) await new Promise((resolve) => { stream.once('drain', resolve); });
  }
  stream.end();
  await ended;
  client.close();
}

function* split(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, length; (length = view.getInt32(at + 4, true)) > 0;) {
    const dataHeader = bytes.subarray(at + 8, at + 8 + length);
    const body = at + 8 + length;
    at = body + Message.decode(dataHeader).bodyLength;
    yield { dataHeader: Buffer.from(dataHeader), dataBody: Buffer.from(bytes.subarray(body, at)) };
  }
}

const client = connect(url);
const stream = await client.open('bench.javascript', { schema: SCHEMA });

async function pipelined() {
  for (let i = 0; i < WRITES; ++i) await stream.write(batch(i));
  await stream.flush(Tier.LOCAL_DISK);
}

async function oneByOne(writes) {
  const times = [];
  for (let i = 0; i < writes; ++i) {
    const began = performance.now();
    await (await stream.write(batch(i))).acknowledged();
    times.push((performance.now() - began) * 1000);
  }
  times.sort((a, b) => a - b);
  const at = (share) => Math.round(times[Math.floor(share * times.length)]);
  console.log(`first ack of a write, one at a time: p50 ${at(0.5)} µs, p99 ${at(0.99)} µs`);
}

async function appended(rows) {
  const schema = new Schema([new Field('number', new Int64(), false), new Field('text', new Utf8(), true)]);
  const appender = await client.appender('bench.rows', { schema });
  await measured('appender, durable on disk', 'rows', rows, async () => {
    for (let number = 0; number < rows; ++number) await appender.append({ number, text: `text ${number}` });
    await appender.flush(Tier.LOCAL_DISK);
  });
}

for (const round of ['warm-up', 'measured']) {
  await measured(`${round}: plain program, durable on disk`, 'writes', WRITES, plain);
  await measured(`${round}: client, durable on disk`, 'writes', WRITES, pipelined);
}
await oneByOne(2000);
await appended(10 * WRITES);
await client.close();
