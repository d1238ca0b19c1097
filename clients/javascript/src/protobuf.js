// The messages of Arrow's Flight.proto that a client needs, written and read by hand: they are few,
// and a FlightData goes from Arrow's buffers into one frame of gRPC with a single copy.
//
// Source of the field numbers: Apache Arrow, format/Flight.proto.

const PATH = 1;
const CMD = 2;

// A FlightData's app_metadata with a seq. Blanks make it as long for every number, so that a frame
// can be stamped anew when it is sent again under another seq.
const SEQ_DIGITS = 19;
const SEQ_OPEN = '{"seq":';
const SEQ_METADATA = Buffer.from(`${SEQ_OPEN}${'1'.padStart(SEQ_DIGITS)}}`, 'latin1');

const varintLength = (n) => (n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x200000 ? 3 : n < 0x10000000 ? 4 : 5);

function writeVarint(buffer, at, n) {
  while (n > 0x7f) {
    buffer[at++] = (n & 0x7f) | 0x80;
    n >>>= 7;
  }
  buffer[at++] = n;
  return at;
}

/** A message of length-delimited and varint fields: [number, bytes | string | small number]. */
export function encode(fields) {
  const parts = [];
  for (const [number, value] of fields) {
    const head = Buffer.alloc(10);
    if (typeof value === 'number') {
      const end = writeVarint(head, writeVarint(head, 0, number << 3), value);
      parts.push(head.subarray(0, end));
    } else {
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      const end = writeVarint(head, writeVarint(head, 0, (number << 3) | 2), bytes.length);
      parts.push(head.subarray(0, end), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Calls visit(number, value) for every field: bytes for length-delimited ones, else a BigInt. */
export function decode(bytes, visit) {
  let at = 0;
  const varint = () => {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++];
      low += (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let value = BigInt(low);
    for (let shift = 28n; at < bytes.length; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return BigInt.asIntN(64, value);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    switch (tag & 7) {
      case 0: visit(tag >>> 3, BigInt(varint())); break;
      case 1: visit(tag >>> 3, bytes.readBigInt64LE(at)); at += 8; break;
      case 2: {
        const length = Number(varint());
        visit(tag >>> 3, bytes.subarray(at, at + length));
        at += length;
        break;
      }
      case 5: visit(tag >>> 3, BigInt(bytes.readInt32LE(at))); at += 4; break;
      default: throw new RangeError(`a protobuf field of the unknown wire type ${tag & 7}`);
    }
    if (at > bytes.length) throw new RangeError('a protobuf message that is cut off');
  }
}

export const pathDescriptor = (path) => encode([[1, PATH], ...path.map((part) => [3, part])]);
export const commandDescriptor = (command) => encode([[1, CMD], [2, command]]);
export const action = (type, body) => encode([[1, type], [2, body]]);
export const ticket = (bytes) => encode([[1, bytes]]);

/** The body of an action's Result. */
export function resultBody(message) {
  let body = Buffer.alloc(0);
  decode(message, (field, value) => { if (field === 1) body = value; });
  return body;
}

/** The bytes of a SchemaResult: an Arrow IPC stream with a schema. */
export const schemaResult = resultBody;

/** What is used of a FlightInfo. */
export function flightInfo(message) {
  const info = { schema: Buffer.alloc(0), tickets: [], appMetadata: Buffer.alloc(0) };
  decode(message, (field, value) => {
    if (field === 1) info.schema = value;
    if (field === 7) info.appMetadata = value;
    if (field === 3) {
      decode(value, (inner, bytes) => { if (inner === 1) info.tickets.push(resultBody(bytes)); });
    }
  });
  return info;
}

/** {header, appMetadata, body} of a FlightData; views into `message`. */
export function flightData(message) {
  const data = { header: null, appMetadata: null, body: Buffer.alloc(0) };
  decode(message, (field, value) => {
    if (field === 2) data.header = value;
    else if (field === 3) data.appMetadata = value;
    else if (field === 1000) data.body = value;
  });
  return data;
}

/**
 * One FlightData as one frame of gRPC (a zero byte, four of length, the message). `body` is a list
 * of buffers, each padded to 8 bytes, `bodyLength` their length with the padding. With `withSeq` it
 * has room for a seq, `seqAt` in the answer: stampSeq() writes it.
 */
export function flightDataFrame({ descriptor, header, body = [], bodyLength = 0, withSeq = false }) {
  const field = (bytes, tagLength) => tagLength + varintLength(bytes) + bytes;
  const message = (descriptor ? field(descriptor.length, 1) : 0) + field(header.length, 1) +
    (withSeq ? field(SEQ_METADATA.length, 1) : 0) + field(bodyLength, 2);
  const frame = Buffer.allocUnsafe(5 + message);
  frame[0] = 0;
  let at = frame.writeUInt32BE(message, 1);
  const put = (tag, bytes) => {
    at = writeVarint(frame, writeVarint(frame, at, tag), bytes.length);
    frame.set(bytes, at);
    at += bytes.length;
  };
  if (descriptor) put(0x0a, descriptor);
  put(0x12, header);
  let seqAt = -1;
  if (withSeq) {
    put(0x1a, SEQ_METADATA);
    seqAt = at - SEQ_DIGITS - 1;
  }
  at = writeVarint(frame, writeVarint(frame, at, 8002), bodyLength);
  for (const buffer of body) {
    if (buffer.byteLength === 0) continue;
    frame.set(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength), at);
    const padded = (buffer.byteLength + 7) & ~7;
    frame.fill(0, at + buffer.byteLength, at + padded);
    at += padded;
  }
  return { frame, seqAt };
}

export function stampSeq(frame, seqAt, seq) {
  frame.write(String(seq).padStart(SEQ_DIGITS), seqAt, 'latin1');
}

/** Any message as one frame of gRPC. */
export function grpcFrame(message) {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
