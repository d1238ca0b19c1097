// gRPC on node:http2: one HTTP/2 session to the server, made when it is needed and again when it was
// lost, and the calls on it.
//
// Not @grpc/grpc-js: it hands every message to the socket by itself, which for small writes costs more
// than all the rest. Here the writes of one turn of the event loop leave together.

import http2 from 'node:http2';
import { readFileSync } from 'node:fs';
import { ArkaError, CODES, invalid, timedOut } from './errors.js';
import { grpcFrame } from './protobuf.js';

const SERVICE = '/arrow.flight.protocol.FlightService/';
const STREAM_WINDOW = 4 << 20;
const SESSION_WINDOW = 16 << 20;
// Node counts what is queued to be sent, and stalls at 10 MB unless told otherwise. The budget bounds it.
const SESSION_MEMORY_MB = 4096;
// Reading stops when so much has not been consumed, and goes on below it.
const READ_AHEAD = 8 << 20;
const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;

// What another try cannot mend: the certificates, or one side that does not speak TLS.
const isHopeless = (cause) => /^ERR_(SSL|TLS)_|CERT|SIGNATURE/.test(cause?.code ?? '');

function lost(cause) {
  // Node wraps what broke the connection in an error about the stream.
  const root = cause?.cause ?? cause;
  return new ArkaError('UNAVAILABLE', `the connection was lost: ${root?.message ?? 'it was closed'}`,
    { retryable: !isHopeless(root), cause: root });
}

/** The error in response headers or trailers; null: OK. */
function statusError(headers) {
  const number = Number(headers['grpc-status']);
  if (number === 0) return null;
  const code = CODES[number] ?? 'UNKNOWN';
  let message = headers['grpc-message'] ?? '';
  try {
    message = decodeURIComponent(message);
  } catch {
    // Not percent-encoded after all: as it came.
  }
  const told = headers['arka-retryable'];
  const retryable = told === undefined ? code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED' : told === 'true';
  return new ArkaError(code, message, { retryable });
}

/**
 * One call. onMessage gets every message; onHeaders, if there is one, the response headers; onEnd is
 * called exactly once, with null or an ArkaError, after everything else.
 */
export class Call {
  #stream;
  #onMessage;
  #onEnd;
  #chunks = [];
  #size = 0;
  #wanted = 5;
  #status; // undefined: not known yet
  #failure = null;

