// One batch that was handed over.

import { Tier } from './acks.js';

export class Write {
  #stream;

  constructor(stream, encoded, bytes) {
    this.#stream = stream;
    Object.assign(this, encoded); // frame, seqAt, dictionaries: gone once it is on LOCAL_DISK
    this.bytes = bytes;
    this.index = 0;
    /** Undefined before the first ack. Final once LOCAL_DISK is reached: a crash may take it before. */
    this.lsn = undefined;
  }

  /** The number under which the server knows it, for this producer and table. */
  get seq() {
    return this.#stream.seqOf(this.index);
  }

  /** Resolves with the LSN that the first ack brings. */
  acknowledged(options) {
    return this.reached(Tier.MEMORY, options);
  }

  /** Resolves with the LSN once `tier` is reached; rejects with an ArkaError. */
  reached(tier, options) {
    return this.#stream.waitForDurability(this, tier, options);
  }
}
