import io.github.arka.ArkaAppender;
import io.github.arka.ArkaClient;
import io.github.arka.ArkaException;
import io.github.arka.ArkaStream;
import io.github.arka.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.Text;

/**
 * What to do when the server does not keep up, and rows instead of batches.
 *
 * <p>usage: Backpressure [grpc://HOST:PORT]
 */
public class Backpressure {
  static final Schema SCHEMA = new Schema(List.of(
      Field.notNullable("sensor", new ArrowType.Utf8()),
      Field.nullable("celsius", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE)),
      Field.notNullable("at", new ArrowType.Timestamp(TimeUnit.MICROSECOND, "UTC"))));

  static VectorSchemaRoot readings(VectorSchemaRoot root, int first, int rows) {
    for (int row = 0; row < rows; row++) {
      ((VarCharVector) root.getVector("sensor")).setSafe(row, new Text("cellar"));
      ((Float8Vector) root.getVector("celsius")).setSafe(row, first + row);
      ((TimeStampMicroTZVector) root.getVector("at")).setSafe(row, first + row);
    }
    root.setRowCount(rows);
    return root;
  }

  /** Waits for at most five seconds while the budget is used up; then it is the caller's to choose. */
  static void write(ArkaStream stream, VectorSchemaRoot batch) {
    try {
      stream.write(batch, Duration.ofSeconds(5));
    } catch (ArkaException e) {
      if (e.code() == ArkaException.Code.DEADLINE_EXCEEDED) {
        System.err.println("drop it, keep it elsewhere, or try again");
      }
      throw e;
    }
  }

  /** Does not wait at all; says whether the batch was taken. */
  static boolean tryWrite(ArkaStream stream, VectorSchemaRoot batch) {
    try {
      stream.tryWrite(batch);
      return true;
    } catch (ArkaException e) {
      if (e.code() == ArkaException.Code.RESOURCE_EXHAUSTED && e.retryable()) {
        return false;
      }
      throw e;
    }
  }

  static void batches(ArkaClient client, VectorSchemaRoot root) {
    try (ArkaStream stream = client.stream("guide.readings").budget(1 << 20).open()) {
      for (int i = 0; i < 100; i++) {
        write(stream, readings(root, i * 1000, 1000));
      }
      int dropped = 0;
      for (int i = 0; i < 100; i++) {
        dropped += tryWrite(stream, readings(root, 0, 1000)) ? 0 : 1;
      }
      System.out.println("some may be dropped: " + (dropped <= 100));
    }
  }

  /** A row: the components are columns. */
  public record Reading(String sensor, Double celsius, Instant at) {}

  static void rows(ArkaClient client) {
    try (ArkaAppender appender = client.appender("guide.readings")
        .maxRows(5000).maxBytes(1 << 20).linger(Duration.ofMillis(50)).open()) {
      for (int i = 0; i < 10_000; i++) {
        appender.append(new Reading("attic", 20.5, Instant.now()));
      }
      appender.append(Map.of("sensor", "attic", "at", Instant.now())); // no value is null
      try {
        appender.append(Map.of("sensor", 7, "at", Instant.now()));
      } catch (ArkaException e) {
        System.out.println("refused: " + e.text());
      }
      appender.flush(Level.COMMITTED);
      System.out.println("all rows are committed");
    }
  }

  public static void main(String[] args) {
    String location = args.length > 0 ? args[0] : "grpc://localhost:8815";
    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot root = VectorSchemaRoot.create(SCHEMA, allocator);
         ArkaClient client = ArkaClient.connect(location)) {
      batches(client, root);
      rows(client);
    }
  }
}
