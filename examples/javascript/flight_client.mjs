// The quick start of the guide with plain libraries: write three rows, watch how durable they are.
//
// usage: node flight_client.mjs [grpc://HOST:PORT] [LEVEL]
//
// There is no Flight library for JavaScript, so this speaks gRPC and splits Arrow's IPC stream into
// Flight's messages itself. clients/javascript does that and the rest: sending again, back-pressure.
// The rows go to the table arka.my_table. LEVEL is how long to stay: MEMORY, LOCAL_DISK,
// OBJECT_STORAGE (the default) or COMMITTED, when the rows are in the Iceberg table.

import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import {
  Message, RecordBatchReader, TimestampMicrosecond, Utf8, tableFromArrays, tableToIPC, vectorFromArray,
} from 'apache-arrow';

const [location = 'grpc://localhost:8815', level = 'OBJECT_STORAGE'] = process.argv.slice(2);

// 1. Connect to Arka.
const proto = fileURLToPath(new URL('flight.proto', import.meta.url));
const { FlightService } = grpc.loadPackageDefinition(protoLoader.loadSync(proto, { defaults: true })).arrow.flight.protocol;
const client = new FlightService(location.replace('grpc://', ''), grpc.credentials.createInsecure());

// 2. Open a streaming write. The header says after which level the stream may end.
const headers = new grpc.Metadata();
headers.set('arka-ack-until', level);
const stream = client.doExchange(headers);

// 3. Write: the schema first, with the descriptor; every batch after it is one write with one LSN.
const table = tableFromArrays({
  id: BigInt64Array.of(1n, 2n, 3n),
  name: vectorFromArray(['Alice', 'Bob', 'Charlie'], new Utf8()),
  timestamp: vectorFromArray(Array(3).fill(new Date('2024-10-04T12:00:00Z')), new TimestampMicrosecond('UTC')),
});
let descriptor = { type: 'PATH', path: ['streaming_write'] };
for (const message of split(tableToIPC(table, 'stream'))) {
  stream.write({ ...message, flightDescriptor: descriptor });
  descriptor = undefined;
}

// 4. Say that this was all. Acks go on coming; the stream ends when they have all been sent.
stream.end();

// 5. Read the acks. Each batch holds as many as were due at that moment.
for await (const batch of await RecordBatchReader.from(join(stream))) {
  for (const ack of batch) {
    console.log(`LSN ${ack.lsn} reached ${ack.durability_level} at ${new Date(ack.timestamp).toISOString()}`);
  }
}
client.close();

/** The messages of an IPC stream: 0xFFFFFFFF, the header's length, header, body; a length of 0 ends it. */
function* split(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, length; (length = view.getInt32(at + 4, true)) > 0;) {
    const dataHeader = bytes.subarray(at + 8, at + 8 + length);
    const body = at + 8 + length;
    at = body + Message.decode(dataHeader).bodyLength;
    yield { dataHeader: Buffer.from(dataHeader), dataBody: Buffer.from(bytes.subarray(body, at)) };
  }
}

/** The reverse, for a reader of IPC streams. */
async function* join(messages) {
  for await (const { dataHeader, dataBody } of messages) {
    const padding = -dataHeader.length & 7;
    const start = Buffer.alloc(8);
    start.writeInt32LE(-1, 0);
    start.writeInt32LE(dataHeader.length + padding, 4);
    yield Buffer.concat([start, dataHeader, Buffer.alloc(padding), dataBody]);
  }
}
