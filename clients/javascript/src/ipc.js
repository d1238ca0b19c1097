// Arrow's IPC messages as Flight carries them: header and body apart, one pair to a FlightData.
//
// Dictionaries. Arrow's JavaScript library numbers every dictionary type that it makes, so two
// batches made alike have different ids; here a dictionary's id is its place in the schema. A
// dictionary is sent before the first batch that uses it, once for a connection: as a delta where it
// only grew, as a replacement where it is another.

import {
  DataType, Dictionary, Field, Message, RecordBatch, RecordBatchReader, RecordBatchStreamWriter,
  Schema, Table, Vector, makeData, util,
} from 'apache-arrow';
import { ArkaError, invalid } from './errors.js';
import { flightData, flightDataFrame } from './protobuf.js';

/** The library's writer, with its messages taken before it makes a stream of bytes of them. */
class MessageWriter extends RecordBatchStreamWriter {
  #message;

  schema(schema) {
    this._writeSchema(schema);
    return this.#message;
  }

  batch(batch) {
    this._writeRecordBatch(batch);
    return this.#message;
  }

  dictionary(data, id, isDelta) {
    this._writeDictionaryBatch(data, id, isDelta);
    return this.#message;
  }

  _writeMessage(message) {
    this.#message = { header: Message.encode(message), body: [], bodyLength: message.bodyLength };
    return this;
  }

  _writeBodyBuffers(buffers) {
    this.#message.body = buffers;
    return this;
  }

  _writeDictionaries() { return this; }
}

/** The same type with dictionaries numbered by `next`, in the order of the schema. */
function renumbered(type, next) {
  if (DataType.isDictionary(type)) {
    if (hasDictionary(type.dictionary)) throw invalid('a dictionary within a dictionary');
    return new Dictionary(type.dictionary, type.indices, next(), type.isOrdered);
  }
  if (!type.children?.length || !hasDictionary(type)) return type;
  const copy = Object.create(Object.getPrototypeOf(type), Object.getOwnPropertyDescriptors(type));
  Object.defineProperty(copy, 'children', {
    value: type.children.map((field) => field.clone({ type: renumbered(field.type, next) })),
    enumerable: true,
  });
  return copy;
}

function hasDictionary(type) {
  return DataType.isDictionary(type) || (type.children ?? []).some((field) => hasDictionary(field.type));
}

function canonical(schema) {
  let id = 0;
  return new Schema(
    schema.fields.map((field) => new Field(field.name, renumbered(field.type, () => id++),
      field.nullable, field.metadata)), schema.metadata);
}

/** Whether data of one type can go as the other: the same but for ids of dictionaries, nullability. */
function sameType(a, b) {
  if (a === b) return true;
  if (DataType.isDictionary(a)) {
    return DataType.isDictionary(b) && sameType(a.indices, b.indices) && sameType(a.dictionary, b.dictionary);
  }
  if (DataType.isDictionary(b)) return false;
  if (a.typeId !== b.typeId) return false;
  const children = a.children ?? [];
  if (children.length === 0) return util.compareTypes(a, b);
  const others = b.children ?? [];
  return a.constructor === b.constructor && children.length === others.length &&
    a.listSize === b.listSize && a.mode === b.mode && a.keysSorted === b.keysSorted &&
    children.every((field, i) => field.name === others[i].name && sameType(field.type, others[i].type));
}

/** The dictionaries of columns of these types, in the order of their ids. */
function collect(fields, columns, found = []) {
  fields.forEach(({ type }, i) => {
    if (DataType.isDictionary(type)) found.push(columns[i].dictionary ?? new Vector([makeData({ type: type.dictionary })]));
    else if (type.children?.length) collect(type.children, columns[i].children, found);
  });
  return found;
}

/** Turns batches of one schema into frames of gRPC. */
export class BatchEncoder {
  #writer = new MessageWriter();
  #fits = new WeakSet(); // schemas that were compared already
  #hasDictionaries;
  #chunks = new WeakMap(); // a dictionary's data -> its frames, first and delta

  constructor(schema) {
    this.schema = canonical(schema);
    this.#hasDictionaries = this.schema.fields.some((field) => hasDictionary(field.type));
  }

  /** The stream's first message. */
  schemaFrame(descriptor) {
    const { header } = this.#writer.schema(this.schema);
    return flightDataFrame({ descriptor, header }).frame;
  }

