package io.github.arka;

import static io.github.arka.Level.LOCAL_DISK;

import io.grpc.Deadline;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.OversizedAllocationException;

/**
 * Gathers rows into batches, made by {@link ArkaClient#appender}: a batch of one row costs nearly what one of a thousand
 * does. Methods may be called from any thread.
 *
 * <p>A row is a Map of column names to values, or a record whose components are columns; a column that it does not have
 * is null. Values are Java's own: numbers, String, byte[], Boolean, BigDecimal, LocalDate, LocalTime, Instant (or
 * LocalDateTime, where the column has no zone), UUID, List, and Map for maps and structs. A row that does not fit is
 * refused as a whole with INVALID_ARGUMENT, which names the column; the others are written.
 */
public final class ArkaAppender implements AutoCloseable {
  private static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(10); // until there may be room

  private final ArkaClient client;
  private final ArkaStream stream;
  private final int maxRows;
  private final long maxBytes;
  private final long lingerNanos;
  private final BufferAllocator allocator;
  private final VectorSchemaRoot root;
  private final Column[] columns;
  private final Map<String, Integer> places = new HashMap<>();
  private final int width;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition begun = lock.newCondition();
  // Guarded by the lock.
  private final Map<Class<?>, Method[]> accessors = new HashMap<>(); // of records: by column, null: has none
  private final Object[] row;
  private int rows;
  private long bytes;
  private long firstAt;
  private ArkaException error; // why the rows cannot be written any more
  private boolean closed;

  /** How an appender is opened. */
  public static final class Builder {
    private final ArkaClient client;
    private final String table;
    private final ArkaStream.Builder stream;
    private Schema schema;
    private int maxRows = 10_000;
    private long maxBytes = 1 << 20;
    private Duration linger = Duration.ofMillis(50);

    Builder(ArkaClient client, String table) {
      this.client = client;
      this.table = table;
      this.stream = client.stream(table);
    }

    /** The columns of the rows; that of the table unless given, which must be there then. */
    public Builder schema(Schema schema) {
      this.schema = schema;
      return this;
    }

    /** A batch is written when it has so many rows: 10,000 unless given. */
    public Builder maxRows(int rows) {
      this.maxRows = rows;
      return this;
    }

    /** A batch is written when it has about so many bytes: 1 MiB unless given. */
    public Builder maxBytes(long bytes) {
      this.maxBytes = bytes;
      return this;
    }

    /** A batch is written when its first row has waited for so long: 50 ms unless given. */
    public Builder linger(Duration linger) {
      this.linger = linger;
      return this;
    }

    /** How the batches are written: producer, session, budget, deadline, onAck. */
    public Builder stream(Consumer<ArkaStream.Builder> options) {
      options.accept(stream);
      return this;
    }

    /** Opens the appender, and the stream of its batches. */
    public ArkaAppender open() {
      Schema columns = schema == null ? client.schema(table) : schema;
      ArkaStream opened = stream.schema(columns).open();
      try {
        ArkaAppender appender = new ArkaAppender(this, opened, columns);
        client.register(appender);
        return appender;
      } catch (RuntimeException e) {
        opened.abort();
        throw e;
      }
    }
  }

  private ArkaAppender(Builder given, ArkaStream stream, Schema schema) {
    this.client = given.client;
    this.stream = stream;
    this.maxRows = given.maxRows;
    this.maxBytes = given.maxBytes;
    this.lingerNanos = given.linger.toNanos();
    this.allocator = client.allocator().newChildAllocator("arka appender " + given.table, 0, Long.MAX_VALUE);
    this.columns = new Column[schema.getFields().size()];
    this.row = new Object[columns.length];
    int sum = 0;
    try {
      this.root = VectorSchemaRoot.create(schema, allocator);
      for (int i = 0; i < columns.length; ++i) {
        FieldVector vector = root.getVector(i);
        columns[i] = new Column(vector);
        places.put(vector.getName(), i);
        sum += Column.width(vector);
        vector.allocateNew();
      }
    } catch (RuntimeException e) {
      release();
      throw e;
    }
    this.width = sum;
    this.thread = new Thread(this::run, "arka appender " + given.table);
    thread.setDaemon(true);
    thread.start();
  }

  /** What writes the batches: its acks, its lag, what it holds. */
  public ArkaStream stream() {
    return stream;
  }

  /**
   * Takes one row. It waits only where the stream does: when the budget is used up. A row for which there is no room
   * (DEADLINE_EXCEEDED) is not taken; those before it are.
   */
  public void append(Map<String, ?> values) {
    lock.lock();
    try {
      makeRoom();
      int found = 0;
      for (int i = 0; i < columns.length; ++i) {
        row[i] = values.get(columns[i].name());
        if (row[i] != null) {
          ++found;
        }
      }
      if (found < values.size()) {
        for (String name : values.keySet()) {
          if (!places.containsKey(name)) {
            throw noColumn(name);
          }
        }
      }
      take();
    } finally {
      lock.unlock();
    }
  }

