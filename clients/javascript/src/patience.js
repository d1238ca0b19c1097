// How long a stream goes on trying to get a connection, and how long it waits before each attempt.

import { AckViolation, ArkaError, timedOut } from './errors.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
const ATTEMPT_MS = 10_000;

export class Patience {
  #table;
  #deadlineMs;
  #attempts = 0;
  #since = null; // when the trouble began

  constructor(table, deadlineMs) {
    this.#table = table;
    this.#deadlineMs = deadlineMs;
  }

  /** The deadline runs from now on. */
  begin() {
    this.#since = performance.now();
  }

  /** Something has moved: there is no trouble (any more). */
  end() {
    this.#since = null;
    this.#attempts = 0;
  }

  /** How long to wait before the next attempt, in ms; an ArkaError where there is none. */
  after(error) {
    this.#since ??= performance.now();
    if (!(error instanceof ArkaError)) return new ArkaError('INTERNAL', error.message, { cause: error });
    if (error instanceof AckViolation || !error.retryable) return error;
    const left = this.#left();
    if (left <= 0) {
      return timedOut(`no way to ${this.#table} for ${this.#deadlineMs} ms; at last: ${error.message}`, error);
    }
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts++);
    return Math.min(left, pause * (0.5 + Math.random() / 2));
  }

  /** For how long one attempt may take. */
  get attemptMs() {
    return this.#since === null ? ATTEMPT_MS : Math.min(ATTEMPT_MS, Math.max(1, Math.ceil(this.#left())));
  }

  #left() {
    return this.#deadlineMs - (performance.now() - this.#since);
  }
}
