package io.github.arka;

import static io.github.arka.Level.LOCAL_DISK;

import io.grpc.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A sequence of writes to one table, made by {@link ArkaClient#stream}. Methods may be called from any thread; writes get
 * their order from the order of the calls.
 *
 * <p>Every batch is kept until it is on the server's disk. After a lost connection, or a crash of the server, the stream
 * connects again and sends what is kept once more; the server writes nothing twice.
 */
public final class ArkaStream implements AutoCloseable {
  private static final long SHORTEST_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final ArkaClient client;
  private final Endpoint endpoint;
  private final Courier.Place place;
  private final String session;
  private final Duration deadline;
  private final DictionaryProvider dictionaries;
  private final AckFeed feed;
  private final Outbox outbox;
  private final Courier courier;
  private volatile Batches batches; // null before the first write, where no schema was given

  /** How a stream is opened; what is not given is the client's. */
  public static final class Builder extends StreamOptions<Builder> {
    private final ArkaClient client;
    private final List<String> table;
    private Schema schema;
    private DictionaryProvider dictionaries;
    private String producer;
    private Consumer<Ack> onAck;

    Builder(ArkaClient client, String table) {
      super(client.session(), client.deadline(), client.budget());
      this.client = client;
      this.table = ArkaClient.path(table);
    }

    @Override
    Builder self() {
      return this;
    }

    /** The schema of the batches. With it {@link #open} waits until the server has taken the stream. */
    public Builder schema(Schema schema) {
      this.schema = schema;
      return this;
    }

    /** Where the dictionaries of dictionary-encoded columns are. What they hold may change from write to write. */
    public Builder dictionaries(DictionaryProvider provider) {
      this.dictionaries = provider;
      return this;
    }

    /**
     * Names a sequence of writes that goes on where an earlier program left it, and ends the streams of that program;
     * without, the stream has a random name of its own.
     */
    public Builder producer(String name) {
      this.producer = ArkaClient.clientName(name);
      return this;
    }

    /** Is told, in a thread of its own, of every level that a write reaches. One that is very slow misses the oldest. */
    public Builder onAck(Consumer<Ack> listener) {
      this.onAck = listener;
      return this;
    }

    /** Opens the stream. */
    public ArkaStream open() {
      return client.add(new ArkaStream(this));
    }
  }

  private ArkaStream(Builder given) {
    client = given.client;
    endpoint = client.endpoint();
    session = given.session;
    deadline = given.deadline;
    dictionaries = given.dictionaries;
    if (given.schema != null) {
      batches = new Batches(given.schema, dictionaries);
    }
    place = given.producer == null
        ? new Courier.Place("arka-java-" + UUID.randomUUID(), given.table, 0, 0, 0)
        : Courier.claim(endpoint, given.producer, given.table, after(deadline));
    feed = given.onAck == null ? null : new AckFeed("arka acks " + place.tableName(), given.onAck);
    outbox = new Outbox(given.budget, place.lastSeq(), feed);
    courier = new Courier(endpoint, outbox, place, session, deadline, () -> batches, batches != null);
    if (batches != null) {
      try {
        get(courier.connected, deadline.plusNanos(Courier.END_PATIENCE_NANOS), () -> "no connection");
      } catch (ArkaException e) {
        abort();
        throw e;
      }
    }
  }

  static Deadline after(Duration duration) {
    return Deadline.after(Math.max(duration.toNanos(), SHORTEST_NANOS), TimeUnit.NANOSECONDS);
  }

  // Writing

  /** As {@link #write(VectorSchemaRoot, Duration)}, with the stream's deadline. */
  public Write write(VectorSchemaRoot root) {
    return write(root, deadline);
  }

  /**
   * Hands the rows over as one write, and returns. Where the budget is used up it waits for room, at most for that
   * long. The rows are encoded at once: the root may be changed or closed afterwards.
   */
  public Write write(VectorSchemaRoot root, Duration timeout) {
    return put(root, timeout, true);
  }

  /** As write, but fails at once, with RESOURCE_EXHAUSTED, where the budget is used up. */
  public Write tryWrite(VectorSchemaRoot root) {
    return put(root, Duration.ZERO, false);
  }

  private Write put(VectorSchemaRoot root, Duration timeout, boolean block) {
    Batches encoder = batches;
    if (encoder == null) {
      encoder = begin(root.getSchema());
    }
    return outbox.put(this, encoder.encode(root), timeout, block);
  }

  private synchronized Batches begin(Schema schema) {
    if (batches == null) {
      batches = new Batches(schema, dictionaries);
    }
    return batches;
  }

  /** As {@link #writeDurable(VectorSchemaRoot, Level, Duration)}, with the stream's deadline. */
  public long writeDurable(VectorSchemaRoot root, Level level) {
    return writeDurable(root, level, deadline);
  }

  /** Writes, and waits until the write has reached the level; returns its LSN. */
  public long writeDurable(VectorSchemaRoot root, Level level, Duration timeout) {
    Deadline until = after(timeout);
    Write write = write(root, timeout);
    return write.await(level, left(until));
  }

  // Waiting

  /** Waits until every write so far has reached the level, for at most the stream's deadline. */
  public void waitForDurability(Level level) {
    await(outbox.last(), level, deadline);
  }

  /** Waits until every write so far has reached the level. */
  public void waitForDurability(Level level, Duration timeout) {
    await(outbox.last(), level, timeout);
  }

  /** Waits until the write with that LSN, and every one of the stream before it, has reached the level. */
  public void waitForDurability(long lsn, Level level, Duration timeout) {
    await(outbox.numberOf(lsn), level, timeout);
  }

  /** As {@link #flush(Level, Duration)}, for at most the stream's deadline. */
  public void flush(Level level) {
    flush(level, deadline);
  }

  /**
   * Waits until every write so far has reached the level, and has the server hurry: upload and commit begin at once,
   * not at their next interval.
   */
  public void flush(Level level, Duration timeout) {
    Deadline until = after(timeout);
    long last = outbox.last();
    if (level.compareTo(LOCAL_DISK) > 0 && outbox.reached(level) < last) {
      await(last, LOCAL_DISK, timeout); // the action speaks of what the server has when it is called
      endpoint.ask("flush", Map.of("level", level.name(), "table", place.tableName()), until);
    }
    await(last, level, left(until));
  }

  CompletableFuture<Void> reached(long number, Level level) {
    return outbox.when(number, level).thenApplyAsync(done -> done, client.completions());
  }

  void await(long number, Level level, Duration timeout) {
    CompletableFuture<Void> future = outbox.when(number, level);
    try {
      get(future, timeout, () -> outbox.reached(level) + " of " + outbox.last() + " writes have reached " + level);
    } finally {
      if (!future.isDone()) {
        outbox.forget(future, level);
      }
    }
  }

  private static void get(CompletableFuture<Void> future, Duration timeout, Supplier<String> late) {
    try {
      future.get(Math.max(timeout.toNanos(), 0), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw ArkaException.late(late.get() + " within " + timeout.toMillis() + " ms");
    } catch (ExecutionException e) {
      throw ArkaException.of(e).again();
    } catch (InterruptedException e) {
      throw ArkaException.interrupted();
    }
  }

  static Duration left(Deadline until) {
    return Duration.ofNanos(Math.max(until.timeRemaining(TimeUnit.NANOSECONDS), 0));
  }

  // Looking

  /** The name under which the writes are numbered. */
  public String producer() {
    return place.producer();
  }

  /** The name by which {@link ArkaClient#durabilityStatus} asks. */
  public String session() {
    return session;
  }

  /** The table's name. */
  public String table() {
    return place.tableName();
  }

  /** The stream's deadline. */
  public Duration deadline() {
    return deadline;
  }

  /** The number that the next write gets: where a producer that was given a name goes on. */
  public long nextSeq() {
    return seqOf(outbox.last() + 1);
  }

  /** How many writes were handed over. */
  public long writes() {
    return outbox.last();
  }

  /** How many of them have reached the level. */
  public long reached(Level level) {
    return outbox.reached(level);
  }

  /** How long ago the oldest write that has not reached the level was handed over; zero: all have reached it. */
  public Duration age(Level level) {
    return outbox.age(level);
  }

  /** Bytes that are kept because they are not on LOCAL_DISK yet: at most the budget, or one batch. */
  public long heldBytes() {
    return outbox.held();
  }

  /** What the server last said of all its writes; zeros before it did. */
  public Watermarks watermarks() {
    return outbox.watermarks();
  }

  /** The writes that are not on LOCAL_DISK, in order: after an error, what may not have been written. */
  public List<Write> pending() {
    return outbox.pending();
  }

  long seqOf(long number) {
    return number + outbox.offset();
  }

  Optional<Level> levelOf(long number) {
    Level[] levels = Level.values();
    for (int at = levels.length - 1; at >= 0; --at) {
      if (number <= outbox.reached(levels[at])) {
        return Optional.of(levels[at]);
      }
    }
    return Optional.empty();
  }

  /** Why it takes no more writes; null: it does. */
  ArkaException over() {
    return outbox.over();
  }

  byte[] toArrowStream(Batches.Encoded encoded) {
    return batches.toArrowStream(encoded);
  }

  // The end

  /** Waits until every write is on LOCAL_DISK, for at most the deadline, and ends the stream. */
  @Override
  public void close() {
    close(LOCAL_DISK, deadline);
  }

  /**
   * Takes no more writes, waits until every one has reached the level, and ends the stream. It is over within the
   * timeout: then DEADLINE_EXCEEDED, and what is {@link #pending} may not be written. Closing again does nothing.
   */
  public void close(Level level, Duration timeout) {
    Deadline until = after(timeout);
    if (outbox.isClosed()) {
      return;
    }
    outbox.close();
    try {
      await(outbox.last(), level, timeout);
    } catch (RuntimeException e) {
      abort();
      throw e;
    }
    courier.finish(until.timeRemaining(TimeUnit.NANOSECONDS));
    abort(); // all is said; it is only to be gone
    if (feed != null) {
      feed.join(until.timeRemaining(TimeUnit.NANOSECONDS));
    }
  }

  /** Ends the stream at once. Whether what is {@link #pending} was written is not known. */
  public void abort() {
    outbox.close();
    courier.abort();
    client.remove(this);
  }
}