  constructor(stream, { onMessage, onHeaders, onEnd }) {
    this.#stream = stream;
    this.#onMessage = onMessage;
    this.#onEnd = onEnd;
    stream.on('response', (headers) => {
      if (headers[':status'] !== 200) {
        this.#failure ??= new ArkaError('UNAVAILABLE', `HTTP status ${headers[':status']}: no Flight server`);
      }
      if (headers['grpc-status'] !== undefined) this.#status = statusError(headers);
      onHeaders?.(headers);
    });
    stream.on('trailers', (headers) => {
      if (headers['grpc-status'] !== undefined) this.#status = statusError(headers);
    });
    stream.on('data', (chunk) => this.#take(chunk));
    stream.on('error', (error) => { this.#failure ??= lost(error); });
    stream.on('end', () => {
      if (this.#status !== undefined) this.#finish();
      stream.close(NGHTTP2_NO_ERROR); // also where the server ended a stream that we still write to
    });
    stream.on('close', () => this.#finish());
  }

  /** A whole frame of gRPC. It is not copied: leave it as it is. */
  send(frame) {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.write(frame);
  }

  halfClose() {
    if (!this.#stream.destroyed) this.#stream.end();
  }

  /** Ends the call with `error`, unless it has ended. */
  cancel(error = new ArkaError('CANCELLED', 'cancelled')) {
    this.#failure ??= error;
    this.#stream.close(NGHTTP2_CANCEL);
    this.#finish();
  }

  pause() { this.#stream.pause(); }
  resume() { this.#stream.resume(); }

  #finish() {
    if (this.#onEnd === null) return;
    const onEnd = this.#onEnd;
    this.#onEnd = null;
    onEnd(this.#status !== undefined && !(this.#failure?.code === 'CANCELLED')
      ? this.#status : this.#failure ?? lost());
  }

  #take(chunk) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#size);
    let at = 0;
    for (;;) {
      this.#wanted = 5;
      if (bytes.length - at < 5) break;
      this.#wanted = 5 + bytes.readUInt32BE(at + 1);
      if (bytes.length - at < this.#wanted) break;
      const message = bytes.subarray(at + 5, at + this.#wanted);
      at += this.#wanted;
      try {
        this.#onMessage(message);
      } catch (error) {
        this.cancel(error instanceof ArkaError ? error
          : new ArkaError('INTERNAL', `an answer that cannot be read: ${error.message}`, { cause: error }));
        return;
      }
    }
    this.#chunks = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#size = bytes.length - at;
  }
}

const pem = (value) => (typeof value === 'string' && !value.includes('-----BEGIN') ? readFileSync(value) : value);

function parse(url) {
  const match = /^(grpc|grpc\+tcp|grpc\+tls):\/\/([^/]+)\/?$/.exec(url);
  if (!match) throw invalid(`'${url}' is no address of a server; one is grpc://host:port or grpc+tls://host:port`);
  return { secure: match[1] === 'grpc+tls', authority: match[2] };
}

export class Channel {
  #origin;
  #tls;
  #session = null;
  #calls = 0;
  #pings = null;
  #credentials; // the header that the caller's options make
  #bearer = null; // what a server answered to a password, good for the calls to come
  #times;
  #closed = false;

  constructor(url, { tlsRoot, clientCert, clientKey, username, password, token,
    connectTimeoutMs = 10_000, keepAliveMs = 10_000 } = {}) {
    const { secure, authority } = parse(url);
    if (!secure && (tlsRoot ?? clientCert ?? clientKey) !== undefined) {
      throw invalid('certificates are for grpc+tls://');
    }
    this.#origin = `${secure ? 'https' : 'http'}://${authority}`;
    this.#tls = { ca: pem(tlsRoot), cert: pem(clientCert), key: pem(clientKey) };
    this.#times = { connectTimeoutMs, keepAliveMs };
    if (token !== undefined) this.#credentials = `Bearer ${token}`;
    else if (username !== undefined) {
      this.#credentials = `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
    }
  }

  /** Begins a call. `timeoutMs` ends it with DEADLINE_EXCEEDED. */
  call(method, { headers, timeoutMs, onMessage, onHeaders, onEnd }) {
    if (this.#closed) throw new ArkaError('CANCELLED', 'the client is closed');
    const authorization = this.#bearer ?? this.#credentials;
    const stream = this.#connected().request({
      ':method': 'POST',
      ':path': SERVICE + method,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'arka-javascript',
      ...(authorization && { authorization }),
      ...(timeoutMs && { 'grpc-timeout': `${Math.ceil(timeoutMs)}m` }),
      ...headers,
    }, { endStream: false });
    let timer;
    if (timeoutMs) {
      timer = setTimeout(() => call.cancel(timedOut(`${method}: no answer within ${timeoutMs} ms`)), timeoutMs);
    }
    this.#began();
    const call = new Call(stream, {
      onMessage,
      onHeaders: (answer) => {
        if (authorization?.startsWith('Basic') && answer.authorization?.startsWith('Bearer ')) {
          this.#bearer = answer.authorization;
        }
        onHeaders?.(answer);
      },
      onEnd: (error) => {
        clearTimeout(timer);
        this.#ended();
        if (error?.code === 'UNAUTHENTICATED' && authorization === this.#bearer && this.#bearer) {
          this.#bearer = null; // expired; the password still stands
          error.retryable = true;
        }
        onEnd(error);
      },
    });
    return call;
  }

  /** A call with one message each way, or with an answer of many: all of them. */
  collect(method, request, { timeoutMs, headers } = {}) {
    return new Promise((resolve, reject) => {
      const messages = [];
      const call = this.call(method, {
        timeoutMs, headers,
        onMessage: (message) => messages.push(Buffer.from(message)),
        onEnd: (error) => (error ? reject(error) : resolve(messages)),
      });
      call.send(grpcFrame(request));
      call.halfClose();
    });
  }

  /** The answers of a call one by one; the server waits for a slow reader. */
  async *receive(method, request, { timeoutMs } = {}) {
    const queue = [];
    let bytes = 0;
    let end; // [error] once the call is over
    let wake = () => {};
    const call = this.call(method, {
      timeoutMs,
      onMessage: (message) => {
        queue.push(Buffer.from(message));
        bytes += message.length;
        if (bytes > READ_AHEAD) call.pause();
        wake();
      },
      onEnd: (error) => { end = [error]; wake(); },
    });
    call.send(grpcFrame(request));
    call.halfClose();
    try {
      for (;;) {
        while (queue.length > 0) {
          const message = queue.shift();
          bytes -= message.length;
          if (bytes <= READ_AHEAD) call.resume();
          yield message;
        }
        if (end) {
          if (end[0]) throw end[0];
          return;
        }
        await new Promise((resolve) => { wake = resolve; });
      }
    } finally {
      if (!end) call.cancel();
    }
  }

  close() {
    this.#closed = true;
    this.#session?.destroy();
    this.#session = null;
  }

  #connected() {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = http2.connect(this.#origin, {
      ...this.#tls,
      settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    this.#session = session;
    const tooSlow = setTimeout(
      () => session.destroy(new Error(`no connection within ${this.#times.connectTimeoutMs} ms`)),
      this.#times.connectTimeoutMs);
    const forget = () => {
      clearTimeout(tooSlow);
      clearTimeout(session.unanswered);
      if (this.#session === session) this.#session = null;
    };
    session.on('connect', () => session.setLocalWindowSize(SESSION_WINDOW));
    session.once('remoteSettings', () => clearTimeout(tooSlow));
    session.on('error', forget); // its streams hear of it by themselves
    session.on('goaway', forget);
    session.on('close', forget);
    return session;
  }

  // A connection that went silent is only noticed by asking: while calls are open, every keepAliveMs.
  #began() {
    this.#calls += 1;
    this.#pings ??= setInterval(() => this.#ping(), this.#times.keepAliveMs);
  }

  #ended() {
    this.#calls -= 1;
    if (this.#calls > 0) return;
    clearInterval(this.#pings);
    this.#pings = null;
  }

  #ping() {
    const session = this.#session;
    if (!session || session.connecting || session.destroyed || session.unanswered) return;
    session.unanswered = setTimeout(
      () => session.destroy(new Error('the server does not answer')), 2 * this.#times.keepAliveMs);
    session.ping((error) => {
      clearTimeout(session.unanswered);
      if (!error) session.unanswered = undefined;
    });
  }
}
