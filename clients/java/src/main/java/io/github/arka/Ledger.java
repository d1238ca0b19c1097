package io.github.arka;

import static io.github.arka.ArkaException.violation;
import static io.github.arka.Level.COMMITTED;
import static io.github.arka.Level.LOCAL_DISK;
import static io.github.arka.Level.MEMORY;
import static io.github.arka.Level.OBJECT_STORAGE;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * What the server has acknowledged: the writes of one stream, counted 1, 2, 3 …, by level.
 *
 * <p>A server acknowledges the writes of a connection in the order in which they were sent, at every level; so how far
 * each level has come is one number. What comes otherwise is a violation of the wire contract. Not locked: its
 * outbox does that.
 */
final class Ledger {
  /** Who hears of each write that reaches a level; micros and snapshot -1: not told. */
  interface Listener {
    void reached(long number, long lsn, Level level, long micros, long snapshot);
  }

  private static final long COARSE_NANOS = 10_000_000;

  private final Listener listener;
  private final long[] reached = new long[4];
  private final long[] reachedLsn = new long[4];
  private final long[] due = {1, 1, 1, 1}; // the write whose ack comes next on this connection, by level
  private final LsnRuns lsns = new LsnRuns(); // of the writes that are not committed
  private final ArrayDeque<Handed> handed = new ArrayDeque<>();
  private long first = 1; // of this connection
  private long sent;
  private long sentBefore; // on earlier connections
  private long goneLsn; // of the LSNs up to this one a crash may have taken some,
  private long goneNumber; // all of writes up to this one

  /** That write, and those up to the next entry, were handed over at that time or a little later. */
  private record Handed(long number, long nanos) {}

  Ledger(Listener listener) {
    this.listener = listener;
  }

  /** The last write up to which all have reached the level. */
  long reached(Level level) {
    return reached[level.ordinal()];
  }

  /** The LSN of that one; 0: none. */
  long reachedLsn(Level level) {
    return reachedLsn[level.ordinal()];
  }

  void handedOver(long number, long nanos) {
    if (handed.isEmpty() || nanos - handed.peekLast().nanos > COARSE_NANOS) {
      handed.add(new Handed(number, nanos));
    }
  }

  /** When (by the nano clock, give or take 10 ms) the first write below that level was handed over. */
  long oldestBelow(Level level) {
    long number = reached(level) + 1;
    long nanos = System.nanoTime();
    for (Handed entry : handed) {
      if (entry.number > number) {
        break;
      }
      nanos = entry.nanos;
    }
    return nanos;
  }

  /**
   * The write that has this LSN, or else the first with a higher one; 0: there is none. For an LSN that a crash may have
   * taken, the last of those writes.
   */
  long numberOf(long lsn) {
    long number = lsns.numberOf(lsn);
    return lsn > goneLsn || lsns.lsnOf(number) == lsn ? number : Math.max(number, goneNumber);
  }

  /**
   * A new connection, on which every write that is not on LOCAL_DISK is sent again. What was in MEMORY only may be gone,
   * and come back under another LSN.
   */
  void begin() {
    long onDisk = reached(LOCAL_DISK);
    if (reached(MEMORY) > onDisk) {
      goneLsn = Math.max(goneLsn, reachedLsn(MEMORY));
      goneNumber = Math.max(goneNumber, reached(MEMORY));
    }
    lsns.truncate(onDisk);
    reached[MEMORY.ordinal()] = onDisk;
    reachedLsn[MEMORY.ordinal()] = reachedLsn(LOCAL_DISK);
    sentBefore = Math.max(sentBefore, sent);
    first = onDisk + 1;
    sent = onDisk;
    Arrays.fill(due, first);
  }

  void sent(long number) {
    sent = number;
  }

  /** The n-th ack of a level is of the connection's n-th write. */
  void ack(long lsn, Level level, long micros, long snapshot) {
    int at = level.ordinal();
    long number = due[at];
    if (level == MEMORY) {
      if (number > sent) {
        throw violation("LSN " + lsn + " is acknowledged, but nothing was sent for it");
      }
      if (lsn < reachedLsn(MEMORY) || lsn == reachedLsn(MEMORY) && number > sentBefore) {
        throw violation("LSN " + lsn + " is acknowledged after LSN " + reachedLsn(MEMORY));
      }
      lsns.append(number, lsn);
    } else if (number >= due[at - 1]) {
      throw violation("LSN " + lsn + " is acknowledged at " + level + ", but not at the level below it");
    } else if (lsns.lsnOf(number) != lsn) {
      throw violation("LSN " + lsn + " is acknowledged at " + level + " where LSN " + lsns.lsnOf(number) + " was due");
    }
    due[at] = number + 1;
    if (number > reached[at]) {
      advance(level, number, micros, snapshot);
    }
  }

