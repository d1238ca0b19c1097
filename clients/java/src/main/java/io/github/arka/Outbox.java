package io.github.arka;

import static io.github.arka.Level.COMMITTED;
import static io.github.arka.Level.LOCAL_DISK;
import static io.github.arka.Level.MEMORY;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * What a stream has taken on and not yet delivered, and who waits for it: between those who write and wait
 * ({@link ArkaStream}) and those who send and read acks ({@link Courier}, {@link Exchange}). One lock guards all of it;
 * nothing here does I/O, and nothing of the caller's runs while the lock is held.
 */
final class Outbox implements AckReader.Visitor {
  final ReentrantLock lock = new ReentrantLock();
  final Condition work = lock.newCondition(); // for the courier
  private final Condition room = lock.newCondition();

  // Guarded by the lock.
  private final Ledger ledger;
  private final ArrayDeque<Write> kept = new ArrayDeque<>(); // not on LOCAL_DISK yet, in order
  private final ArrayDeque<Write> unsent = new ArrayDeque<>(); // those of kept that are due on the connection
  private final ArrayDeque<Write> unnamed = new ArrayDeque<>(); // those that were sent, and have no LSN from it
  private final List<PriorityQueue<Waiter>> waiters = new ArrayList<>(); // by level
  private long last; // number of the last write
  private long sentEver; // number of the last write that was ever sent
  private long offset; // makes a number the producer's seq
  private long held; // bytes of kept
  private boolean closing; // nothing more is taken on
  private boolean ended; // nothing more will be acknowledged
  private ArkaException failure; // why, where it was not closed
  private Watermarks marks = new Watermarks(0, 0, 0, 0);
  private AckReader current; // of the connection; what still comes from an earlier one is too late
  private final AckFeed feed; // null: nobody listens

  private final long budget;

  private record Waiter(long number, CompletableFuture<Void> future) {}

  Outbox(long budget, long offset, AckFeed feed) {
    this.budget = budget;
    this.offset = offset;
    this.feed = feed;
    this.ledger = new Ledger(this::reached);
    for (int level = 0; level < Level.values().length; ++level) {
      waiters.add(new PriorityQueue<>(Comparator.comparingLong(Waiter::number)));
    }
  }

  // For those who write.

