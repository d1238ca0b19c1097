package io.github.arka;

import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The answer to a query, batch by batch: {@link #next}, then {@link #root}. Close it, in whichever state, for its
 * memory. For one thread at a time.
 */
public final class Rows implements AutoCloseable {
  private static final int CLOSE_ATTEMPTS = 20; // more than Flight lets be on their way

  private final FlightStream stream;
  private final Runnable onClose;

  Rows(FlightStream stream, Runnable onClose) {
    this.stream = stream;
    this.onClose = onClose;
  }

  /** The columns of the answer. */
  public Schema schema() {
    return stream.getSchema();
  }

  /** Brings the next batch; false: there are no more. */
  public boolean next() {
    try {
      return stream.next();
    } catch (RuntimeException e) {
      throw ArkaException.of(e);
    }
  }

  /** The batch, until the next is asked for. */
  public VectorSchemaRoot root() {
    return stream.getRoot();
  }

  /** Ends the query where it still runs. */
  @Override
  public void close() {
    onClose.run();
    close(stream);
  }

  /**
   * Flight takes in what is still on its way before it frees its memory. At what it cannot read, or when the thread is
   * interrupted, it fails and has freed nothing; each time there is less on its way.
   */
  static void close(FlightStream stream) {
    boolean interrupted = Thread.interrupted();
    try {
      for (int attempt = 1;; ++attempt) {
        try {
          stream.close();
          return;
        } catch (Exception e) {
          interrupted |= e.getCause() instanceof InterruptedException;
          if (attempt == CLOSE_ATTEMPTS) {
            throw ArkaException.of(e);
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