  /** Takes one row, as with a Map. The record's class must be accessible: public, or in an open package. */
  public void append(Record values) {
    lock.lock();
    try {
      makeRoom();
      Method[] accessor = accessors.get(values.getClass());
      if (accessor == null) {
        accessor = accessors(values.getClass());
      }
      for (int i = 0; i < columns.length; ++i) {
        row[i] = accessor[i] == null ? null : accessor[i].invoke(values);
      }
      take();
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT, "the record cannot be read: " + e, false, e);
    } finally {
      lock.unlock();
    }
  }

  private Method[] accessors(Class<?> kind) {
    Method[] found = new Method[columns.length];
    for (RecordComponent component : kind.getRecordComponents()) {
      Integer place = places.get(component.getName());
      if (place == null) {
        throw noColumn(component.getName());
      }
      found[place] = component.getAccessor();
      found[place].trySetAccessible();
    }
    accessors.put(kind, found);
    return found;
  }

  private static ArkaException noColumn(String name) {
    return new ArkaException(ArkaException.Code.INVALID_ARGUMENT, "there is no column \"" + name + "\"");
  }

  /** As {@link #flush(Level, Duration)}, for at most the stream's deadline. */
  public void flush(Level level) {
    flush(level, stream.deadline());
  }

  /** Writes what was gathered, and waits until every row so far has reached the level, as the stream's flush. */
  public void flush(Level level, Duration timeout) {
    Deadline until = ArkaStream.after(timeout);
    lock(until);
    try {
      check();
      write(ArkaStream.left(until));
    } finally {
      lock.unlock();
    }
    stream.flush(level, ArkaStream.left(until));
  }

  /** Writes what was gathered, waits until every row is on LOCAL_DISK, for at most the deadline, and ends the stream. */
  @Override
  public void close() {
    close(LOCAL_DISK, stream.deadline());
  }

  /**
   * Writes what was gathered, and closes the stream, as its close does: within its timeout. Rows that it could not write
   * by then are gone, and the error says so. Closing again does nothing.
   */
  public void close(Level level, Duration timeout) {
    Deadline until = ArkaStream.after(timeout);
    ArkaException failure = null;
    try {
      lock(until);
    } catch (ArkaException e) {
      failure = e;
      stream.abort(); // so whoever has the lock does not wait any more
      lock.lock();
    }
    try {
      if (closed) {
        return;
      }
      closed = true;
      begun.signal();
      if (failure == null) {
        writeLast(ArkaStream.left(until));
      }
    } catch (RuntimeException e) {
      failure = ArkaException.of(e);
    } finally {
      lock.unlock();
    }
    client.remove(this);
    try {
      stream.close(level, ArkaStream.left(until));
    } catch (ArkaException e) {
      failure = failure == null ? e : failure;
    } finally {
      release();
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Takes the lock, which may be held by one who waits for room. */
  private void lock(Deadline until) {
    try {
      if (!lock.tryLock(until.timeRemaining(TimeUnit.NANOSECONDS), TimeUnit.NANOSECONDS)) {
        throw ArkaException.late("another thread still waits for room");
      }
    } catch (InterruptedException e) {
      throw ArkaException.interrupted();
    }
  }

  // With the lock held.

  private void check() {
    if (closed) {
      throw new ArkaException(ArkaException.Code.FAILED_PRECONDITION, "the appender is closed");
    }
    if (error != null) {
      throw error.again();
    }
  }

  private void makeRoom() {
    check();
    if (isFull()) { // when the last of them came there was no room for them
      write(stream.deadline());
    }
  }

  private boolean isFull() {
    return rows > 0 && (rows >= maxRows || bytes >= maxBytes);
  }

  private void take() {
    long size = width;
    int at = 0;
    try {
      for (; at < columns.length; ++at) {
        size += columns[at].set(rows, row[at]);
      }
    } catch (Column.Misfit | ArithmeticException e) {
      throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
          "the column \"" + columns[at].name() + "\": " + e.getMessage(), false, e);
    } catch (OutOfMemoryException | OversizedAllocationException e) {
      throw new ArkaException(ArkaException.Code.RESOURCE_EXHAUSTED,
          "the column \"" + columns[at].name() + "\": " + e.getMessage(), false, e);
    }
    bytes += size;
    if (++rows == 1) {
      firstAt = System.nanoTime();
      begun.signal();
    }
    if (isFull() && !tryWrite()) {
      begun.signal();
    }
  }

  /** Where there is no room within that time the rows stay: DEADLINE_EXCEEDED. */
  private void write(Duration timeout) {
    if (rows == 0) {
      return;
    }
    root.setRowCount(rows);
    try {
      stream.write(root, timeout);
    } catch (ArkaException e) {
      error = stream.over();
      throw error == null ? e : error.again();
    }
    root.getFieldVectors().forEach(FieldVector::reset);
    rows = 0;
    bytes = 0;
  }

  /** As write, but does not wait; false: there is no room. */
  private boolean tryWrite() {
    try {
      write(Duration.ZERO);
      return true;
    } catch (ArkaException e) {
      if (error != null || e.code() != ArkaException.Code.DEADLINE_EXCEEDED) {
        throw e;
      }
      return false;
    }
  }

  private void writeLast(Duration timeout) {
    try {
      write(timeout);
    } catch (ArkaException e) {
      throw new ArkaException(
          e.code(), rows + " rows that were gathered are not written: " + e.text(), e.retryable(), e);
    }
  }

  private void release() {
    if (root != null) {
      root.close();
    }
    allocator.close();
  }

  /** Writes what has waited for long enough, for more rows or for room. */
  private void run() {
    lock.lock();
    try {
      while (!closed && error == null) {
        long left = firstAt + lingerNanos - System.nanoTime();
        if (rows == 0) {
          begun.await();
        } else if (left > 0 && !isFull()) {
          begun.awaitNanos(left);
        } else if (!tryWrite()) {
          begun.awaitNanos(AGAIN_NANOS);
        }
      }
    } catch (RuntimeException e) {
      error = ArkaException.of(e);
    } catch (InterruptedException e) {
      // Somebody wants the thread to end; rows are written when there are enough of them.
    } finally {
      lock.unlock();
    }
  }
}
