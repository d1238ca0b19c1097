// One column of rows: which JavaScript values fit an Arrow type, and the Arrow data that they make.
//
// Timestamps, dates, times and durations are built as the integers that they are: Arrow's builders
// take them through floating point, which is not exact.

import {
  DataType, DateUnit, Field, FixedSizeList, Int32, Int64, LargeList, List, Map_, Schema, Struct, TimeUnit,
  makeBuilder,
} from 'apache-arrow';
import { invalid } from './errors.js';

/** The same schema with dictionary-encoded columns as what they encode: they are stored so anyway. */
export function plainSchema(schema) {
  return new Schema(schema.fields.map((field) =>
    new Field(field.name, plain(field.type), field.nullable, field.metadata)), schema.metadata);
}

const withChildren = (type, change) => {
  const children = type.children.map((field) => new Field(field.name, change(field.type), field.nullable));
  if (DataType.isFixedSizeList(type)) return new FixedSizeList(type.listSize, children[0]);
  if (DataType.isLargeList(type)) return new LargeList(children[0]);
  if (DataType.isList(type)) return new List(children[0]);
  if (DataType.isMap(type)) return new Map_(children[0], type.keysSorted);
  return new Struct(children);
};

const isNested = (type) => DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)
  || DataType.isMap(type) || DataType.isStruct(type);

function plain(type) {
  if (DataType.isDictionary(type)) return plain(type.dictionary);
  return isNested(type) ? withChildren(type, plain) : type;
}

/** The type of the integers that a value of time is. */
function physical(type) {
  if (isNested(type)) return withChildren(type, physical);
  if (DataType.isTimestamp(type) || DataType.isDuration(type)) return new Int64();
  if (DataType.isTime(type)) return type.bitWidth === 64 ? new Int64() : new Int32();
  if (DataType.isDate(type)) return type.unit === DateUnit.MILLISECOND ? new Int64() : new Int32();
  return type;
}

/** `data` of the physical type, as what it means. */
function meant(data, type) {
  if (!isNested(type)) return data.clone(type);
  const children = type.children.map((field, i) => meant(data.children[i], field.type));
  return data.clone(type, data.offset, data.length, data.nullCount, undefined, children);
}

export class Column {
  #builder;
  #convert;
  #type;
  #nullable;

  constructor({ name, type, nullable }) {
    this.name = name;
    this.#type = type;
    this.#nullable = nullable;
    this.#convert = converter(type);
    this.#builder = makeBuilder({ type: physical(type), nullValues: [null, undefined] });
  }

