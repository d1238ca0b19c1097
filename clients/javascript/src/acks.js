// What a server says about writes: tiers, ack batches, and which LSN is whose.

import { DataType, Message } from 'apache-arrow';
import { AckViolation, invalid } from './errors.js';
import { flightData } from './protobuf.js';

/** How durable a write is. Ordered: Tier.MEMORY < Tier.COMMITTED. */
export const Tier = Object.freeze({ MEMORY: 0, LOCAL_DISK: 1, OBJECT_STORAGE: 2, COMMITTED: 3 });

const NAMES = Object.freeze(Object.keys(Tier));

/** The wire's name of a tier: 'LOCAL_DISK'. */
export function tierName(tier) {
  if (NAMES[tier] === undefined) throw invalid(`${tier} is no tier; one is Tier.LOCAL_DISK`);
  return NAMES[tier];
}

/** The tier of a name on the wire. */
export function tierOf(name) {
  const tier = Tier[name];
  if (tier === undefined) throw invalid(`'${name}' is no tier; they are ${NAMES.join(', ')}`);
  return tier;
}

const COLUMNS = ['lsn', 'durability_level', 'timestamp', 'is_watermark_update', 'disk_lsn', 's3_lsn',
  'committed_lsn', 'snapshot_id'];

/** Reads the answers of a DoExchange, whose columns are those of wire.md, "Acks". */
export class AckDecoder {
  #columns = null; // by name: the place of its node and of its first buffer

  /**
   * Of one message calls visit.ack(lsn, tier, timestampUs, snapshotId) for every ack and
   * visit.watermarks({lastLsn, diskLsn, s3Lsn, committedLsn}) for every watermark row, in order.
   */
  read(message, visit) {
    const { header, body } = flightData(message);
    if (!header) return;
    const decoded = Message.decode(header);
    if (decoded.isSchema()) this.#readSchema(decoded.header());
    else if (decoded.isRecordBatch()) this.#readBatch(decoded.header(), body, visit);
  }

  #readSchema({ fields }) {
    this.#columns = new Map();
    let buffer = 0;
    fields.forEach((field, node) => {
      this.#columns.set(field.name, { node, buffer });
      buffer += DataType.isUtf8(field.type) ? 3 : 2;
    });
    const missing = COLUMNS.filter((name) => !this.#columns.has(name));
    if (missing.length > 0) throw new AckViolation(`acks without the columns ${missing}`);
  }

  #readBatch({ length, nodes, buffers }, body, visit) {
    if (!this.#columns) throw new AckViolation('an ack batch before the schema');
    const at = (name, i) => buffers[this.#columns.get(name).buffer + i];
    const bit = ({ offset }, row) => (body[offset + (row >> 3)] >> (row & 7)) & 1;
    // LSNs and times stay far below 2^53, so numbers hold them exactly.
    const number = ({ offset }, row) =>
      body.readInt32LE(offset + row * 8 + 4) * 0x1_0000_0000 + body.readUInt32LE(offset + row * 8);

    const lsns = at('lsn', 1);
    const ends = at('durability_level', 1);
    const texts = at('durability_level', 2);
    const levels = body.latin1Slice(texts.offset, texts.offset + texts.length);
    const times = at('timestamp', 1);
    const isWatermark = at('is_watermark_update', 1);
    const snapshots = at('snapshot_id', 1);
    const snapshotNulls = nodes[this.#columns.get('snapshot_id').node].nullCount;
    const snapshotValid = at('snapshot_id', 0);
    let begin = 0;
    for (let row = 0; row < length; ++row) {
      const end = body.readInt32LE(ends.offset + row * 4 + 4);
      const lsn = number(lsns, row);
      if (bit(isWatermark, row)) {
        visit.watermarks({
          lastLsn: lsn,
          diskLsn: number(at('disk_lsn', 1), row),
          s3Lsn: number(at('s3_lsn', 1), row),
          committedLsn: number(at('committed_lsn', 1), row),
        });
      } else {
        const tier = Tier[levels.slice(begin, end)];
        if (tier === undefined) throw new AckViolation(`the unknown level '${levels.slice(begin, end)}'`);
        const hasSnapshot = snapshotNulls === 0 || (snapshotNulls < length && bit(snapshotValid, row));
        visit.ack(lsn, tier, number(times, row),
          hasSnapshot ? body.readBigInt64LE(snapshots.offset + row * 8) : null);
      }
      begin = end;
    }
  }
}

/**
 * The LSNs of writes 1, 2, 3 …, run-length encoded: consecutive writes mostly have consecutive LSNs.
 * Both only rise.
 */
export class LsnRuns {
  #runs = []; // {first, lsn, count}

  /** The last write whose LSN is known; 0: none. */
  last = 0;

  append(index, lsn) {
    const run = this.#runs.at(-1);
    if (run && index === run.first + run.count && lsn === run.lsn + run.count) run.count += 1;
    else this.#runs.push({ first: index, lsn, count: 1 });
    this.last = index;
  }

  /** The LSN of a write; undefined: not known, or forgotten. */
  lsnOf(index) {
    const run = this.#lastWhere((candidate) => candidate.first <= index);
    return run && index < run.first + run.count ? run.lsn + (index - run.first) : undefined;
  }

  /** The last write with an LSN at or below this one; 0: none. */
  indexThrough(lsn) {
    const run = this.#lastWhere((candidate) => candidate.lsn <= lsn);
    return run ? run.first + Math.min(run.count - 1, lsn - run.lsn) : 0;
  }

  /** Forgets the writes above `index`: they are sent again, and may get others. */
  truncate(index) {
    while (this.#runs.length > 0 && this.#runs.at(-1).first > index) this.#runs.pop();
    const run = this.#runs.at(-1);
    if (run) run.count = Math.min(run.count, index - run.first + 1);
    this.last = Math.min(this.last, index);
  }

  /** Forgets whole runs below `index`. */
  forgetBelow(index) {
    let gone = 0;
    while (gone < this.#runs.length && this.#runs[gone].first + this.#runs[gone].count <= index) gone += 1;
    if (gone > 0) this.#runs.splice(0, gone);
  }

  #lastWhere(holds) {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#runs[middle])) low = middle + 1;
      else high = middle;
    }
    return low > 0 ? this.#runs[low - 1] : undefined;
  }
}
