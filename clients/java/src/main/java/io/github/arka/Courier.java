package io.github.arka;

import static io.github.arka.Level.LOCAL_DISK;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.Deadline;
import io.grpc.Metadata;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.arrow.flight.impl.Flight;

/**
 * The thread that carries a stream's outbox to the server: it dials, sends, and after a failure dials again and sends
 * what is not on LOCAL_DISK once more, under the same seq, which the server writes once.
 */
final class Courier {
  /** For a peer to end a stream on which all is said. */
  static final long END_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

  // For an attempt to connect: gRPC would wait for ever for a peer who takes the connection and says nothing.
  private static final long SHORTEST_ATTEMPT_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LONGEST_ATTEMPT_NANOS = TimeUnit.SECONDS.toNanos(20);

  private static final int SENT_AT_ONCE = 64;

  /** Done when the server has taken the stream for the first time. */
  final CompletableFuture<Void> connected = new CompletableFuture<>();

  private final Endpoint endpoint;
  private final Outbox outbox;
  private final Place place;
  private final String session;
  private final Duration deadline;
  private final Supplier<Batches> batches;
  private final Thread thread;

  // Guarded by the outbox's lock.
  private Exchange exchange; // null: no connection
  private boolean wanted; // a connection, though nothing is to be sent yet
  private boolean ending;
  private boolean aborted;
  private boolean rested; // before the attempt of now there was no need of a connection
  private boolean opened; // the attempt of now became one

  /**
   * Where a producer is in a table.
   *
   * @param table its path
   * @param epoch what fences programs of the same name that were started before; 0: a random name needs none
   * @param lsn of its last write before this stream; 0: not known
   */
  record Place(String producer, List<String> table, long epoch, long lastSeq, long lsn) {
    String tableName() {
      return String.join(".", table);
    }
  }

  /** `batches` answers how to encode once there is something to send; `atOnce`: dials before there is. */
  Courier(Endpoint endpoint, Outbox outbox, Place place, String session, Duration deadline,
      Supplier<Batches> batches, boolean atOnce) {
    this.endpoint = endpoint;
    this.outbox = outbox;
    this.place = place;
    this.session = session;
    this.deadline = deadline;
    this.batches = batches;
    this.wanted = atOnce;
    this.thread = new Thread(this::run, "arka stream " + place.tableName());
    thread.setDaemon(true);
    thread.start();
  }

  /** Claims the producer's name, so that no program of before can write under it any more; and finds its place. */
  static Place claim(Endpoint endpoint, String producer, List<String> table, Deadline until) {
    String name = String.join(".", table);
    Map<String, Object> names = Map.of("producer", producer, "table", name);
    JsonNode claimed = endpoint.ask("claim_producer", names, until);
    JsonNode known = claimed;
    if (claimed.path("last_seq").asLong() > 0) {
      // What a predecessor wrote may be in memory only. A crash would take it, and leave a gap below the numbers of
      // this stream that nobody could fill; one may have come before the flush.
      endpoint.ask("flush", Map.of("level", LOCAL_DISK.name(), "table", name), until);
      known = endpoint.ask("last_seq", names, until);
    }
    return new Place(producer, table, claimed.path("epoch").asLong(), known.path("last_seq").asLong(),
        known.path("lsn").asLong());
  }

  /** Half-closes once everything is sent, and waits for the end, which may come later. */
  void finish(long nanos) {
    outbox.signal(() -> ending = true);
    join(Math.min(END_PATIENCE_NANOS, nanos));
  }

  /** Ends the connection as it is. */
  void abort() {
    outbox.signal(() -> {
      aborted = true;
      if (exchange != null) {
        exchange.cancel();
      }
    });
    thread.interrupt(); // it may be in a call
    join(END_PATIENCE_NANOS);
    end(ArkaException.closed(), false);
  }

