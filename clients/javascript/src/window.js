// The writes of one stream that are not on LOCAL_DISK: what a crash of the server may take, and what is
// sent again on the next connection.

export class Window {
  #writes = []; // from #head on; a deque
  #head = 0;

  get isEmpty() { return this.#head === this.#writes.length; }

  get bytes() {
    let bytes = 0;
    for (const write of this) bytes += write.bytes;
    return bytes;
  }

  *[Symbol.iterator]() {
    for (let i = this.#head; i < this.#writes.length; ++i) yield this.#writes[i];
  }

  push(write) {
    this.#writes.push(write);
  }

  /** The write of an index; indexes in the window are without gaps. */
  at(index) {
    return this.#writes[this.#head + index - this.#writes[this.#head].index];
  }

  /** Lets go of the writes through `index`, and says how many bytes they held. */
  release(index) {
    let bytes = 0;
    while (!this.isEmpty && this.#writes[this.#head].index <= index) {
      const write = this.#writes[this.#head];
      write.frame = write.dictionaries = undefined;
      bytes += write.bytes;
      this.#writes[this.#head++] = undefined;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#writes.length) {
      this.#writes = this.#writes.slice(this.#head);
      this.#head = 0;
    }
    return bytes;
  }
}
