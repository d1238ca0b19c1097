// A client: one connection, the budget of its streams, and everything that is not writing.

import { randomUUID } from 'node:crypto';
import { Table } from 'apache-arrow';
import { Tier, tierName, tierOf } from './acks.js';
import { Appender } from './appender.js';
import { Budget } from './budget.js';
import { Channel } from './channel.js';
import { ArkaError } from './errors.js';
import { readBatches, readSchema } from './ipc.js';
import {
  action as encodeAction, commandDescriptor, flightInfo, pathDescriptor, resultBody, schemaResult, ticket,
} from './protobuf.js';
import { WriteStream } from './stream.js';

/** Snapshot ids are above 2^53, and epochs of producers may be: as BigInt. */
export function parseJson(text) {
  return JSON.parse(text.replace(/("(?:snapshot_id|epoch)":\s*)(-?\d+)/g, '$1"$2"'),
    (key, value) => ((key === 'snapshot_id' || key === 'epoch') && typeof value === 'string' ? BigInt(value) : value));
}

/**
 * A client of the server at `url`: grpc://host:port, or grpc+tls:// with TLS. It connects when it is
 * first needed, and again when it has to.
 *
 * Options: `token`, or `username` and `password`; `tlsRoot`, and for mutual TLS `clientCert` and
 * `clientKey` (files, or PEM text); `budgetBytes` (64 MiB): what its streams may hold in memory until
 * it is on LOCAL_DISK; `deadlineMs` (60,000): for how long a stream may try to get through, before
 * it fails with DEADLINE_EXCEEDED; `timeoutMs` (30,000): of every other call; `session`: the name
 * under which the server remembers this client's writes.
 */
export function connect(url, options) {
  return new Client(url, options);
}

export class Client {
  #connect;
  #channel; // for calls; every stream has one of its own
  #budget;
  #options;
  #streams = new Set();
  #appenders = new Set();

  constructor(url, { budgetBytes = 64 << 20, deadlineMs = 60_000, timeoutMs = 30_000, session, ...options } = {}) {
    this.url = url;
    this.session = session ?? `javascript-${randomUUID()}`;
    this.#connect = () => new Channel(url, options);
    this.#channel = this.#connect();
    this.#budget = new Budget(budgetBytes);
    this.#options = { deadlineMs, timeoutMs };
  }

  /** Bytes that its streams hold until they are on LOCAL_DISK. */
  get heldBytes() { return this.#budget.held; }

  /**
   * Opens a stream of writes to `table` ('sales.orders'). Options: `schema`, else the first batch's;
   * `producer`, a stable name to go on after a restart of this program, else a random one (a stream that
   * had the name before fails with FAILED_PRECONDITION instead of writing any more); `session`;
   * `onAck` and `onWatermarks`, called for what the server tells; `deadlineMs`.
   */
  async open(table, options = {}) {
    const stream = new WriteStream(this, this.#connect(), this.#budget, table,
      { deadlineMs: this.#options.deadlineMs, ...options });
    this.#streams.add(stream);
    return stream.open();
  }

  /**
   * A row API: rows are gathered, and written as batches. Options: `schema`, else the table's;
   * `maxRows` (10,000), `maxBytes` (1 MiB) and `lingerMs` (50) end a batch; and those of open().
   */
  async appender(table, { schema, maxRows, maxBytes, lingerMs, ...options } = {}) {
    const appender = new Appender({ schema: schema ?? await this.tableSchema(table), maxRows, maxBytes, lingerMs });
    await appender.open((plain) => this.open(table, { ...options, schema: plain }));
    this.#appenders.add(appender);
    return appender;
  }

  /**
   * What became of the writes of a session above `lastKnownLsn`, and of older ones what the server
   * could not tell any more: [{lsn, tier, timestamp, snapshotId}], in order for each LSN. With
   * `until` the answer waits for that tier. NOT_FOUND where the server does not know the session
   * (any more): then durabilityOf() knows.
   */
  async getDurabilityStatus(lastKnownLsn, { session = this.session, until, timeoutMs } = {}) {
    const answers = await this.#ask('durability_status', {
      session,
      ...(lastKnownLsn !== undefined && { after_lsn: lastKnownLsn }),
      ...(until !== undefined && { until: tierName(until) }),
    }, timeoutMs);
    return answers.flatMap(({ events }) => events.map((event) => ({
      lsn: event.lsn,
      tier: tierOf(event.durability_level),
      timestamp: new Date(event.timestamp),
      snapshotId: event.snapshot_id,
    })));
  }

  /** How far LSNs have come: [{lsn, tier, lost}]; tier is null where the write was lost in a crash. */
  async durabilityOf(lsns, { timeoutMs } = {}) {
    const answers = await this.#ask('durability_status', { lsns: [...lsns] }, timeoutMs);
    return answers.flatMap(({ levels }) => levels.map((level) => ({
      lsn: level.lsn,
      tier: level.durability_level === null ? null : tierOf(level.durability_level),
      lost: level.lost,
    })));
  }

  /** Resolves once all that the server has in memory, of `table` or of all tables, is at `tier`. */
  async flush(tier = Tier.COMMITTED, { table, timeoutMs } = {}) {
    return this.action('flush', { level: tierName(tier), ...(table && { table }) }, { timeoutMs });
  }

  /** The server's status, with the names of docs/spec/wire.md. */
  async status({ timeoutMs } = {}) {
    const info = await this.#again((left) => this.#info(pathDescriptor(['status']), left), timeoutMs);
    return parseJson(info.appMetadata.toString());
  }

  /** {lastLsn, diskLsn, s3Lsn, committedLsn}: every LSN at or below each has reached that tier. */
  async watermarks(options) {
    const status = await this.status(options);
    return {
      lastLsn: status.last_lsn, diskLsn: status.disk_lsn, s3Lsn: status.s3_lsn, committedLsn: status.committed_lsn,
    };
  }

  /** The rows that a SELECT answers, as an arrow.Table. It sees every write that was acknowledged. */
  async query(sql, options) {
    return this.#again(async (left) => {
      const info = await this.#info(commandDescriptor(sql), left);
      const batches = [];
      for await (const batch of this.#read(info, options)) batches.push(batch);
      return batches.length > 0 ? new Table(batches) : new Table(readSchema(info.schema), []);
    }, options?.timeoutMs);
  }

