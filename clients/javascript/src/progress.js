// How far the writes of one stream have come, and who waits or listens for that.
//
// Writes are numbered 1, 2, 3 … (`index`). Within a stream they reach every tier in that order, so one
// number a tier says it all. Invariant: reached[tier] is the last write of which, and of all before
// it, the tier is known; of a higher tier it is never above that of a lower one.

import { LsnRuns, Tier, tierName } from './acks.js';
import { ArkaError, timedOut } from './errors.js';

const MAX_UNREAD_ACKS = 1 << 18;

/** An error in a callback is its owner's: it goes where those of event listeners go. */
export function tell(listener, event) {
  try {
    listener?.(event);
  } catch (error) {
    queueMicrotask(() => { throw error; });
  }
}

export class Progress {
  reached = [0, 0, 0, 0];
  /** Of the writes that are not COMMITTED. */
  lsns = new LsnRuns();
  /** The LSN of the last write on LOCAL_DISK. */
  safeLsn = 0;

  #committedLsn = 0;
  #renamed = new Map(); // an LSN that a crash took: the write that had it
  #waiters = [[], [], [], []]; // by tier, the writes in rising order: {index, resolve, reject}
  #listeners = new Set(); // of acks()
  #onAck;
  #onReached;
  #seqOf;
  #end = null; // {failure} once there will be no more

  /** `onReached(tier, index)` is called before those who wait hear of it; `seqOf(index)` is the wire's number. */
  constructor({ onAck, onReached, seqOf }) {
    this.#onAck = onAck;
    this.#onReached = onReached;
    this.#seqOf = seqOf;
  }

  get isHeard() { return this.#onAck !== undefined || this.#listeners.size > 0; }
  get isAwaited() { return this.#waiters.some((waiters) => waiters.length > 0); }

  /** The ack of one write. In MEMORY it may come again: after a crash, with another LSN. */
  ack(index, lsn, tier, timestampUs, snapshotId) {
    if (index <= this.reached[tier]) return;
    // Those before it, of an earlier connection, of which nothing was heard, are there too.
    this.advance(tier, index - 1);
    this.tell(index, lsn, tier, timestampUs, snapshotId);
    this.#set(tier, index);
  }

  /** Every write through `index` has reached `tier`, as something else than acks says. */
  advance(tier, index) {
    if (index <= this.reached[tier]) return;
    const timestampUs = Date.now() * 1000;
    for (let i = this.reached[tier] + 1; i <= index && this.isHeard; ++i) {
      this.tell(i, this.lsns.lsnOf(i), tier, timestampUs, null);
    }
    this.#set(tier, index);
  }

  /** A crash took `before`; the write has another LSN now. */
  rename(index, before, lsn, timestampUs) {
    this.#renamed.set(before, index);
    this.tell(index, lsn, Tier.MEMORY, timestampUs, null, before);
  }

  tell(index, lsn, tier, timestampUs, snapshotId, replaces = null) {
    if (!this.isHeard) return;
    const ack = { seq: this.#seqOf(index), lsn, tier, timestampUs, snapshotId, replaces };
    tell(this.#onAck, ack);
    for (const listener of this.#listeners) {
      if (listener.queue.length >= MAX_UNREAD_ACKS) listener.overrun = true;
      else listener.queue.push(ack);
      listener.wake();
    }
  }

  /** The write of an LSN, one of the `window` perhaps; 0 where it is committed and forgotten since. */
  indexOf(lsn, window) {
    const index = this.lsns.indexThrough(lsn);
    if (this.lsns.lsnOf(index) === lsn) return index;
    const renamed = this.#renamed.get(lsn);
    if (renamed !== undefined) return renamed;
    for (const write of window) if (write.lsn === lsn) return write.index; // to be sent again
    if (lsn <= this.#committedLsn) return 0;
    throw new ArkaError('NOT_FOUND', `LSN ${lsn} is of no write of this stream`);
  }

  waitFor(index, tier, timeoutMs) {
    if (this.reached[tier] >= index) return Promise.resolve();
    if (this.#end) {
      return Promise.reject(this.#end.failure ?? new ArkaError('FAILED_PRECONDITION', 'the stream is closed'));
    }
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters[tier];
      let timer;
      const waiter = {
        index,
        resolve: () => { clearTimeout(timer); resolve(); },
        reject: (error) => { clearTimeout(timer); reject(error); },
      };
      let at = waiters.length;
      while (at > 0 && waiters[at - 1].index > index) at -= 1;
      waiters.splice(at, 0, waiter);
      if (timeoutMs === Infinity) return;
      timer = setTimeout(() => {
        waiters.splice(waiters.indexOf(waiter), 1);
        reject(timedOut(`write ${index} of the stream to ${tierName(tier)}: not within ${timeoutMs} ms`));
      }, timeoutMs);
    });
  }

  async *acks() {
    const listener = { queue: [], wake: () => {}, overrun: false };
    this.#listeners.add(listener);
    try {
      for (;;) {
        const ready = listener.queue;
        listener.queue = [];
        yield* ready;
        if (listener.overrun) {
          throw new ArkaError('RESOURCE_EXHAUSTED', `${MAX_UNREAD_ACKS} acks were not read`);
        }
        if (listener.queue.length > 0) continue;
        if (this.#end?.failure) throw this.#end.failure;
        if (this.#end) return;
        await new Promise((resolve) => { listener.wake = resolve; });
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** There will be no more: with `failure`, or because the stream was closed. */
  end(failure) {
    this.#end = { failure };
    const error = failure ?? new ArkaError('CANCELLED', 'the stream was closed');
    for (const waiters of this.#waiters) for (const waiter of waiters.splice(0)) waiter.reject(error);
    for (const listener of this.#listeners) listener.wake();
  }

  #set(tier, index) {
    this.reached[tier] = index;
    if (tier === Tier.LOCAL_DISK) this.safeLsn = this.lsns.lsnOf(index);
    this.#onReached(tier, index);
    const waiters = this.#waiters[tier];
    let done = 0;
    while (done < waiters.length && waiters[done].index <= index) done += 1;
    for (const waiter of waiters.splice(0, done)) waiter.resolve();
    if (tier === Tier.COMMITTED) {
      this.#committedLsn = this.lsns.lsnOf(index) ?? this.#committedLsn;
      this.lsns.forgetBelow(index); // but for the run of this one
      for (const [before, write] of this.#renamed) {
        if (write > index) break;
        this.#renamed.delete(before);
      }
    }
  }
}
