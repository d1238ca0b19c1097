// A stream of writes to one table: every batch once, whatever happens to the connection.
//
//   write() -> budget -> window -> Connection -> acks -> tiers
//
// Writes are numbered 1, 2, 3 … (`index`); the wire's seq is `base + index`. The window holds those
// that are not on LOCAL_DISK: they are what a crash of the server may take, and what is sent again
// on the next connection. Of those beyond it only runs of LSNs are kept, until they are COMMITTED.

import { randomUUID } from 'node:crypto';
import { Tier, tierName, tierOf } from './acks.js';
import { Connection } from './connection.js';
import { ArkaError, invalid } from './errors.js';
import { BatchEncoder, decodeBatch, missingDictionaries } from './ipc.js';
import { Patience } from './patience.js';
import { Progress, tell } from './progress.js';
import { pathDescriptor } from './protobuf.js';
import { DurabilityLag, within } from './trackers.js';
import { Turn } from './turn.js';
import { Window } from './window.js';
import { Write } from './write.js';

// What a write costs beside its frame.
const WRITE_OVERHEAD = 256;

/** Where a server says that a producer is. */
const positionOf = ({ last_seq: lastSeq, lsn, forgotten_through: forgottenThrough }) => ({ lastSeq, lsn, forgottenThrough });

export class WriteStream {
  #channel;
  #client;
  #budget;
  #options;
  #encoder = null;
  #descriptor;

  #base = 0;
  #epoch = null; // under which the producer is claimed, where it has a name
  #window = new Window();
  #last = 0;
  #progress;
  #lag = new DurabilityLag();
  #everSent = 0; // the last write that ever went out

  #connection = null;
  #patience;
  #pause = null; // the timer before the next attempt
  #idle = false; // the connection was lost, and nobody needs one
  #state = 'opening'; // open, closing, closed, failed
  #turn = new Turn();
  #accounted = new Map(); // dictionaries that the budget knows
  #settled;
  #settle;

