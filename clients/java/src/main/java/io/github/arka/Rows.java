package io.github.arka;

import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The answer to a query, batch by batch: {@link #next}, then {@link #root}. Close it, in whichever state, for its
 * memory. For one thread at a time.
 */
public final class Rows implements AutoCloseable {
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
    try {
      stream.close();
    } catch (Exception e) {
      throw ArkaException.of(e);
    } finally {
      onClose.run();
    }
  }
}