  /**
   * {frame, seqAt, dictionaries}: the batch's frame, where its seq is to be stamped, and for each
   * dictionary its frames, the first as a whole and the others as deltas. INVALID_ARGUMENT where the
   * batch does not fit the schema.
   */
  encode(input) {
    const batch = this.#batchOf(input);
    let message;
    try {
      message = this.#writer.batch(batch);
    } catch (error) {
      throw new ArkaError('INVALID_ARGUMENT', `a batch that cannot be encoded: ${error.message}`, { cause: error });
    }
    return {
      ...flightDataFrame({ ...message, withSeq: true }),
      dictionaries: this.#hasDictionaries ? this.#dictionaries(batch) : NONE,
    };
  }

  #batchOf(input) {
    const batch = input instanceof Table ? onlyBatch(input) : input;
    if (!(batch instanceof RecordBatch)) throw invalid('a write is a RecordBatch, or a Table of one batch');
    if (!this.#fits.has(batch.schema)) {
      this.#compare(batch.schema);
      this.#fits.add(batch.schema);
    }
    this.schema.fields.forEach((field, i) => {
      if (!field.nullable && batch.data.children[i].nullCount > 0) {
        throw invalid(`column '${field.name}' has nulls, and the stream's schema has none there`);
      }
    });
    return batch;
  }

  #compare({ fields }) {
    const expected = this.schema.fields;
    if (fields.length !== expected.length) {
      throw invalid(`a batch of ${fields.length} columns on a stream of ${expected.length}`);
    }
    expected.forEach((field, i) => {
      if (fields[i].name !== field.name) {
        throw invalid(`column ${i + 1} is '${fields[i].name}', and '${field.name}' in the stream's schema`);
      }
      if (!sameType(fields[i].type, field.type)) {
        throw invalid(`column '${field.name}' is ${fields[i].type}, and ${field.type} in the stream's schema`);
      }
    });
  }

  #dictionaries(batch) {
    return collect(this.schema.fields, batch.data.children).map((dictionary, id) =>
      dictionary.data.map((chunk, i) => this.#chunkFrame(chunk, id, i > 0)));
  }

  #chunkFrame(chunk, id, isDelta) {
    const key = `${id}${isDelta}`;
    let frames = this.#chunks.get(chunk);
    if (!frames) this.#chunks.set(chunk, frames = new Map());
    let frame = frames.get(key);
    if (!frame) frames.set(key, frame = flightDataFrame(this.#writer.dictionary(chunk, id, isDelta)).frame);
    return frame;
  }
}

const NONE = Object.freeze([]);

function onlyBatch(table) {
  if (table.batches.length === 1) return table.batches[0];
  throw invalid(`a table of ${table.batches.length} batches; write each of its .batches`);
}

/** The dictionary frames that have to go before a batch, given those that went on this connection. */
export function missingDictionaries(sent, dictionaries) {
  const missing = [];
  dictionaries.forEach((frames, id) => {
    const before = sent.get(id);
    if (before === frames) return;
    const grew = before !== undefined && before.length <= frames.length &&
      before.every((frame, i) => frame === frames[i]);
    missing.push(...(grew ? frames.slice(before.length) : frames));
    sent.set(id, frames);
  });
  return missing;
}

/** One FlightData as an encapsulated message of an IPC stream; empty where it has no header. */
function encapsulated(message) {
  const { header, body } = flightData(message);
  if (!header) return new Uint8Array(0);
  const padded = (header.length + 7) & ~7;
  const bytes = new Uint8Array(8 + padded + body.length); // so that the body is aligned
  const view = new DataView(bytes.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, padded, true);
  bytes.set(header, 8);
  bytes.set(body, 8 + padded);
  return bytes;
}

/** The record batches of a DoGet's answer. */
export async function* readBatches(messages) {
  async function* stream() {
    for await (const message of messages) {
      const bytes = encapsulated(message);
      if (bytes.length > 0) yield bytes;
    }
  }
  const reader = await RecordBatchReader.from(stream());
  await reader.open();
  for await (const batch of reader) yield batch;
}

/** The schema in the bytes of a SchemaResult or a FlightInfo. */
export function readSchema(bytes) {
  return RecordBatchReader.from(new Uint8Array(bytes)).open().schema;
}

/** The batch that frames of gRPC carry: schema, dictionaries, batch. */
export function decodeBatch(frames) {
  const reader = RecordBatchReader.from(frames.map((frame) => encapsulated(frame.subarray(5))));
  return [...reader.open()][0];
}