  private void join(long nanos) {
    try {
      if (nanos > 0 && thread != Thread.currentThread()) {
        TimeUnit.NANOSECONDS.timedJoin(thread, nanos);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void end(ArkaException error, boolean failed) {
    outbox.end(error, failed);
    connected.completeExceptionally(error);
  }

  private void run() {
    ArkaException failure = null;
    try {
      failure = serveUntilTheEnd();
    } catch (InterruptedException e) {
      // aborted
    } catch (Throwable e) { // a defect, or no memory: it must not hang a caller
      failure = ArkaException.of(e);
    }
    boolean failed = failure != null && !isAborted();
    end(failed ? failure : ArkaException.closed(), failed);
  }

  /** One connection after the other; returns what the stream failed with, if it did. */
  private ArkaException serveUntilTheEnd() throws InterruptedException {
    long lostAt = 0;
    boolean lost = false;
    for (int attempt = 0; awaitWork(); ++attempt) {
      lost &= !outbox.locked(() -> rested); // nobody missed the connection until now
      long began = System.nanoTime();
      long before = outbox.reached(LOCAL_DISK);
      long left = lost ? outbox.missedSince(lostAt) + deadline.toNanos() - began : deadline.toNanos();
      ArkaException failure;
      try {
        failure = serve(Deadline.after(
            Math.min(Math.max(left, SHORTEST_ATTEMPT_NANOS), LONGEST_ATTEMPT_NANOS), TimeUnit.NANOSECONDS));
      } catch (ArkaException e) {
        failure = e;
      }
      if (failure == null || isAborted()) {
        return null;
      }
      if (!failure.retryable()) {
        return failure;
      }
      long now = System.nanoTime();
      if (!lost || outbox.reached(LOCAL_DISK) > before || outbox.locked(() -> opened && !outbox.hasKept())) {
        lost = true;
        lostAt = outbox.locked(() -> opened) ? now : began;
        attempt = 0;
      }
      long missed = now - outbox.missedSince(lostAt);
      if (missed >= deadline.toNanos()) {
        return new ArkaException(ArkaException.Code.DEADLINE_EXCEEDED, "the connection is lost for "
            + TimeUnit.NANOSECONDS.toMillis(missed) + " ms; the last failure: " + failure.getMessage(),
            true, failure);
      }
      pause(Endpoint.delayMillis(attempt));
    }
    return null;
  }

  /** Waits until a connection is needed; false: never again. */
  private boolean awaitWork() throws InterruptedException {
    outbox.lock.lock();
    try {
      rested = false;
      while (true) {
        if (aborted || ending && !outbox.hasKept()) {
          return false;
        }
        if (wanted || outbox.isNeeded()) {
          opened = false;
          return true;
        }
        rested = true;
        outbox.work.await();
      }
    } finally {
      outbox.lock.unlock();
    }
  }

  private void pause(long millis) throws InterruptedException {
    outbox.lock.lock();
    try {
      for (long left = TimeUnit.MILLISECONDS.toNanos(millis); left > 0 && !aborted;) {
        left = outbox.work.awaitNanos(left);
      }
    } finally {
      outbox.lock.unlock();
    }
  }

  /** One connection, from its beginning to its end. Null: it ended because the stream did. */
  private ArkaException serve(Deadline connectBy) throws InterruptedException {
    findPlace(connectBy);
    AckReader reader = new AckReader();
    outbox.signal(() -> outbox.begin(reader));
    Exchange now = new Exchange(endpoint, outbox, reader, headers(), opening(), () -> {
      outbox.signal(() -> {
        wanted = false;
        opened = true;
      });
      connected.complete(null);
    });
    outbox.signal(() -> {
      exchange = now;
      if (aborted) {
        now.cancel();
      }
    });
    try {
      send(now, connectBy);
      return ended(now);
    } finally {
      now.cancel();
      now.close();
      outbox.signal(() -> exchange = null);
    }
  }

  private Metadata headers() {
    Metadata headers = new Metadata();
    put(headers, "arka-producer", place.producer());
    put(headers, "arka-session", session);
    put(headers, "arka-ack-until", LOCAL_DISK.name());
    put(headers, "arka-watermarks", "true");
    if (place.epoch() != 0) {
      put(headers, "arka-producer-epoch", Long.toString(place.epoch()));
    }
    return headers;
  }

  private static void put(Metadata headers, String name, String value) {
    headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
  }

  private FlightMessage.Outgoing opening() {
    byte[] descriptor = Flight.FlightDescriptor.newBuilder()
        .setType(Flight.FlightDescriptor.DescriptorType.PATH)
        .addPath("streaming_write").addAllPath(place.table()).build().toByteArray();
    return FlightMessage.opening(descriptor, batches.get().schemaHeader());
  }

  /** Where the server is with this producer: what is sent must follow on that. */
  private void findPlace(Deadline until) {
    long sent = outbox.sentEver();
    if (sent == 0) {
      return; // as it was when the stream was opened
    }
    JsonNode known = lastSeq(until);
    long numbered = outbox.reached(LOCAL_DISK);
    long onDisk = numbered + outbox.offset();
    long lsn = numbered > 0 ? outbox.reachedLsn(LOCAL_DISK) : place.lsn();
    long lastSeq = known.path("last_seq").asLong();
    if (lastSeq == 0 && onDisk > 0 && lsn > 0 && known.path("forgotten_through").asLong(-1) >= lsn) {
      outbox.numberAnew();
    } else if (lastSeq < onDisk) {
      throw new ArkaException(ArkaException.Code.DATA_LOSS, "the server knows of " + place.producer() + " in "
          + place.tableName() + " only up to seq " + lastSeq + ", but had acknowledged " + onDisk
          + " on LOCAL_DISK: the table was made anew, or this is another server");
    } else if (lastSeq > sent + outbox.offset()) {
      throw new ArkaException(ArkaException.Code.FAILED_PRECONDITION, "somebody else writes to " + place.tableName()
          + " as " + place.producer() + ": the server has seq " + lastSeq + ", this stream has sent "
          + (sent + outbox.offset()));
    }
  }

  private JsonNode lastSeq(Deadline until) {
    try {
      return endpoint.ask("last_seq", Map.of("producer", place.producer(), "table", place.tableName()), until);
    } catch (ArkaException e) {
      if (e.code() != ArkaException.Code.NOT_FOUND) { // no such table
        throw e;
      }
      return Endpoint.JSON.createObjectNode();
    }
  }

  /** Sends what there is until the connection ends, or (after its half-close) the stream. */
  private void send(Exchange now, Deadline connectBy) throws InterruptedException {
    Write[] writes = new Write[SENT_AT_ONCE];
    Batches.Encoded[] encoded = new Batches.Encoded[SENT_AT_ONCE];
    while (true) {
      int count = 0;
      long offset;
      outbox.lock.lock();
      try {
        while (!now.isOver() && !aborted && (outbox.hasNext() ? !now.isReady() : !ending)) {
          if (now.isConnected()) {
            outbox.work.await();
          } else if (connectBy.isExpired()) {
            throw new ArkaException(ArkaException.Code.UNAVAILABLE, "a new connection is not answered", true, null);
          } else {
            outbox.work.awaitNanos(connectBy.timeRemaining(TimeUnit.NANOSECONDS));
          }
        }
        if (now.isOver() || aborted) {
          return;
        }
        offset = outbox.offset();
        // Not more than gRPC is to hold: what is sent is on its way, and cannot be stopped.
        for (long bytes = 0; count < writes.length && bytes < Exchange.READY_BYTES && outbox.hasNext(); ++count) {
          writes[count] = outbox.next();
          encoded[count] = writes[count].encoded;
          bytes += writes[count].bytes;
        }
      } finally {
        outbox.lock.unlock();
      }
      if (count == 0) {
        now.halfClose();
        return;
      }
      for (int i = 0; i < count; ++i) {
        now.send(encoded[i], writes[i].number + offset);
        writes[i] = null;
        encoded[i] = null;
      }
    }
  }

  /** Waits for the end of the connection, and says why the next one is needed; null: none is. */
  private ArkaException ended(Exchange now) throws InterruptedException {
    outbox.lock.lock();
    try {
      now.awaitEnd(END_PATIENCE_NANOS);
      if (now.error() == null && (ending || aborted)) {
        return null;
      }
      return now.error() != null ? now.error()
          : new ArkaException(ArkaException.Code.UNAVAILABLE, "the server ended the stream", true, null);
    } finally {
      outbox.lock.unlock();
    }
  }

  private boolean isAborted() {
    outbox.lock.lock();
    try {
      return aborted;
    } finally {
      outbox.lock.unlock();
    }
  }
}
