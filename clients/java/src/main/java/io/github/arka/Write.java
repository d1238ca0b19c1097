package io.github.arka;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The handle of one batch that was handed to a stream. Its LSN comes with the first ack. */
public final class Write {
  final long number; // 1 for the stream's first
  final long bytes; // under the budget
  // Both are written with the outbox's lock held.
  volatile Batches.Encoded encoded; // null once it is on LOCAL_DISK
  volatile long lsn; // 0: none yet
  private final ArkaStream stream;
  private final int rows;

  Write(ArkaStream stream, long number, Batches.Encoded encoded, long bytes) {
    this.stream = stream;
    this.number = number;
    this.encoded = encoded;
    this.bytes = bytes;
    this.rows = encoded.rows();
  }

  /** The producer's number of this write. */
  public long seq() {
    return stream.seqOf(number);
  }

  /** How many rows it has. */
  public int rows() {
    return rows;
  }

  /** The highest level that is known to be reached; empty: not even MEMORY. */
  public Optional<Level> level() {
    return stream.levelOf(number);
  }

  /**
   * Done with the LSN when the server has named the write. A crash of the server may take a write that is below
   * LOCAL_DISK; it is written again, and gets another LSN.
   */
  public CompletableFuture<Long> lsn() {
    return reached(Level.MEMORY);
  }

  /**
   * Done with the LSN when this write, and every one of the stream before it, has reached the level. Ends with an
   * {@link ArkaException} where the stream fails. What depends on it runs in a thread that all streams of the client
   * share: give what takes long to {@code thenApplyAsync}.
   */
  public CompletableFuture<Long> reached(Level level) {
    return stream.reached(number, level).thenApply(reached -> lsn);
  }

  /** Waits for the level as {@link #await(Level, Duration)}, for at most the stream's deadline. */
  public long await(Level level) {
    return await(level, stream.deadline());
  }

  /** Waits until this write, and every one of the stream before it, has reached the level; returns its LSN. */
  public long await(Level level, Duration timeout) {
    stream.await(number, level, timeout);
    return lsn;
  }

  /** The batch as an Arrow IPC stream, until it is on LOCAL_DISK; empty after. */
  public Optional<byte[]> toArrowStream() {
    Batches.Encoded kept = encoded;
    return kept == null ? Optional.empty() : Optional.of(stream.toArrowStream(kept));
  }

  @Override
  public String toString() {
    return "write " + number + ": " + rows + " rows, "
        + level().map(level -> "LSN " + lsn + " at " + level).orElse("not acknowledged");
  }
}
