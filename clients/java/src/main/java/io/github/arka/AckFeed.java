package io.github.arka;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Tells one listener of acks, in a thread of its own: a slow one holds up neither acks nor writes. */
final class AckFeed {
  private static final int KEPT = 1 << 18; // beyond that the oldest are forgotten

  private final ArrayDeque<Heard> waiting = new ArrayDeque<>();
  private final Thread thread;
  private boolean ended;

  private record Heard(long lsn, Level level, long seq, long micros, long snapshot) {
    Ack ack() {
      Instant at = micros < 0 ? null
          : Instant.ofEpochSecond(micros / 1_000_000, micros % 1_000_000 * 1000);
      return new Ack(lsn, level, seq, at, snapshot < 0 ? null : snapshot);
    }
  }

  AckFeed(String name, Consumer<Ack> listener) {
    thread = new Thread(() -> run(listener), name);
    thread.setDaemon(true);
    thread.start();
  }

  synchronized void put(long lsn, Level level, long seq, long micros, long snapshot) {
    if (waiting.size() == KEPT) {
      waiting.poll();
    }
    waiting.add(new Heard(lsn, level, seq, micros, snapshot));
    if (waiting.size() == 1) {
      notifyAll();
    }
  }

  /** There will be no more. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** Waits until the listener has heard all. */
  void join(long nanos) {
    if (thread == Thread.currentThread() || nanos <= 0) {
      return;
    }
    try {
      TimeUnit.NANOSECONDS.timedJoin(thread, nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(Consumer<Ack> listener) {
    try {
      for (Heard heard; (heard = next()) != null;) {
        try {
          listener.accept(heard.ack());
        } catch (Throwable e) { // the listener's own: it goes where errors of threads go
          thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
      }
    } catch (InterruptedException e) {
      // Somebody wants the thread to end.
    }
  }

  private synchronized Heard next() throws InterruptedException {
    while (waiting.isEmpty() && !ended) {
      wait();
    }
    return waiting.poll();
  }
}