  /** Writes of earlier connections get no acks on this one: the watermarks speak for them. */
  void watermarks(Watermarks marks) {
    watermark(OBJECT_STORAGE, marks.s3Lsn());
    watermark(COMMITTED, marks.committedLsn());
  }

  private void watermark(Level level, long through) {
    if (reached(level) < first - 1) {
      long number = Math.min(lsns.numberThrough(through), first - 1);
      if (number > reached(level)) {
        advance(level, number, -1, -1);
      }
    }
  }

  private void advance(Level level, long number, long micros, long snapshot) {
    int at = level.ordinal();
    for (long passed = reached[at] + 1; passed < number; ++passed) {
      listener.reached(passed, lsns.lsnOf(passed), level, -1, -1);
    }
    long lsn = lsns.lsnOf(number);
    listener.reached(number, lsn, level, micros, snapshot);
    reached[at] = number;
    reachedLsn[at] = lsn;
    if (level == COMMITTED) {
      lsns.forgetBelow(number);
      forgetTimes(number);
    }
  }

  private void forgetTimes(long committed) {
    while (handed.size() > 1) {
      Iterator<Handed> entries = handed.iterator();
      entries.next();
      if (entries.next().number > committed + 1) {
        return;
      }
      handed.poll();
    }
  }

  /** The LSNs of writes 1, 2, 3 …, as runs: consecutive writes mostly have consecutive LSNs. Both only rise. */
  static final class LsnRuns {
    private static final int TRIM = 1024;

    private final List<Run> runs = new ArrayList<>();

    private static final class Run {
      final long number;
      final long lsn;
      long count;

      Run(long number, long lsn) {
        this.number = number;
        this.lsn = lsn;
        this.count = 1;
      }
    }

    void append(long number, long lsn) {
      Run run = runs.isEmpty() ? null : runs.get(runs.size() - 1);
      if (run != null && number == run.number + run.count && lsn == run.lsn + run.count) {
        run.count++;
      } else {
        runs.add(new Run(number, lsn));
      }
    }

    /** 0: not known, or forgotten. */
    long lsnOf(long number) {
      Run run = last(number, false);
      return run != null && number < run.number + run.count ? run.lsn + (number - run.number) : 0;
    }

    /** The last write with an LSN at or below this one; 0: there is none. */
    long numberThrough(long lsn) {
      Run run = last(lsn, true);
      return run == null ? 0 : run.number + Math.min(run.count - 1, lsn - run.lsn);
    }

    /** The first write with an LSN at or above this one; 0: there is none. */
    long numberOf(long lsn) {
      long before = numberThrough(lsn - 1);
      long number = before > 0 ? before + 1 : runs.isEmpty() ? 1 : runs.get(0).number;
      return lsnOf(number) > 0 ? number : 0;
    }

    /** Forgets the writes above `number`: they are sent again, and may get others. */
    void truncate(long number) {
      while (!runs.isEmpty() && runs.get(runs.size() - 1).number > number) {
        runs.remove(runs.size() - 1);
      }
      if (!runs.isEmpty()) {
        Run run = runs.get(runs.size() - 1);
        run.count = Math.min(run.count, number - run.number + 1);
      }
    }

    /** Forgets runs that end below `number`, now and then. */
    void forgetBelow(long number) {
      if (runs.size() > TRIM && runs.get(TRIM).number <= number) {
        int gone = 0;
        while (runs.get(gone).number + runs.get(gone).count <= number) {
          ++gone;
        }
        runs.subList(0, gone).clear();
      }
    }

    private Run last(long value, boolean byLsn) {
      int low = 0;
      int high = runs.size();
      while (low < high) {
        int middle = (low + high) >>> 1;
        Run run = runs.get(middle);
        if ((byLsn ? run.lsn : run.number) <= value) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low > 0 ? runs.get(low - 1) : null;
    }
  }
}
