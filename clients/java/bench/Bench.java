import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.arka.ArkaAppender;
import io.github.arka.ArkaClient;
import io.github.arka.ArkaStream;
import io.github.arka.Level;
import io.github.arka.Write;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/** How fast the Java client writes, and how fast flight-core alone: bench/clients/README.md says how it is run. */
public final class Bench {
  private static final Schema SCHEMA = new Schema(List.of(
      Field.notNullable("number", new ArrowType.Int(64, true)), Field.nullable("text", new ArrowType.Utf8())));

  final String url;
  final String table;
  final int inFlight;
  private final int rows;
  private final double seconds;
  final BufferAllocator allocator = new RootAllocator();
  final VectorSchemaRoot root = VectorSchemaRoot.create(SCHEMA, allocator);
  private final BigIntVector numbers = (BigIntVector) root.getVector("number");
  private final VarCharVector texts = (VarCharVector) root.getVector("text");

  /** A row as the appender takes it. */
  public record Row(long number, String text) {}

  /** One write of a batch; returns when it is answered. */
  interface Writer {
    void write(VectorSchemaRoot batch) throws Exception;
  }

  private Bench(Map<String, String> options) {
    url = options.get("url");
    table = options.getOrDefault("table", "sales.orders");
    rows = Integer.parseInt(options.getOrDefault("rows", "10"));
    seconds = Double.parseDouble(options.getOrDefault("seconds", "5"));
    inFlight = Integer.parseInt(options.getOrDefault("in-flight", "1024"));
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i + 1 < arguments.length; i += 2) {
      options.put(arguments[i].substring(2), arguments[i + 1]);
    }
    Bench bench = new Bench(options);
    Map<String, Object> result = switch (arguments[0]) {
      case "raw-writes" -> new Raw(bench).writes();
      case "raw-latency" -> new Raw(bench).latency();
      case "writes" -> bench.writes();
      case "latency" -> bench.latency();
      case "appender" -> bench.appender();
      default -> throw new IllegalArgumentException("no mode " + arguments[0]);
    };
    System.out.println(new ObjectMapper().writeValueAsString(result));
  }

  /** Twenty bytes. */
  private static String text(long number) {
    String decimal = Long.toString(number);
    return "00000000000000000000".substring(decimal.length()) + decimal;
  }

  /** The write of this number, made anew as a program would. */
  VectorSchemaRoot batch(long number) {
    for (int row = 0; row < rows; ++row) {
      long at = number * rows + row;
      numbers.setSafe(row, at);
      texts.setSafe(row, text(at).getBytes(StandardCharsets.UTF_8));
    }
    root.setRowCount(rows);
    return root;
  }

  /** By the nano clock. */
  long end() {
    return System.nanoTime() + (long) (seconds * 1e9);
  }

  static Map<String, Object> since(long began, String what, long count) {
    return Map.of(what, count, "seconds", (System.nanoTime() - began) / 1e9);
  }

  /** Writes one batch after the other, and says how long they took. */
  Map<String, Object> latencies(Writer writer) throws Exception {
    long[] taken = new long[1 << 16];
    int count = 0;
    for (long end = end(); System.nanoTime() < end;) {
      if (count == taken.length) {
        taken = Arrays.copyOf(taken, 2 * count);
      }
      long began = System.nanoTime();
      writer.write(batch(count));
      taken[count++] = System.nanoTime() - began;
    }
    Arrays.sort(taken, 0, count);
    return Map.of("writes", count, "p50_us", taken[count / 2] / 1e3, "p99_us", taken[(int) (count * 99L / 100)] / 1e3);
  }

  private Map<String, Object> writes() {
    try (ArkaClient client = ArkaClient.connect(url); ArkaStream stream = client.stream(table).schema(SCHEMA).open()) {
      long began = System.nanoTime();
      long count = 0;
      Write last = null;
      for (long end = end(); System.nanoTime() < end; ++count) {
        last = stream.write(batch(count));
      }
      last.await(Level.LOCAL_DISK);
      return since(began, "writes", count);
    }
  }

  private Map<String, Object> latency() throws Exception {
    try (ArkaClient client = ArkaClient.connect(url); ArkaStream stream = client.stream(table).schema(SCHEMA).open()) {
      return latencies(batch -> stream.write(batch).await(Level.MEMORY));
    }
  }

  private Map<String, Object> appender() {
    try (ArkaClient client = ArkaClient.connect(url);
         ArkaAppender appender = client.appender(table).schema(SCHEMA).open()) {
      long began = System.nanoTime();
      long count = 0;
      for (long end = end(); System.nanoTime() < end; ++count) {
        appender.append(new Row(count, text(count)));
      }
      appender.flush(Level.LOCAL_DISK);
      return since(began, "rows", count);
    }
  }
}
