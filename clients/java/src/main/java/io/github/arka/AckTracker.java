package io.github.arka;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.LongSummaryStatistics;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * How far one stream's writes have come, by LSN: give {@code tracker::observe} to {@link ArkaStream.Builder#onAck}. The
 * writes of a stream reach each level in the order of their LSNs, so this remembers a few numbers, however many
 * writes there are.
 *
 * <p>A crash of the server may take an LSN that is below LOCAL_DISK. Here it goes on to stand for its write, and has
 * reached what the last of the writes that got another LSN then has reached.
 */
public final class AckTracker {
  private final long[] reached = new long[Level.values().length];
  private long lastSeq; // of the write that got an LSN last
  // LSNs above one and up to another that a crash may have taken, up to which seq, and the new LSN of that one.
  private long goneAbove = -1;
  private long goneThrough = -1;
  private long goneSeq;
  private long again = -1; // Long.MAX_VALUE: none yet

  /** One that has heard of nothing. */
  public AckTracker() {
    Arrays.fill(reached, -1);
  }

  /** Takes in one ack. */
  public synchronized void observe(Ack ack) {
    if (ack.level() == Level.MEMORY) {
      named(ack);
    }
    if (ack.lsn() > reached[ack.level().ordinal()]) {
      reached[ack.level().ordinal()] = ack.lsn();
      notifyAll();
    }
  }

  private void named(Ack ack) {
    if (ack.seq() <= lastSeq) { // it had an LSN, and those after it
      if (again <= reached[Level.COMMITTED.ordinal()]) { // nobody needs to know of an earlier crash
        goneAbove = reached[Level.LOCAL_DISK.ordinal()];
      }
      goneThrough = reached[Level.MEMORY.ordinal()];
      goneSeq = Math.max(goneSeq, lastSeq);
      again = Long.MAX_VALUE;
    }
    lastSeq = ack.seq();
    if (again == Long.MAX_VALUE && lastSeq >= goneSeq) {
      again = ack.lsn();
    }
  }

  /** How far a level has to come for LSNs from one to another. */
  private long due(long first, long last) {
    return first <= goneThrough && last > goneAbove ? Math.max(last, again) : last;
  }

  /** The highest level that the write with this LSN has reached; empty: none yet. */
  public synchronized Optional<Level> levelOf(long lsn) {
    Level[] levels = Level.values();
    for (int at = levels.length - 1; at >= 0; --at) {
      if (due(lsn, lsn) <= reached[at]) {
        return Optional.of(levels[at]);
      }
    }
    return Optional.empty();
  }

  /** Waits until every one of them has reached the level; DEADLINE_EXCEEDED after the timeout. */
  public synchronized void awaitAll(Collection<Long> lsns, Level level, Duration timeout) {
    LongSummaryStatistics all = lsns.stream().mapToLong(Long::longValue).summaryStatistics();
    long until = System.nanoTime() + timeout.toNanos();
    try {
      while (all.getCount() > 0 && reached[level.ordinal()] < due(all.getMin(), all.getMax())) {
        long left = until - System.nanoTime();
        if (left <= 0) {
          throw ArkaException.late(level + " has come to LSN " + reached[level.ordinal()] + ", not to "
              + all.getMax() + " within " + timeout.toMillis() + " ms");
        }
        TimeUnit.NANOSECONDS.timedWait(this, left);
      }
    } catch (InterruptedException e) {
      throw ArkaException.interrupted();
    }
  }
}
