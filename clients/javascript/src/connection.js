// One DoExchange: what was sent on it, and whether what comes back is possible.
//
// The writes first, first + 1 … of a stream go on it in order, so the n-th ack of each tier is of the
// n-th of them. Anything else is an AckViolation and ends the connection.

import { AckDecoder, Tier, tierName } from './acks.js';
import { AckViolation } from './errors.js';
import { missingDictionaries } from './ipc.js';
import { stampSeq } from './protobuf.js';

export class Connection {
  #decoder = new AckDecoder();
  #dictionaries = new Map(); // by id: the frames that the server has
  #told; // by tier: the next write that it is due for
  #lsns; // the stream's; this connection appends to it

  /**
   * `lsns` knows the writes below `first`. `onAck(index, lsn, tier, timestampUs, snapshotId)`,
   * `onWatermarks(watermarks)` and `onEnd(error or null)` are called as it happens.
   */
  constructor(channel, { first, lsns, headers, schemaFrame, onOpen, onAck, onWatermarks, onEnd }) {
    this.first = first;
    this.sent = first - 1;
    this.#lsns = lsns;
    this.#told = [first, first, first, first];
    const visit = {
      ack: (lsn, tier, timestampUs, snapshotId) => {
        onAck(this.#check(lsn, tier), lsn, tier, timestampUs, snapshotId);
      },
      watermarks: onWatermarks,
    };
    this.call = channel.call('DoExchange', {
      headers,
      onHeaders: onOpen,
      onMessage: (message) => this.#decoder.read(message, visit),
      onEnd,
    });
    this.call.send(schemaFrame);
  }

  send(write, seq) {
    for (const frame of missingDictionaries(this.#dictionaries, write.dictionaries)) this.call.send(frame);
    stampSeq(write.frame, write.seqAt, seq);
    this.call.send(write.frame);
    this.sent += 1;
  }

  /** The write that an ack is of. */
  #check(lsn, tier) {
    const index = this.#told[tier];
    if (tier === Tier.MEMORY) {
      if (index > this.sent) throw new AckViolation(`LSN ${lsn} for a batch that was not sent`);
      const before = this.#lsns.lsnOf(index - 1);
      if (before !== undefined && lsn < before) {
        throw new AckViolation(`LSN ${lsn} for the batch after the one of LSN ${before}`);
      }
      this.#lsns.append(index, lsn);
    } else {
      if (index >= this.#told[tier - 1]) {
        throw new AckViolation(`LSN ${lsn} at ${tierName(tier)} before ${tierName(tier - 1)}`);
      }
      const expected = this.#lsns.lsnOf(index);
      if (lsn !== expected) {
        throw new AckViolation(`LSN ${lsn} at ${tierName(tier)}, where LSN ${expected} was due`);
      }
    }
    this.#told[tier] = index + 1;
    return index;
  }
}
