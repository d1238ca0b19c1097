// Turns of the event loop. Awaiting what is resolved already gives nobody else a turn: without this a loop
// of writes would fill the budget before the first byte left.

// So much is taken in one turn; then the socket has its turn.
const WRITES_A_TURN = 256;
const BYTES_A_TURN = 1 << 20;

export class Turn {
  #writes = 0;
  #bytes = 0;
  #over = null; // who goes on when it is over

  /** Calls resume(), at once or in the next turn where this one has had enough. */
  take(bytes, resume) {
    this.#writes += 1;
    this.#bytes += bytes;
    if (!this.#over) {
      this.#over = [];
      setImmediate(() => {
        const resumed = this.#over;
        this.#writes = this.#bytes = 0;
        this.#over = null;
        for (const next of resumed) next();
      });
    }
    if (this.#writes < WRITES_A_TURN && this.#bytes < BYTES_A_TURN) resume();
    else this.#over.push(resume);
  }
}
