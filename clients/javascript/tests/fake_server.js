// A server that does what a test says: for what a real one never does, and for the exact moment.

import http2 from 'node:http2';
import { once } from 'node:events';
import { Bool, Field, Int64, RecordBatch, Schema, Struct, TimestampMicrosecond, Utf8, makeData, vectorFromArray } from 'apache-arrow';
import { BatchEncoder, readBatches } from '../src/ipc.js';
import { decode, encode, flightData, grpcFrame } from '../src/protobuf.js';

const required = (name, type) => new Field(name, type, false);
const optional = (name) => new Field(name, new Int64(), true);
const ACKS = new Schema([
  required('lsn', new Int64()), required('durability_level', new Utf8()), required('is_durability_update', new Bool()),
  required('timestamp', new TimestampMicrosecond('UTC')), required('is_watermark_update', new Bool()),
  optional('disk_lsn'), optional('s3_lsn'), optional('committed_lsn'), optional('snapshot_id'),
]);

/** Acks [lsn, level], or watermarks [lastLsn, diskLsn, s3Lsn, committedLsn], as one batch. */
function ackBatch(acks) {
  const column = (type, of) => vectorFromArray(acks.map(of), type).data[0];
  const longs = (of) => column(new Int64(), (ack) => { const v = of(ack); return v == null ? null : BigInt(v); });
  const isWatermark = (ack) => ack.length === 4;
  const children = [
    longs(([lsn]) => lsn),
    column(new Utf8(), (ack) => (isWatermark(ack) ? 'MEMORY' : ack[1])),
    column(new Bool(), (ack) => !isWatermark(ack) && ack[1] !== 'MEMORY'),
    column(ACKS.fields[3].type, () => 1_700_000_000_000),
    column(new Bool(), isWatermark),
    longs((ack) => (isWatermark(ack) ? ack[1] : null)),
    longs((ack) => (isWatermark(ack) ? ack[2] : null)),
    longs((ack) => (isWatermark(ack) ? ack[3] : null)),
    longs((ack) => (ack[1] === 'COMMITTED' ? 77 : null)),
  ];
  return new RecordBatch(ACKS, makeData({ type: new Struct(ACKS.fields), length: acks.length, nullCount: 0, children }));
}

/** One DoExchange, seen from the server. */
class Exchange {
  #stream;
  #encoder = new BatchEncoder(ACKS);
  #seqs = [];
  #wake = () => {};
  #bytes = Buffer.alloc(0);
  ended = false;
  messages = []; // all that came

  constructor(stream, headers) {
    this.#stream = stream;
    this.headers = headers;
    stream.on('error', () => {});
    stream.on('data', (chunk) => this.#take(chunk));
    stream.on('end', () => { this.ended = true; this.#wake(); });
    stream.on('close', () => { this.ended = true; this.#wake(); });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(this.trailers));
    stream.write(this.#encoder.schemaFrame());
  }

  /** The seq of the next batch; undefined where the client has half-closed. */
  async next() {
    while (this.#seqs.length === 0 && !this.ended) await new Promise((resolve) => { this.#wake = resolve; });
    return this.#seqs.shift();
  }

  /** The batches that came, as a server reads them. */
  async batches() {
    const read = [];
    for await (const batch of readBatches(this.messages)) read.push(batch);
    return read;
  }

  ack(...acks) {
    this.#stream.write(this.#encoder.encode(ackBatch(acks)).frame);
  }

  finish(trailers = { 'grpc-status': '0' }) {
    this.trailers = trailers;
    this.#stream.end();
  }

  /** The connection is gone. */
  drop() {
    this.#stream.session.destroy();
  }

  #take(chunk) {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 5 && this.#bytes.length >= 5 + this.#bytes.readUInt32BE(1)) {
      const end = 5 + this.#bytes.readUInt32BE(1);
      const message = Buffer.from(this.#bytes.subarray(5, end));
      this.messages.push(message);
      const { appMetadata } = flightData(message);
      if (appMetadata) this.#seqs.push(JSON.parse(appMetadata).seq);
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#wake();
  }
}

/**
 * `exchanges` are async functions of an Exchange, for the first, the second … stream; `actions` by
 * name functions of the body that answer the JSON, or throw {status, message, retryable}.
 */
export async function fakeServer(t, { exchanges = [], actions = {} }) {
  const fake = { opened: 0, failures: [] };
  const server = http2.createServer();
  const sessions = new Set();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    if (headers[':path'].endsWith('/DoExchange')) {
      const script = exchanges[fake.opened++];
      const exchange = new Exchange(stream, headers);
      Promise.resolve(script?.(exchange)).catch((error) => fake.failures.push(error));
    } else {
      answerAction(stream, actions);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  fake.url = `grpc://127.0.0.1:${server.address().port}`;
  fake.stop = () => {
    for (const session of sessions) session.destroy();
    server.close();
  };
  t.after(fake.stop);
  return fake;
}

function answerAction(stream, actions) {
  const chunks = [];
  stream.on('error', () => {});
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('end', () => {
    const request = {};
    decode(Buffer.concat(chunks).subarray(5), (field, value) => { request[field] = value.toString(); });
    const trailers = { 'grpc-status': '0' };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    try {
      const answer = actions[request[1]]?.(JSON.parse(request[2])) ?? DEFAULTS[request[1]];
      stream.end(grpcFrame(encode([[1, json(answer)]])));
    } catch (error) {
      Object.assign(trailers, { 'grpc-status': String(error.status), 'grpc-message': encodeURIComponent(error.message),
        'arka-retryable': String(error.retryable ?? false) });
      stream.end();
    }
  });
}

/** With BigInt as the numbers that they are. */
function json(answer) {
  return JSON.stringify(answer, (key, value) => (typeof value === 'bigint' ? `#${value}` : value)).replace(/"#(\d+)"/g, '$1');
}

const DEFAULTS = {
  last_seq: { last_seq: 0, lsn: null },
  claim_producer: { epoch: 1, last_seq: 0, lsn: null },
  durability_status: { levels: [] },
  flush: {},
};