  /** What append() takes; TypeError or RangeError where the value does not fit. */
  convert(value) {
    if (value === null || value === undefined) {
      if (!this.#nullable) throw new TypeError('it is null, and the column has no nulls');
      return null;
    }
    return this.#convert(value);
  }

  /** Answers about how many bytes it took. */
  append(value) {
    this.#builder.append(value);
    return sizeOf(value);
  }

  finish() {
    return meant(this.#builder.flush(), this.#type);
  }
}

export const columnFor = (field) => new Column(field);

function sizeOf(value) {
  if (typeof value === 'string' || value instanceof Uint8Array) return 4 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 8;
  for (const inner of value instanceof Map ? value.entries() : Object.values(value)) bytes += sizeOf(inner);
  return bytes;
}

const shown = (value) => {
  const text = typeof value === 'bigint' ? `${value}n` : typeof value === 'string' ? `'${value}'` : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

function fits(condition, value, expected) {
  if (!condition) throw new TypeError(`${shown(value)} is not ${expected}`);
  return value;
}

function integer(bits, signed) {
  const low = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const high = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  const name = `an integer of ${bits} bits from ${low} to ${high}`;
  if (bits < 64) {
    const [from, to] = [Number(low), Number(high)];
    return (value) => fits(Number.isInteger(value) && value >= from && value <= to, value, name);
  }
  return (value) => {
    if (typeof value === 'number') return BigInt(fits(Number.isSafeInteger(value) && (signed || value >= 0), value, name));
    return fits(typeof value === 'bigint' && value >= low && value <= high, value, name);
  };
}

// From the milliseconds of a Date.
const FROM_MS = {
  [TimeUnit.SECOND]: (ms) => BigInt(Math.floor(ms / 1000)),
  [TimeUnit.MILLISECOND]: (ms) => BigInt(ms),
  [TimeUnit.MICROSECOND]: (ms) => BigInt(ms) * 1000n,
  [TimeUnit.NANOSECOND]: (ms) => BigInt(ms) * 1_000_000n,
};

const isDate = (value) => value instanceof Date && !Number.isNaN(value.getTime());

function timestamp(unit) {
  const raw = integer(64, true);
  return (value) => (isDate(value) ? FROM_MS[unit](value.getTime())
    : raw(fits(typeof value === 'bigint', value, "a Date, or a BigInt in the column's unit")));
}

function decimal({ precision, scale, bitWidth }) {
  const limit = 10n ** BigInt(precision);
  const name = `a decimal of ${precision} digits, ${scale} of them after the point, as text, BigInt or integer`;
  return (value) => {
    const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(typeof value === 'string' ? value
      : fits(typeof value === 'bigint' || Number.isSafeInteger(value), value, name).toString());
    fits(match && (match[3] ?? '').length <= scale, value, name);
    const digits = BigInt(match[2] + (match[3] ?? '').padEnd(scale, '0'));
    fits(digits < limit, value, name);
    let left = BigInt.asUintN(bitWidth, match[1] ? -digits : digits);
    const words = new Uint32Array(bitWidth / 32);
    for (let i = 0; i < words.length; ++i, left >>= 32n) words[i] = Number(left & 0xffff_ffffn);
    return words;
  };
}

function list(type) {
  const element = nested(type.children[0]);
  return (value) => {
    fits(Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView)), value, 'an array');
    if (type.listSize !== undefined) fits(value.length === type.listSize, value, `an array of ${type.listSize}`);
    return Array.from(value, element);
  };
}

function struct(type) {
  const fields = type.children.map((field) => [field.name, nested(field)]);
  return (value) => {
    fits(typeof value === 'object' && !Array.isArray(value), value, 'an object');
    const unknown = Object.keys(value).find((key) => !fields.some(([name]) => name === key));
    fits(unknown === undefined, value, `a struct without '${unknown}'`);
    return Object.fromEntries(fields.map(([name, convert]) => [name, convert(value[name])]));
  };
}

function map(type) {
  const [key, item] = type.children[0].type.children.map(nested);
  return (value) => {
    fits(typeof value === 'object' && !Array.isArray(value), value, 'a Map or an object');
    const entries = value instanceof Map ? value.entries() : Object.entries(value);
    return new Map(Array.from(entries, ([name, inner]) => [key(name), item(inner)]));
  };
}

function nested(field) {
  const convert = converter(field.type);
  return (value) => {
    if (value !== null && value !== undefined) return convert(value);
    if (!field.nullable) throw new TypeError(`'${field.name}' within is null, and has no nulls`);
    return null;
  };
}

/** A function that makes of a value what a builder of the physical type takes. */
function converter(type) {
  if (DataType.isNull(type)) return (value) => fits(false, value, 'null');
  if (DataType.isBool(type)) return (value) => fits(typeof value === 'boolean', value, 'true or false');
  if (DataType.isInt(type)) return integer(type.bitWidth, type.isSigned);
  if (DataType.isFloat(type)) return (value) => fits(typeof value === 'number', value, 'a number');
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)) {
    return (value) => fits(typeof value === 'string', value, 'text');
  }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isBinaryView(type)) {
    return (value) => fits(value instanceof Uint8Array, value, 'a Uint8Array');
  }
  if (DataType.isFixedSizeBinary(type)) {
    return (value) => fits(value instanceof Uint8Array && value.length === type.byteWidth, value,
      `a Uint8Array of ${type.byteWidth} bytes`);
  }
  if (DataType.isTimestamp(type)) return timestamp(type.unit);
  if (DataType.isDate(type)) {
    const isDays = type.unit === DateUnit.DAY;
    return (value) => {
      const ms = fits(isDate(value), value, 'a Date').getTime();
      return isDays ? Math.floor(ms / 86_400_000) : BigInt(ms);
    };
  }
  if (DataType.isTime(type)) return integer(type.bitWidth, true);
  if (DataType.isDuration(type)) return integer(64, true);
  if (DataType.isDecimal(type)) return decimal(type);
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)) return list(type);
  if (DataType.isStruct(type)) return struct(type);
  if (DataType.isMap(type)) return map(type);
  throw invalid(`rows cannot have a column of type ${type}`);
}