  /** Takes on a batch once there is room. */
  Write put(ArkaStream stream, Batches.Encoded encoded, Duration timeout, boolean block) {
    lock.lock();
    try {
      for (long left = timeout.toNanos();;) {
        ArkaException over = over();
        if (over != null) {
          throw over.again();
        }
        long size = encoded.bytesBeside(kept.isEmpty() ? null : kept.peekLast().encoded);
        if (held == 0 || held + size <= budget) {
          return keep(new Write(stream, last + 1, encoded, size));
        }
        if (!block) {
          throw new ArkaException(ArkaException.Code.RESOURCE_EXHAUSTED, noRoom(size), true, null);
        }
        if (left <= 0) {
          throw ArkaException.late(noRoom(size));
        }
        left = room.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      throw ArkaException.interrupted();
    } finally {
      lock.unlock();
    }
  }

  private Write keep(Write write) {
    last = write.number;
    held += write.bytes;
    ledger.handedOver(last, System.nanoTime());
    kept.add(write);
    unsent.add(write);
    if (unsent.size() == 1) {
      work.signal();
    }
    return write;
  }

  private String noRoom(long size) {
    return "no room for " + size + " bytes: " + held + " of " + budget + " wait for the server";
  }

  void close() {
    locked(() -> {
      closing = true;
      room.signalAll();
      work.signal();
      return null;
    });
  }

  // For those who wait.

  /** Done when every write up to that number has the level; completed by who reads acks. */
  CompletableFuture<Void> when(long number, Level level) {
    return locked(() -> {
      CompletableFuture<Void> future = new CompletableFuture<>();
      if (number <= ledger.reached(level)) {
        future.complete(null);
      } else if (failure != null) {
        future.completeExceptionally(failure.again());
      } else if (ended) {
        future.completeExceptionally(ArkaException.closed());
      } else {
        waiters.get(level.ordinal()).add(new Waiter(number, future));
        work.signal();
      }
      return future;
    });
  }

  /** Nobody waits for that one any more. */
  void forget(CompletableFuture<Void> future, Level level) {
    locked(() -> waiters.get(level.ordinal()).removeIf(waiter -> waiter.future == future));
  }

  /** Nothing will be acknowledged any more: tells those who wait. Again: no effect. */
  void end(ArkaException error, boolean failed) {
    List<CompletableFuture<Void>> waiting = new ArrayList<>();
    lock.lock();
    try {
      if (failed && !ended) {
        failure = error;
      }
      closing = true;
      ended = true;
      for (PriorityQueue<Waiter> level : waiters) {
        level.forEach(waiter -> waiting.add(waiter.future));
        level.clear();
      }
      room.signalAll();
    } finally {
      lock.unlock();
    }
    waiting.forEach(future -> future.completeExceptionally(error));
    if (feed != null) {
      feed.end();
    }
  }

  // For the courier and its connection.

  /** Changes what the courier looks at, and has it look. */
  void signal(Runnable change) {
    lock.lock();
    try {
      change.run();
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // The same, with the lock held.

  /** Whether there is something to send, or somebody waits for acks. */
  boolean isNeeded() {
    return !kept.isEmpty() || waiters.stream().anyMatch(level -> !level.isEmpty())
        || feed != null && ledger.reached(COMMITTED) < last;
  }

  /** A new connection, of whose acks that one is the reader: everything that is kept is due. */
  void begin(AckReader reader) {
    current = reader;
    ledger.begin();
    unsent.clear();
    unsent.addAll(kept);
    unnamed.clear();
  }

  /** The next write to send, which is due no longer; null: none. */
  Write next() {
    Write write = unsent.poll();
    if (write != null) {
      unnamed.add(write);
      ledger.sent(write.number);
      sentEver = Math.max(sentEver, write.number);
    }
    return write;
  }

  boolean hasNext() {
    return !unsent.isEmpty();
  }

  boolean hasKept() {
    return !kept.isEmpty();
  }

  /** Everything that was on LOCAL_DISK is committed and forgotten: the rest is numbered from 1. */
  void numberAnew() {
    offset = -ledger.reached(LOCAL_DISK);
  }

  // For who reads acks.

  /** Takes in a message of acks: frees what is on disk, tells those who wait. */
  void take(FlightMessage message, AckReader reader) {
    List<CompletableFuture<Void>> done = new ArrayList<>();
    lock.lock();
    try {
      try {
        if (reader == current) {
          reader.read(message, this);
        }
      } finally { // what came before a violation holds
        free();
        resolve(done);
      }
    } finally {
      lock.unlock();
      done.forEach(future -> future.complete(null));
    }
  }

  @Override
  public void ack(long lsn, Level level, long micros, long snapshot) {
    ledger.ack(lsn, level, micros, snapshot);
  }

  @Override
  public void watermarks(Watermarks told) {
    marks = told;
    ledger.watermarks(told);
  }

  private void reached(long number, long lsn, Level level, long micros, long snapshot) {
    if (level == MEMORY) {
      Write write = unnamed.poll();
      if (write.lsn == lsn) {
        return; // sent again, and known by that LSN already
      }
      write.lsn = lsn;
    }
    if (feed != null) {
      feed.put(lsn, level, number + offset, micros, snapshot);
    }
  }

  private void free() {
    long onDisk = ledger.reached(LOCAL_DISK);
    long before = held;
    while (!kept.isEmpty() && kept.peek().number <= onDisk) {
      Write write = kept.poll();
      write.encoded = null;
      held -= write.bytes;
    }
    if (held < before) {
      room.signalAll();
    }
  }

  private void resolve(List<CompletableFuture<Void>> done) {
    for (Level level : Level.values()) {
      PriorityQueue<Waiter> waiting = waiters.get(level.ordinal());
      while (!waiting.isEmpty() && waiting.peek().number <= ledger.reached(level)) {
        done.add(waiting.poll().future);
      }
    }
  }

  // For who looks.

  long last() {
    return locked(() -> last);
  }

  long sentEver() {
    return locked(() -> sentEver);
  }

  long offset() {
    return locked(() -> offset);
  }

  long held() {
    return locked(() -> held);
  }

  long reached(Level level) {
    return locked(() -> ledger.reached(level));
  }

  long reachedLsn(Level level) {
    return locked(() -> ledger.reachedLsn(level));
  }

  /** When the connection that was lost then began to be missed: of a write that came later, when it came. */
  long missedSince(long lostAt) {
    return locked(() -> {
      long oldest = kept.isEmpty() ? lostAt : ledger.oldestBelow(LOCAL_DISK);
      return oldest - lostAt > 0 ? oldest : lostAt;
    });
  }

  Duration age(Level level) {
    return locked(() -> ledger.reached(level) == last ? Duration.ZERO
        : Duration.ofNanos(Math.max(0, System.nanoTime() - ledger.oldestBelow(level))));
  }

  /** The write that has this LSN, or one behind it where that is not known for sure. */
  long numberOf(long lsn) {
    return locked(() -> {
      long number = ledger.numberOf(lsn);
      if (number == 0 && kept.isEmpty()) { // else the ack that tells it may be on its way
        throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT, "LSN " + lsn + " is none of this stream");
      }
      return number == 0 ? last : number;
    });
  }

  Watermarks watermarks() {
    return locked(() -> marks);
  }

  List<Write> pending() {
    return locked(() -> List.copyOf(kept));
  }

  /** Why nothing is taken on any more; null: it is. */
  ArkaException over() {
    return locked(() -> failure == null && closing ? ArkaException.closed() : failure);
  }

  /** Whether it came to its end, and not by a failure. */
  boolean isClosed() {
    return locked(() -> ended && failure == null);
  }

  <T> T locked(Supplier<T> look) {
    lock.lock();
    try {
      return look.get();
    } finally {
      lock.unlock();
    }
  }
}