  /** Made by Client.open(). */
  constructor(client, channel, budget, table, options) {
    this.#client = client;
    this.#channel = channel; // its own
    this.#budget = budget;
    this.#options = options;
    this.table = table;
    this.producer = options.producer ?? `javascript-${randomUUID()}`;
    this.session = options.session ?? client.session;
    this.#patience = new Patience(table, options.deadlineMs);
    this.watermarks = null;
    this.failure = null;
    this.#descriptor = pathDescriptor(['streaming_write', table]);
    this.#settled = new Promise((resolve) => { this.#settle = resolve; });
    this.#progress = new Progress({
      onAck: options.onAck,
      onReached: (tier, index) => this.#onReached(tier, index),
      seqOf: (index) => this.seqOf(index),
    });
    if (options.schema) this.#encoder = new BatchEncoder(options.schema);
  }

  /** Asks the server where the producer is, with the patience of the deadline; then it can write. */
  async open() {
    this.#patience.begin();
    for (;;) {
      try {
        await this.#begin();
        break;
      } catch (error) {
        const pause = this.#patience.after(error);
        if (pause instanceof ArkaError) throw this.#fail(pause);
        await new Promise((resolve) => { setTimeout(resolve, pause); });
      }
    }
    this.#patience.end();
    this.#state = 'open';
    if (this.#encoder) this.#connect();
    return this;
  }

  get schema() { return this.#encoder?.schema; }

  /** Bytes that this stream holds until they are on LOCAL_DISK; what it did not get through is pending(). */
  get heldBytes() {
    if (this.#state === 'failed' || this.#state === 'closed') return 0;
    return this.#window.bytes;
  }

  /** How many writes were handed over, and how many of them, from the first on, have reached a tier. */
  get written() { return this.#last; }

  /** The seq that the next write gets. On a producer that is known it says where to go on. */
  get nextSeq() { return this.#base + this.#last + 1; }

  reached(tier) { return this.#progress.reached[this.#tier(tier)]; }

  /** {writes, milliseconds}: how many writes are not at `tier` yet, and the age of the oldest. */
  lag(tier = Tier.OBJECT_STORAGE) { return this.#lag.of(this.#progress.reached[this.#tier(tier)]); }

  /** For Write. */
  seqOf(index) { return this.#base + index; }

  /**
   * Hands one batch over (a RecordBatch, or a Table of one) and resolves with its Write; that waits
   * while the budget is used up, at most `timeoutMs` (the deadline), then DEADLINE_EXCEEDED; with 0 it
   * does not wait, RESOURCE_EXHAUSTED. Await it: that is the back-pressure. Batches are written in the
   * order of the calls.
   */
  write(batch, { timeoutMs = this.#options.deadlineMs } = {}) {
    return new Promise((resolve, reject) => {
      const write = this.#encoded(batch);
      this.#budget.take(this, write.bytes, {
        timeoutMs,
        refuse: reject,
        enter: () => {
          this.#enqueue(write);
          this.#turn.take(write.bytes, () => resolve(write));
        },
      });
    });
  }

  /** The same without waiting: null where the budget has no room. */
  tryWrite(batch) {
    const write = this.#encoded(batch);
    if (!this.#budget.hasRoom(write.bytes)) return null;
    this.#budget.take(this, write.bytes, { enter: () => this.#enqueue(write) });
    return write;
  }

  /** Writes, waits for `tier`, and resolves with the LSN. */
  async writeDurable(batch, tier = Tier.LOCAL_DISK, options) {
    return (await this.write(batch)).reached(tier, options);
  }

  /**
   * Resolves with the LSN once a write has reached `tier`. `target` is a Write, or an LSN that one of
   * this stream's writes has. DEADLINE_EXCEEDED after `timeoutMs` (the deadline), which harms nothing;
   * the stream's error where it failed.
   */
  async waitForDurability(target, tier, { timeoutMs = this.#options.deadlineMs } = {}) {
    const wanted = this.#tier(tier);
    const index = target instanceof Write ? target.index : this.#progress.indexOf(target, this.#window);
    if (index > 0) await this.#waitFor(index, wanted, timeoutMs); // 0: committed, and forgotten since
    return target instanceof Write ? target.lsn : target;
  }

  /**
   * Resolves once every write so far has reached `tier`. Upload and commit are begun at once: it does
   * not wait for the server's intervals.
   */
  async flush(tier = Tier.LOCAL_DISK, { timeoutMs = this.#options.deadlineMs } = {}) {
    const wanted = this.#tier(tier);
    const index = this.#last;
    const until = performance.now() + timeoutMs;
    const left = () => Math.max(1, until - performance.now());
    if (index === 0) return;
    await this.#waitFor(index, Math.min(wanted, Tier.LOCAL_DISK), left());
    if (wanted <= Tier.LOCAL_DISK || this.#progress.reached[wanted] >= index) return;
    const done = this.#waitFor(index, wanted, left());
    this.#client.action('flush', { level: tierName(wanted), table: this.table }, { timeoutMs: left() })
      .catch(() => {}); // it only hurries; whether the level is reached the acks tell
    await done;
  }

  /**
   * Every write's way through the tiers, in order, each once: {seq, lsn, tier, timestampUs,
   * snapshotId}. After a crash of the server a write may be told of in MEMORY again, with another LSN.
   * Ends with the stream. A reader that falls 262,144 behind ends with RESOURCE_EXHAUSTED.
   */
  acks() {
    return this.#progress.acks();
  }

  /**
   * Waits until every write is at `level`, and ends the stream. Never longer than `timeoutMs`: then
   * DEADLINE_EXCEEDED, and what was not acknowledged may or may not have been written. The stream's
   * error where it failed.
   */
  async close({ level = Tier.LOCAL_DISK, timeoutMs = 30_000 } = {}) {
    const wanted = this.#tier(level);
    if (this.#state === 'closed') return;
    if (this.#state === 'failed') throw this.failure;
    this.#state = 'closing';
    const until = performance.now() + timeoutMs;
    try {
      while (this.#progress.reached[wanted] < this.#last) { // those that wait for the budget come as well
        await this.flush(wanted, { timeoutMs: Math.max(1, until - performance.now()) });
      }
    } catch (error) {
      if (this.#state === 'failed') throw this.failure;
      throw this.#fail(error);
    }
    // Everything is safe. The server's OK is a courtesy.
    this.#connection?.call.halfClose();
    if (!this.#connection) this.#end();
    await within(this.#settled, Math.max(1, until - performance.now()), 'close').catch(() => this.#end());
  }

  /** Ends the stream now. What was not acknowledged may or may not have been written: pending(). */
  abort() {
    if (this.#isLive()) this.#end();
  }

  /** The batches that are not on LOCAL_DISK, as far as is known; also of a stream that has ended. */
  pending() {
    const schema = this.#encoder?.schemaFrame();
    return Array.from(this.#window, (write) => decodeBatch([schema, ...write.dictionaries.flat(), write.frame]));
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }

  #tier(tier) {
    tierName(tier); // throws where it is none
    return tier;
  }

  #check() {
    if (this.failure) throw this.failure;
    if (this.#state !== 'open') throw new ArkaError('FAILED_PRECONDITION', `the stream is ${this.#state}`);
  }

  #encoded(batch) {
    this.#check();
    const first = this.#encoder === null;
    if (first) {
      if (!batch?.schema?.fields) throw invalid('a write is a RecordBatch, or a Table of one batch');
      this.#encoder = new BatchEncoder(batch.schema);
    }
    let encoded;
    try {
      encoded = this.#encoder.encode(batch);
    } catch (error) {
      if (first) this.#encoder = null;
      throw error;
    }
    if (first) this.#connect();
    let bytes = encoded.frame.length + WRITE_OVERHEAD;
    for (const frame of missingDictionaries(this.#accounted, encoded.dictionaries)) bytes += frame.length;
    return new Write(this, encoded, bytes);
  }

  #enqueue(write) {
    write.index = ++this.#last;
    this.#window.push(write);
    this.#lag.sent(write.index);
    this.#send(write);
    this.#wakeUp();
  }

  #send(write) {
    if (!this.#connection) return;
    this.#connection.send(write, this.#base + write.index);
    this.#everSent = Math.max(this.#everSent, write.index);
  }

  // --- Connections ---------------------------------------------------------------------------

  // A producer that has a name is claimed: what an earlier program of that name still has on the way is not
  // written any more. What it wrote may be in MEMORY only. The caller goes on behind it, so it has to be
  // safe first: a crash would leave a hole.
  async #begin() {
    let position;
    if (this.#options.producer == null || this.#epoch !== null) {
      position = await this.#position();
    } else { // once only: else two programs would take the name from each other for ever
      const claim = await this.#ask('claim_producer');
      this.#epoch = claim.epoch;
      position = positionOf(claim);
    }
    if (position.lastSeq > 0) {
      await this.#client.action('flush', { level: 'LOCAL_DISK', table: this.table }, { timeoutMs: this.#patience.attemptMs });
      position = await this.#position(); // a crash may have taken some before that
    }
    this.#base = position.lastSeq;
    this.#progress.safeLsn = position.lsn ?? 0;
  }

  #ask(action) {
    return this.#client.action(action, { producer: this.producer, table: this.table }, { timeoutMs: this.#patience.attemptMs });
  }

  async #position() {
    try {
      return positionOf(await this.#ask('last_seq'));
    } catch (error) {
      // No such table: the first write makes it, or is told why not.
      if (error.code === 'NOT_FOUND') return { lastSeq: 0, lsn: null };
      throw error;
    }
  }

  /** 1. Where is the server?  2. Drop what it has on disk.  3. Send the rest again, in order. */
  #reconnect() {
    this.#position()
      .then((position) => this.#reconcile(position))
      .then(() => { if (this.#isLive()) this.#connect(); })
      .catch((error) => this.#lost(error));
  }

  async #reconcile({ lastSeq, lsn, forgottenThrough }) {
    const safe = this.#progress.reached[Tier.LOCAL_DISK];
    const has = lastSeq - this.#base;
    if (has < safe) {
      const isForgotten = lastSeq === 0 && forgottenThrough !== undefined && forgottenThrough >= this.#progress.safeLsn;
      if (!isForgotten) {
        throw new ArkaError('DATA_LOSS', `the server has ${lastSeq} batches of producer '${this.producer}' in `
          + `${this.table}, and acknowledged ${this.#base + safe} on disk: another server, or the table was made anew`);
      }
      this.#base = -safe; // the server begins anew: so do the numbers of what is not safe
      return;
    }
    if (has > this.#everSent) {
      throw new ArkaError('FAILED_PRECONDITION', `the server has ${lastSeq} batches of producer '${this.producer}' in `
        + `${this.table}, of which ${this.#base + this.#everSent} are of this stream: another program uses the name`);
    }
    const known = Math.min(has, this.#progress.lsns.last);
    if (known <= safe) return;
    const answer = await this.#client.action('durability_status', { lsns: [this.#progress.lsns.lsnOf(known)] },
      { timeoutMs: this.#patience.attemptMs }).catch((error) => {
      if (error.code === 'NOT_FOUND') return { levels: [] };
      throw error;
    });
    const [level] = answer.levels;
    const isSame = known < has || lsn === this.#progress.lsns.lsnOf(known);
    if (!isSame || !level?.durability_level || level.lost) return;
    if (tierOf(level.durability_level) >= Tier.LOCAL_DISK) this.#progress.advance(Tier.LOCAL_DISK, known);
  }

  #connect() {
    const first = this.#progress.reached[Tier.LOCAL_DISK] + 1;
    this.#progress.lsns.truncate(first - 1);
    let connection;
    const mine = (act) => (...args) => { if (this.#connection === connection) act(...args); };
    try {
      connection = new Connection(this.#channel, {
        first,
        lsns: this.#progress.lsns,
        headers: {
          'arka-producer': this.producer,
          ...(this.#epoch !== null && { 'arka-producer-epoch': String(this.#epoch) }),
          'arka-session': this.session,
          'arka-ack-until': 'LOCAL_DISK',
          'arka-watermarks': 'true',
        },
        schemaFrame: this.#encoder.schemaFrame(this.#descriptor),
        onOpen: mine((headers) => {
          if (headers[':status'] === 200 && headers['grpc-status'] === undefined) this.#onOpen();
        }),
        onAck: mine((...ack) => this.#onAck(...ack)),
        onWatermarks: mine((watermarks) => this.#onWatermarks(watermarks)),
        onEnd: mine((error) => this.#onEnd(error)),
      });
    } catch (error) {
      this.#lost(error);
      return;
    }
    this.#connection = connection;
    for (const write of this.#window) this.#send(write);
    if (this.#state === 'closing' && this.#window.isEmpty) connection.call.halfClose();
  }

  #onOpen() {
    if (this.#window.isEmpty) this.#patience.end();
  }

  #onEnd(error) {
    this.#connection = null;
    if (this.#state === 'closing' && this.#window.isEmpty) this.#end();
    else this.#lost(error ?? new ArkaError('UNAVAILABLE', 'the server ended the stream', { retryable: true }));
  }

  #isLive() {
    return this.#state === 'open' || this.#state === 'closing';
  }

  #lost(error) {
    if (!this.#isLive()) return;
    if (error.retryable && !this.#isNeeded()) {
      this.#idle = true;
      this.#patience.end();
      return;
    }
    const pause = this.#patience.after(error);
    if (pause instanceof ArkaError) this.#fail(pause);
    else this.#pause = setTimeout(() => this.#reconnect(), pause);
  }

  /** Whether anybody would notice that there is no connection. */
  #isNeeded() {
    return !this.#window.isEmpty || this.#progress.isAwaited
      || (this.#progress.reached[Tier.COMMITTED] < this.#last && (this.#progress.isHeard || this.#options.onWatermarks !== undefined));
  }

  #wakeUp() {
    if (!this.#idle) return;
    this.#idle = false;
    this.#patience.begin();
    this.#reconnect();
  }

  // --- Acks ----------------------------------------------------------------------------------

  #onAck(index, lsn, tier, timestampUs, snapshotId) {
    if (tier === Tier.MEMORY) {
      const write = this.#window.at(index);
      const before = write.lsn;
      write.lsn = lsn;
      if (before !== undefined && before !== lsn) this.#progress.rename(index, before, lsn, timestampUs);
    }
    this.#progress.ack(index, lsn, tier, timestampUs, snapshotId);
  }

  #onWatermarks(watermarks) {
    this.watermarks = watermarks;
    tell(this.#options.onWatermarks, watermarks);
    // Writes of earlier connections get no acks on this one: the watermarks speak for them.
    const before = this.#connection.first - 1;
    if (this.#progress.reached[Tier.COMMITTED] >= before) return;
    this.#progress.advance(Tier.OBJECT_STORAGE, Math.min(before, this.#progress.lsns.indexThrough(watermarks.s3Lsn)));
    this.#progress.advance(Tier.COMMITTED, Math.min(before, this.#progress.lsns.indexThrough(watermarks.committedLsn)));
  }

  #onReached(tier, index) {
    if (tier === Tier.LOCAL_DISK) this.#release(index);
    if (tier === Tier.COMMITTED) this.#lag.forget(index);
  }

  #release(index) {
    const bytes = this.#window.release(index);
    this.#patience.end();
    this.#budget.release(bytes);
  }

  // --- Waiting and ending --------------------------------------------------------------------

  #waitFor(index, tier, timeoutMs) {
    const waiting = this.#progress.waitFor(index, tier, timeoutMs);
    if (this.#isNeeded()) this.#wakeUp();
    return waiting;
  }

  #fail(error) {
    this.failure = error;
    this.#finish('failed', error);
    return error;
  }

  #end() {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#finish('closed');
  }

  #finish(state, failure) {
    const held = this.heldBytes;
    this.#state = state;
    clearTimeout(this.#pause);
    const connection = this.#connection;
    this.#connection = null;
    connection?.call.cancel();
    this.#channel.close();
    this.#budget.abandon(this, failure ?? new ArkaError('CANCELLED', 'the stream was closed'));
    this.#budget.release(held);
    this.#progress.end(failure);
    this.#client.forget(this);
    this.#settle();
  }
}
