// The bytes that a client's streams may hold between write() and LOCAL_DISK. First come, first served.

import { ArkaError } from './errors.js';

export class Budget {
  held = 0;
  #waiting = []; // {bytes, owner, enter, refuse}

  constructor(limit) {
    this.limit = limit;
  }

  /** Whether so much can be had now. What is larger than the whole budget goes in alone. */
  hasRoom(bytes) {
    return this.#waiting.length === 0 && (this.held === 0 || this.held + bytes <= this.limit);
  }

  /**
   * Calls enter() when the bytes are had, at once or later, in the order of the calls; refuse(error)
   * where `timeoutMs` passes before (0: at once), or the owner is abandoned.
   */
  take(owner, bytes, { enter, refuse, timeoutMs }) {
    if (this.hasRoom(bytes)) {
      this.held += bytes;
      enter();
      return;
    }
    const refusal = (code, when) => new ArkaError(code,
      `no room for ${bytes} bytes${when}: ${this.held} of ${this.limit} are not on LOCAL_DISK yet`, { retryable: true });
    if (timeoutMs === 0) {
      refuse(refusal('RESOURCE_EXHAUSTED', ''));
      return;
    }
    const waiter = { owner, bytes, enter, refuse };
    this.#waiting.push(waiter);
    if (timeoutMs === undefined || timeoutMs === Infinity) return;
    waiter.timer = setTimeout(() => {
      this.#remove((candidate) => candidate === waiter, refusal('DEADLINE_EXCEEDED', ` within ${timeoutMs} ms`));
    }, timeoutMs);
  }

  release(bytes) {
    this.held -= bytes;
    this.#admit();
  }

  /** Refuses those of `owner` that wait. */
  abandon(owner, error) {
    this.#remove((waiter) => waiter.owner === owner, error);
  }

  #remove(chosen, error) {
    const gone = this.#waiting.filter(chosen);
    this.#waiting = this.#waiting.filter((waiter) => !chosen(waiter));
    for (const waiter of gone) {
      clearTimeout(waiter.timer);
      waiter.refuse(error);
    }
    this.#admit(); // a large one may have stood before small ones
  }

  #admit() {
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting;
      if (this.held > 0 && this.held + next.bytes > this.limit) return;
      this.#waiting.shift();
      this.held += next.bytes;
      clearTimeout(next.timer);
      next.enter();
    }
  }
}
