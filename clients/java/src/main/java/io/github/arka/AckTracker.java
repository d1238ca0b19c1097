package io.github.arka;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * How far one stream's writes have come, by LSN: give {@code tracker::observe} to {@link ArkaStream.Builder#onAck}. The
 * writes of a stream reach each level in the order of their LSNs, so this remembers four numbers, however many
 * writes there are.
 */
public final class AckTracker {
  private final long[] reached = new long[Level.values().length];

  /** One that has heard of nothing. */
  public AckTracker() {
    Arrays.fill(reached, -1);
  }

  /** Takes in one ack. */
  public synchronized void observe(Ack ack) {
    if (ack.lsn() > reached[ack.level().ordinal()]) {
      reached[ack.level().ordinal()] = ack.lsn();
      notifyAll();
    }
  }

  /** The highest level that the write with this LSN has reached; empty: none yet. */
  public synchronized Optional<Level> levelOf(long lsn) {
    Level[] levels = Level.values();
    for (int at = levels.length - 1; at >= 0; --at) {
      if (lsn <= reached[at]) {
        return Optional.of(levels[at]);
      }
    }
    return Optional.empty();
  }

  /** Waits until every one of them has reached the level; DEADLINE_EXCEEDED after the timeout. */
  public synchronized void awaitAll(Collection<Long> lsns, Level level, Duration timeout) {
    long last = lsns.stream().mapToLong(Long::longValue).max().orElse(-1);
    long until = System.nanoTime() + timeout.toNanos();
    try {
      while (reached[level.ordinal()] < last) {
        long left = until - System.nanoTime();
        if (left <= 0) {
          throw ArkaException.late(level + " has come to LSN " + reached[level.ordinal()] + ", not to " + last
              + " within " + timeout.toMillis() + " ms");
        }
        TimeUnit.NANOSECONDS.timedWait(this, left);
      }
    } catch (InterruptedException e) {
      throw ArkaException.interrupted();
    }
  }
}
