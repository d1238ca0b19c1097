// Small things that listen to acks and watermarks: what the guide's patterns need.

import { Tier, tierName } from './acks.js';
import { timedOut } from './errors.js';

/** Waits for promises with a deadline; the timer ends with the promise. */
export async function within(promise, timeoutMs, what) {
  if (timeoutMs === undefined) return promise;
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(timedOut(`${what}: not within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Which of the LSNs that somebody cares for have come how far. Give it the acks (`onAck`) of one stream or
 * many; forgetThrough() keeps it small. An LSN that a crash took stands for the one that its write got.
 */
export class AckTracker {
  #tiers = new Map();
  #replaced = new Map(); // an LSN that a crash took: the one that its write got
  #waiting = new Set(); // {lsns, tier, resolve}

  onAck = ({ lsn, tier, replaces = null }) => {
    if (replaces !== null) {
      this.#tiers.delete(replaces);
      this.#replaced.set(replaces, lsn);
    }
    const before = this.#tiers.get(lsn);
    if (before === undefined || before < tier) this.#tiers.set(lsn, tier);
    this.#wake();
  };

  /** The tier of a write, undefined before its first ack. */
  tier(lsn) {
    let now = lsn;
    while (this.#replaced.has(now)) now = this.#replaced.get(now);
    return this.#tiers.get(now);
  }

  get size() {
    return this.#tiers.size;
  }

  /** Resolves once all these LSNs have reached `tier`. */
  async waitAllDurable(lsns, tier = Tier.OBJECT_STORAGE, { timeoutMs } = {}) {
    const waiter = { lsns: new Set(lsns), tier };
    const done = new Promise((resolve) => { waiter.resolve = resolve; });
    this.#waiting.add(waiter);
    this.#wake();
    try {
      await within(done, timeoutMs, `${waiter.lsns.size} writes to ${tierName(tier)}`);
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  /** Forgets the LSNs at or below this one. */
  forgetThrough(lsn) {
    for (const known of [this.#tiers, this.#replaced]) {
      for (const key of known.keys()) if (key <= lsn) known.delete(key);
    }
  }

  #wake() {
    for (const waiter of this.#waiting) {
      for (const lsn of waiter.lsns) {
        if ((this.tier(lsn) ?? -1) < waiter.tier) break;
        waiter.lsns.delete(lsn);
      }
      if (waiter.lsns.size === 0) {
        this.#waiting.delete(waiter);
        waiter.resolve();
      }
    }
  }
}

/** Data kept until it is safe elsewhere: by LSN, dropped when the watermark of `tier` has passed it. */
export class LocalCache {
  #values = new Map();
  #tier;

  constructor(tier = Tier.OBJECT_STORAGE) {
    this.#tier = tier;
  }

  put(lsn, value) { this.#values.set(lsn, value); }
  get(lsn) { return this.#values.get(lsn); }
  has(lsn) { return this.#values.has(lsn); }
  get size() { return this.#values.size; }

  /** Drops what is safe; to be given to a stream as `onWatermarks`. */
  onWatermarks = ({ lastLsn, diskLsn, s3Lsn, committedLsn }) => {
    const safe = [lastLsn, diskLsn, s3Lsn, committedLsn][this.#tier];
    for (const lsn of this.#values.keys()) if (lsn <= safe) this.#values.delete(lsn);
  };
}

const MAX_MARKS = 1024;

/** How far writes are behind a tier: how many, and for how long. In bounded memory. */
export class DurabilityLag {
  #marks = []; // {index, at}: the write `index` was handed over at `at`, in both rising
  #every = 1; // ms between marks
  #sent = 0;

  /** A write was handed over. */
  sent(index, at = performance.now()) {
    this.#sent = index;
    if (this.#marks.length > 0 && at - this.#marks.at(-1).at < this.#every) return;
    this.#marks.push({ index, at });
    if (this.#marks.length > MAX_MARKS) { // coarser for those who are far behind
      this.#marks = this.#marks.filter((_, i) => i % 2 === 0);
      this.#every *= 2;
    }
  }

  /** Nobody asks for what all tiers have reached. */
  forget(reached) {
    while (this.#marks.length > 1 && this.#marks[1].index <= reached) this.#marks.shift();
    if (this.#marks.length <= 1) this.#every = 1;
  }

  /** {writes, milliseconds} since the oldest write that is not among the first `reached`. */
  of(reached, now = performance.now()) {
    if (reached >= this.#sent) return { writes: 0, milliseconds: 0 };
    const mark = this.#marks.findLast(({ index }) => index <= reached + 1) ?? this.#marks[0];
    return { writes: this.#sent - reached, milliseconds: Math.max(0, now - mark.at) };
  }
}
