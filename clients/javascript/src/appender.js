// Rows in, batches out: gathers objects into the columns of a schema, and writes them when they are
// enough, or old enough.

import { RecordBatch, Struct, makeData } from 'apache-arrow';
import { columnFor, plainSchema } from './columns.js';
import { Tier } from './acks.js';
import { ArkaError, RowError } from './errors.js';
import { within } from './trackers.js';

const DONE = Promise.resolve();

export class Appender {
  #schema;
  #columns;
  #names;
  #limits;
  #rows = 0;
  #bytes = 0;
  #batches = []; // of rows that came before, in their order
  #handing = DONE; // resolves when the one before has been tried
  #tries = 0; // that have not ended
  #stuck = false; // the budget had no room for the first of #batches
  #linger = null;
  #failure = null;
  #closed = null;

  /** The stream that the batches go to. */
  stream = null;

  constructor({ schema, maxRows = 10_000, maxBytes = 1 << 20, lingerMs = 50 }) {
    this.#schema = plainSchema(schema);
    this.#limits = { maxRows, maxBytes, lingerMs };
    this.#names = new Set(this.#schema.fields.map(({ name }) => name));
    this.#begin();
  }

  async open(openStream) {
    this.stream = await openStream(this.#schema);
  }

  /** Rows that are gathered and not handed to the stream yet. */
  get pendingRows() { return this.#batches.reduce((rows, { numRows }) => rows + numRows, this.#rows); }

  /**
   * Adds a row: an object with a value for every column. What is missing is null. Throws a RowError,
   * and adds nothing, where a value does not fit or there is no such column. Await what it returns:
   * it resolves when there is room. Where there is none before the deadline it rejects with
   * DEADLINE_EXCEEDED: the row was not added, and those before it still wait to be written.
   */
  append(row) {
    this.#check();
    const values = this.#convert(row);
    if (!this.#stuck) return this.#add(values);
    return this.#handOver().then(() => {
      this.#check();
      return this.#add(values);
    });
  }

  /** Writes what is gathered, and resolves once every row so far has reached `tier`. */
  async flush(tier = Tier.LOCAL_DISK, { timeoutMs, ...options } = {}) {
    const left = countDown(timeoutMs);
    this.#cut();
    await within(this.#handOver(), left(), 'room for the rows');
    await this.stream.flush(tier, { ...options, timeoutMs: left() });
  }

  /** Writes what is gathered and closes the stream, as its close() does. */
  close(options) {
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }

  async #close({ timeoutMs, ...options } = {}) {
    const left = countDown(timeoutMs);
    this.#cut();
    const [handedOver] = await Promise.allSettled([within(this.#handOver(), left(), 'room for the rows')]);
    clearTimeout(this.#linger);
    await this.stream.close({ ...options, timeoutMs: left() });
    if (handedOver.status === 'rejected') throw handedOver.reason;
  }

  #check() {
    if (this.#failure ?? this.stream.failure) throw this.#failure ?? this.stream.failure;
    if (this.#closed) throw new ArkaError('FAILED_PRECONDITION', 'the appender is closed');
  }

  #begin() {
    this.#columns = this.#schema.fields.map((field) => columnFor(field));
    this.#rows = 0;
    this.#bytes = 0;
  }

  #convert(row) {
    let found = 0;
    const values = new Array(this.#columns.length);
    for (let i = 0; i < this.#columns.length; ++i) {
      const { name } = this.#columns[i];
      const value = row[name];
      if (value !== undefined) found += 1;
      try {
        values[i] = this.#columns[i].convert(value);
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
        throw new RowError(name, error.message, row);
      }
    }
    const keys = Object.keys(row);
    if (keys.length > found) {
      const unknown = keys.find((key) => !this.#names.has(key));
      if (unknown !== undefined) throw new RowError(unknown, 'the table has no such column', row);
    }
    return values;
  }

  #add(values) {
    for (let i = 0; i < values.length; ++i) this.#bytes += this.#columns[i].append(values[i]);
    this.#rows += 1;
    if (this.#rows >= this.#limits.maxRows || this.#bytes >= this.#limits.maxBytes) return this.#write();
    this.#writeLater();
    return DONE;
  }

  /** Rows that find no room stay: the next call hands them over, or the next moment. */
  #write() {
    this.#cut();
    return this.#handOver().catch((error) => {
      if (!this.#stuck) throw error;
      this.#writeLater();
    });
  }

  #writeLater() {
    this.#linger ??= setTimeout(() => {
      this.#linger = null;
      if (this.#tries > 0) this.#writeLater(); // rows go on being gathered while others wait for room
      else this.#write().catch(() => {}); // the next call tells
    }, this.#limits.lingerMs);
  }

  /** What is gathered becomes a batch. */
  #cut() {
    clearTimeout(this.#linger);
    this.#linger = null;
    if (this.#rows === 0) return;
    const { fields } = this.#schema;
    this.#batches.push(new RecordBatch(this.#schema, makeData({
      type: new Struct(fields), length: this.#rows, nullCount: 0, children: this.#columns.map((column) => column.finish()),
    })));
    this.#begin();
  }

  /** Resolves once every batch of now is the stream's. */
  #handOver() {
    this.#tries += 1;
    const done = this.#handing.then(async () => {
      try {
        if (this.#failure) throw this.#failure;
        for (; this.#batches.length > 0; this.#batches.shift()) await this.stream.write(this.#batches[0]);
        this.#stuck = false;
      } catch (error) {
        this.#stuck = error.code === 'DEADLINE_EXCEEDED' && !this.stream.failure;
        if (!this.#stuck) this.#failure = error;
        throw error;
      } finally {
        this.#tries -= 1;
      }
    });
    this.#handing = done.catch(() => {});
    return done;
  }
}

/** How much of `timeoutMs` is left, where there is one. */
function countDown(timeoutMs) {
  const until = performance.now() + timeoutMs;
  return () => (timeoutMs === undefined ? undefined : Math.max(1, until - performance.now()));
}
