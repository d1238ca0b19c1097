// A DoExchange as a plain program on @grpc/grpc-js does it, with what the example has (its ./setup installed that).

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Message, Table, tableToIPC } from 'apache-arrow';

const EXAMPLE = new URL('../../../examples/javascript/', import.meta.url);
const require = createRequire(EXAMPLE);

/** Of the acks, those of one level are asked for: one row a write. */
export function exchange(url, table, level) {
  const grpc = require('@grpc/grpc-js');
  const { FlightService } = grpc.loadPackageDefinition(require('@grpc/proto-loader').loadSync(
    fileURLToPath(new URL('flight.proto', EXAMPLE)), { defaults: true })).arrow.flight.protocol;
  const client = new FlightService(url.replace('grpc://', ''), grpc.credentials.createInsecure());
  const headers = new grpc.Metadata();
  headers.set('arka-acks', level);
  headers.set('arka-ack-until', level);
  return new Exchange(client, client.doExchange(headers), ['streaming_write', ...table.split('.')]);
}

class Exchange {
  unanswered = 0;
  #client;
  #stream;
  #path;
  #ended;
  #waiting;

  constructor(client, stream, path) {
    this.#client = client;
    this.#stream = stream;
    this.#path = path;
    this.#ended = new Promise((resolve, reject) => {
      stream.on('data', ({ dataHeader }) => this.#onAnswer(dataHeader)).on('end', resolve).on('error', reject);
    });
    const stop = (error) => this.#waiting?.reject(error ?? new Error('the server ended the stream'));
    this.#ended.then(stop, stop);
  }

  #onAnswer(dataHeader) {
    const message = Message.decode(dataHeader);
    if (!message.isRecordBatch()) return; // the schema
    this.unanswered -= Number(message.header().length);
    this.#waiting?.resolve();
  }

  /** The next time that something is answered. Fails where the stream ends first. */
  answered() {
    return new Promise((resolve, reject) => { this.#waiting = { resolve, reject }; });
  }

  write(batch) {
    const [schema, data] = split(tableToIPC(new Table([batch]), 'stream'));
    if (this.#path) {
      this.#stream.write({ ...schema, flightDescriptor: { type: 'PATH', path: this.#path } });
      this.#path = undefined;
    }
    this.unanswered += 1;
    this.#stream.write(data);
  }

  async end() {
    this.#stream.end();
    await this.#ended;
    this.#client.close();
    if (this.unanswered !== 0) throw new Error(`${this.unanswered} writes have no answer`);
  }
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
