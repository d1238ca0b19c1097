import type { RecordBatch, Schema, Table } from 'apache-arrow';

/** How durable a write is. Ordered: Tier.MEMORY < Tier.COMMITTED. */
export declare const Tier: {
  readonly MEMORY: 0;
  readonly LOCAL_DISK: 1;
  readonly OBJECT_STORAGE: 2;
  readonly COMMITTED: 3;
};
export type Tier = 0 | 1 | 2 | 3;

/** The wire's name of a tier: 'LOCAL_DISK'. */
export declare function tierName(tier: Tier): string;
/** The tier of a name on the wire. */
export declare function tierOf(name: string): Tier;

/** The one shape of every error. */
export declare class ArkaError extends Error {
  constructor(code: string, message: string, options?: { retryable?: boolean; cause?: unknown });
  /** A name of the wire: 'INVALID_ARGUMENT', 'UNAVAILABLE', 'DEADLINE_EXCEEDED' … */
  code: string;
  /** Whether the same call may succeed later. */
  retryable: boolean;
  toJSON(): { code: string; message: string; retryable: boolean };
}

/** The server acknowledged what it cannot have. */
export declare class AckViolation extends ArkaError {
  constructor(message: string);
}

/** A row that does not fit its table. */
export declare class RowError extends ArkaError {
  constructor(column: string, problem: string, row: object);
  column: string;
  row: object;
}

export interface Timeout {
  timeoutMs?: number;
}

export interface ConnectOptions extends Timeout {
  token?: string;
  username?: string;
  password?: string;
  /** A PEM file, or PEM text. */
  tlsRoot?: string | Buffer;
  clientCert?: string | Buffer;
  clientKey?: string | Buffer;
  /** What streams may hold in memory until it is on LOCAL_DISK; 64 MiB. */
  budgetBytes?: number;
  /** For how long a stream may try to get through before it fails; 60,000. */
  deadlineMs?: number;
  /** For how long one attempt to connect may take; 10,000. */
  connectTimeoutMs?: number;
  /** How often an open connection is asked whether it lives; 10,000. */
  keepAliveMs?: number;
  /** The name under which the server remembers this client's writes; random. */
  session?: string;
}

export interface Ack {
  seq: number;
  lsn: number;
  tier: Tier;
  /** When the server reached the tier, in microseconds since 1970. */
  timestampUs: number;
  /** The Iceberg snapshot that holds the write; only COMMITTED has one. */
  snapshotId: bigint | null;
  /** The LSN that a crash of the server took from the write; only MEMORY, told again, has one. */
  replaces: number | null;
}

/** Every LSN at or below each, on this server, has reached that tier. */
export interface Watermarks {
  lastLsn: number;
  diskLsn: number;
  s3Lsn: number;
  committedLsn: number;
}

export interface StreamOptions {
  /** The schema of the batches; without it that of the first one. */
  schema?: Schema;
  /**
   * A stable name, to go on after a restart of the program; without it a random one. A stream that had the name
   * before fails with FAILED_PRECONDITION instead of writing any more.
   */
  producer?: string;
  session?: string;
  deadlineMs?: number;
  onAck?: (ack: Ack) => void;
  onWatermarks?: (watermarks: Watermarks) => void;
}

export interface AppenderOptions extends StreamOptions {
  /** A batch is written when it has so many rows; 10,000. */
  maxRows?: number;
  /** … or about so many bytes; 1 MiB. */
  maxBytes?: number;
  /** … or its first row is so old; 50. */
  lingerMs?: number;
}

export interface CloseOptions extends Timeout {
  /** What every write has to reach first; Tier.LOCAL_DISK. */
  level?: Tier;
}

export interface Lag {
  writes: number;
  milliseconds: number;
}

export interface DurabilityEvent {
  lsn: number;
  tier: Tier;
  timestamp: Date;
  snapshotId: bigint | null;
}

export interface LevelOfLsn {
  lsn: number;
  tier: Tier | null;
  lost: boolean;
}

export declare function connect(url: string, options?: ConnectOptions): Client;

