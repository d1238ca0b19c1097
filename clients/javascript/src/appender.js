// Rows in, batches out: gathers objects into the columns of a schema, and writes them when they are
// enough, or old enough.

import { RecordBatch, Struct, makeData } from 'apache-arrow';
import { columnFor, plainSchema } from './columns.js';
import { Tier } from './acks.js';
import { ArkaError, RowError } from './errors.js';

const DONE = Promise.resolve();

export class Appender {
  #schema;
  #columns;
  #names;
  #limits;
  #rows = 0;
  #bytes = 0;
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
  get pendingRows() { return this.#rows; }

  /**
   * Adds a row: an object with a value for every column. What is missing is null. Throws a RowError,
   * and adds nothing, where a value does not fit or there is no such column. Await what it returns:
   * it resolves when there is room.
   */
  append(row) {
    if (this.#failure ?? this.stream.failure) throw this.#failure ?? this.stream.failure;
    if (this.#closed) throw new ArkaError('FAILED_PRECONDITION', 'the appender is closed');
    const values = this.#convert(row);
    for (let i = 0; i < values.length; ++i) this.#bytes += this.#columns[i].append(values[i]);
    this.#rows += 1;
    if (this.#rows >= this.#limits.maxRows || this.#bytes >= this.#limits.maxBytes) return this.#cut();
    this.#linger ??= setTimeout(() => { this.#cut().catch(() => {}); }, this.#limits.lingerMs);
    return DONE;
  }

  /** Writes what is gathered, and resolves once every row so far has reached `tier`. */
  async flush(tier = Tier.LOCAL_DISK, options) {
    await this.#cut();
    await this.stream.flush(tier, options);
  }

  /** Writes what is gathered and closes the stream, as its close() does. */
  close(options) {
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }

  async #close(options) {
    const handedOver = this.#cut();
    handedOver.catch(() => {}); // close() has the same error
    await this.stream.close(options);
    await handedOver;
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

  async #cut() {
    clearTimeout(this.#linger);
    this.#linger = null;
    if (this.#failure) throw this.#failure;
    if (this.#rows === 0) return;
    const { fields } = this.#schema;
    const batch = new RecordBatch(this.#schema, makeData({
      type: new Struct(fields), length: this.#rows, nullCount: 0, children: this.#columns.map((column) => column.finish()),
    }));
    this.#begin();
    try {
      await this.stream.write(batch);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}