  /** The same batch by batch, for answers that are large. */
  async *queryBatches(sql, options) {
    const info = await this.#again((left) => this.#info(commandDescriptor(sql), left), options?.timeoutMs);
    yield* this.#read(info, options);
  }

  /** The arrow.Schema of a table; NOT_FOUND where there is none. */
  async tableSchema(table, { timeoutMs } = {}) {
    const [message] = await this.#again((left) =>
      this.#channel.collect('GetSchema', pathDescriptor([table]), { timeoutMs: left }), timeoutMs);
    return readSchema(schemaResult(message));
  }

  /** One of the server's actions: sends `body`, resolves with its first answer. */
  async action(type, body = {}, { timeoutMs } = {}) {
    const [answer] = await this.#actions(type, body, timeoutMs);
    return answer;
  }

  /** Closes streams and appenders as their close() does, then the connection. Never hangs. */
  async close(options) {
    const closed = await Promise.allSettled([...this.#appenders].map((appender) => appender.close(options)));
    closed.push(...await Promise.allSettled([...this.#streams].map((stream) => stream.close(options))));
    this.#channel.close();
    const failed = closed.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }

  /** For streams that have ended. */
  forget(stream) {
    this.#streams.delete(stream);
    for (const appender of this.#appenders) if (appender.stream === stream) this.#appenders.delete(appender);
  }

  #ask(type, body, timeoutMs) {
    return this.#again((left) => this.#actions(type, body, left), timeoutMs);
  }

  /** Calls that only ask are made again while that may help and there is time. */
  async #again(call, timeoutMs = this.#options.timeoutMs) {
    const until = performance.now() + timeoutMs;
    for (let pause = 50; ; pause = Math.min(2 * pause, 2000)) {
      try {
        return await call(Math.max(1, Math.ceil(until - performance.now())));
      } catch (error) {
        const delay = pause * (0.5 + Math.random() / 2);
        if (!error.retryable || performance.now() + delay >= until) throw error;
        await new Promise((resolve) => { setTimeout(resolve, delay); });
      }
    }
  }

  async #actions(type, body, timeoutMs = this.#options.timeoutMs) {
    const messages = await this.#channel.collect('DoAction', encodeAction(type, JSON.stringify(body)), { timeoutMs });
    return messages.map((message) => parseJson(resultBody(message).toString()));
  }

  async #info(descriptor, timeoutMs = this.#options.timeoutMs) {
    const [message] = await this.#channel.collect('GetFlightInfo', descriptor, { timeoutMs });
    if (!message) throw new ArkaError('INTERNAL', 'GetFlightInfo was answered with nothing');
    return flightInfo(message);
  }

  async *#read(info, { timeoutMs } = {}) {
    for (const bytes of info.tickets) {
      yield* readBatches(this.#channel.receive('DoGet', ticket(bytes), { timeoutMs }));
    }
  }
}