export declare class Client implements AsyncDisposable {
  constructor(url: string, options?: ConnectOptions);
  readonly url: string;
  readonly session: string;
  readonly heldBytes: number;
  open(table: string, options?: StreamOptions): Promise<WriteStream>;
  appender(table: string, options?: AppenderOptions): Promise<Appender>;
  getDurabilityStatus(lastKnownLsn?: number,
    options?: Timeout & { session?: string; until?: Tier }): Promise<DurabilityEvent[]>;
  durabilityOf(lsns: Iterable<number>, options?: Timeout): Promise<LevelOfLsn[]>;
  flush(tier?: Tier, options?: Timeout & { table?: string }): Promise<{ lsn: number; level: string }>;
  status(options?: Timeout): Promise<Record<string, unknown>>;
  watermarks(options?: Timeout): Promise<Watermarks>;
  query(sql: string, options?: Timeout): Promise<Table>;
  queryBatches(sql: string, options?: Timeout): AsyncGenerator<RecordBatch, void, void>;
  tableSchema(table: string, options?: Timeout): Promise<Schema>;
  action(type: string, body?: object, options?: Timeout): Promise<any>;
  close(options?: CloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export declare class WriteStream implements AsyncDisposable {
  private constructor();
  readonly table: string;
  readonly producer: string;
  readonly session: string;
  readonly schema: Schema | undefined;
  readonly watermarks: Watermarks | null;
  readonly failure: ArkaError | null;
  readonly heldBytes: number;
  readonly written: number;
  /** The seq that the next write gets. On a producer that is known it says where to go on. */
  readonly nextSeq: number;
  reached(tier: Tier): number;
  lag(tier?: Tier): Lag;
  write(batch: RecordBatch | Table, options?: Timeout): Promise<Write>;
  tryWrite(batch: RecordBatch | Table): Write | null;
  writeDurable(batch: RecordBatch | Table, tier?: Tier, options?: Timeout): Promise<number>;
  waitForDurability(target: Write | number, tier: Tier, options?: Timeout): Promise<number>;
  flush(tier?: Tier, options?: Timeout): Promise<void>;
  acks(): AsyncGenerator<Ack, void, void>;
  close(options?: CloseOptions): Promise<void>;
  abort(): void;
  pending(): RecordBatch[];
  [Symbol.asyncDispose](): Promise<void>;
}

export declare class Write {
  private constructor();
  /** Undefined before the first ack; final once LOCAL_DISK is reached. */
  readonly lsn: number | undefined;
  readonly seq: number;
  readonly bytes: number;
  acknowledged(options?: Timeout): Promise<number>;
  reached(tier: Tier, options?: Timeout): Promise<number>;
}

export declare class Appender implements AsyncDisposable {
  private constructor();
  readonly stream: WriteStream;
  readonly pendingRows: number;
  append(row: object): Promise<void>;
  flush(tier?: Tier, options?: Timeout): Promise<void>;
  close(options?: CloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Which of the LSNs that somebody cares for have come how far. */
export declare class AckTracker {
  readonly size: number;
  onAck: (ack: Pick<Ack, 'lsn' | 'tier'> & Partial<Pick<Ack, 'replaces'>>) => void;
  tier(lsn: number): Tier | undefined;
  waitAllDurable(lsns: Iterable<number>, tier?: Tier, options?: Timeout): Promise<void>;
  forgetThrough(lsn: number): void;
}

/** Data kept until it is safe elsewhere: dropped when the watermark of a tier has passed its LSN. */
export declare class LocalCache<T = unknown> {
  constructor(tier?: Tier);
  readonly size: number;
  put(lsn: number, value: T): void;
  get(lsn: number): T | undefined;
  has(lsn: number): boolean;
  onWatermarks: (watermarks: Watermarks) => void;
}

/** How far writes are behind a tier, in bounded memory. Every WriteStream has one: lag(). */
export declare class DurabilityLag {
  sent(index: number, at?: number): void;
  forget(reached: number): void;
  of(reached: number, now?: number): Lag;
}
