import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.arka.Ack;
import io.github.arka.ArkaAppender;
import io.github.arka.ArkaClient;
import io.github.arka.ArkaException;
import io.github.arka.ArkaStream;
import io.github.arka.Level;
import io.github.arka.Rows;
import io.github.arka.Write;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The conformance driver: reads one JSON object a line, does what it says by the client, and answers each with one JSON
 * line, in order. What the operations are is described in clients/conformance.
 */
public final class Driver {
  static final Schema NUMBERED = new Schema(List.of(
      Field.notNullable("number", new ArrowType.Int(64, true)), Field.nullable("text", new ArrowType.Utf8())));

  private final BufferAllocator allocator = new RootAllocator();
  private final AtomicLongArray acks = new AtomicLongArray(Level.values().length);
  private ArkaClient client;
  private ArkaStream stream;
  private ArkaAppender appender;
  private Write first;
  private Write last;
  private int count;

  /** A row as the appender takes it. */
  public record Numbered(long number, String text) {}

  public static void main(String[] arguments) throws IOException {
    ObjectMapper json = new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    PrintStream out = new PrintStream(System.out, true);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    Driver driver = new Driver();
    for (String line; (line = in.readLine()) != null;) {
      JsonNode asked = json.readTree(line);
      if (asked.path("op").asText().equals("quit")) {
        if (driver.client != null) {
          driver.client.close();
        }
        out.println("{\"ok\": {}}");
        return;
      }
      Object answer;
      try {
        answer = Map.of("ok", driver.perform(asked));
      } catch (ArkaException e) {
        answer = Map.of("error",
            Map.of("code", e.code().name(), "message", e.text(), "retryable", e.retryable()));
      } catch (RuntimeException e) { // never of the client
        e.printStackTrace();
        answer = Map.of("error", Map.of("code", "UNTYPED", "message", e.toString(), "retryable", false));
      }
      out.println(json.writeValueAsString(answer));
    }
  }

  private Map<String, ?> perform(JsonNode asked) {
    switch (asked.path("op").asText()) {
      case "connect":
        return connect(asked.path("url").asText(), asked.path("options"));
      case "open":
        return open(asked);
      case "write":
        return write(asked);
      case "wait":
        return await(asked);
      case "flush":
        flush(level(asked), timeout(asked));
        return Map.of();
      case "append_rows":
        return append(asked);
      case "write_types":
        return writeTypes();
      case "query":
        return query(asked.path("sql").asText());
      case "status":
        return Map.of("status", client.status());
      case "durability":
        return durability(asked.path("after"));
      case "acks":
        return counted();
      case "memory":
        return Map.of("bytes", stream.heldBytes());
      case "close":
        return close(timeout(asked));
      default:
        throw new IllegalArgumentException("no operation " + asked);
    }
  }

  private Map<String, ?> connect(String url, JsonNode options) {
    ArkaClient.Builder builder = ArkaClient.builder(url);
    if (options.hasNonNull("username")) {
      builder.password(options.get("username").asText(), options.path("password").asText());
    }
    if (options.hasNonNull("token")) {
      builder.token(options.get("token").asText());
    }
    if (options.hasNonNull("tls_root")) {
      builder.tlsRoot(Path.of(options.get("tls_root").asText()));
    }
    if (options.hasNonNull("client_cert")) {
      builder.clientCertificate(
          Path.of(options.get("client_cert").asText()), Path.of(options.path("client_key").asText()));
    }
    if (options.hasNonNull("deadline_ms")) {
      builder.deadline(Duration.ofMillis(options.get("deadline_ms").asLong()));
    }
    if (options.hasNonNull("budget_bytes")) {
      builder.budget(options.get("budget_bytes").asLong());
    }
    client = builder.connect();
    return Map.of();
  }

  private Map<String, ?> open(JsonNode asked) {
    boolean types = asked.path("columns").asText().equals("types");
    ArkaStream.Builder builder = client.stream(asked.path("table").asText()).onAck(this::count);
    if (types) {
      builder.dictionaries(Types.dictionaries(allocator));
    } else {
      builder.schema(NUMBERED);
    }
    if (asked.hasNonNull("producer")) {
      builder.producer(asked.get("producer").asText());
    }
    if (asked.hasNonNull("session")) {
      builder.session(asked.get("session").asText());
    }
    stream = builder.open();
    count = 0;
    return Map.of("producer", stream.producer(), "session", stream.session());
  }

  private void count(Ack ack) {
    acks.incrementAndGet(ack.level().ordinal());
  }

  private Map<String, ?> counted() {
    Map<String, Long> counted = new HashMap<>();
    for (Level level : Level.values()) {
      counted.put(level.name(), acks.get(level.ordinal()));
    }
    return counted;
  }

  private Map<String, ?> write(JsonNode asked) {
    long number = asked.path("first").asLong();
    int batches = asked.path("batches").asInt();
    int rows = asked.path("rows").asInt();
    int textBytes = asked.path("text_bytes").asInt();
    try (VectorSchemaRoot root = VectorSchemaRoot.create(NUMBERED, allocator)) {
      for (int i = 0; i < batches; ++i) {
        BigIntVector numbers = (BigIntVector) root.getVector("number");
        VarCharVector texts = (VarCharVector) root.getVector("text");
        for (int row = 0; row < rows; ++row, ++number) {
          numbers.setSafe(row, number);
          texts.setSafe(row, text(number, textBytes).getBytes());
        }
        root.setRowCount(rows);
        noted(stream.write(root));
      }
    }
    return Map.of("accepted", batches);
  }

  private void noted(Write write) {
    first = count++ == 0 ? write : first;
    last = write;
  }

  private static String text(long number, int bytes) {
    String decimal = Long.toString(number);
    return "0".repeat(Math.max(0, bytes - decimal.length())) + decimal;
  }

  private Map<String, ?> await(JsonNode asked) {
    List<Long> lsns = new ArrayList<>();
    if (count > 0) {
      long lastLsn = last.await(level(asked), timeout(asked));
      if (count > 1) {
        lsns.add(first.await(level(asked), timeout(asked)));
      }
      lsns.add(lastLsn);
    }
    return Map.of("lsns", lsns, "count", count);
  }

  private void flush(Level level, Duration timeout) {
    if (appender != null) {
      appender.flush(level, timeout);
    } else {
      stream.flush(level, timeout);
    }
  }

  private Map<String, ?> append(JsonNode asked) {
    if (appender == null) {
      appender = client.appender(asked.path("table").asText()).schema(NUMBERED).open();
    }
    long number = asked.path("first").asLong();
    int rows = asked.path("rows").asInt();
    for (int row = 0; row < rows; ++row, ++number) {
      appender.append(new Numbered(number, text(number, asked.path("text_bytes").asInt())));
    }
    return Map.of("accepted", rows);
  }

  private Map<String, ?> writeTypes() {
    try (VectorSchemaRoot root = Types.batch(allocator)) {
      noted(stream.write(root));
      return Map.of("columns", root.getSchema().getFields().stream().map(Field::getName).toList(), "rows", 2);
    }
  }

  private Map<String, ?> query(String sql) {
    List<List<Object>> rows = new ArrayList<>();
    try (Rows answer = client.query(sql)) {
      while (answer.next()) {
        for (int row = 0; row < answer.root().getRowCount(); ++row) {
          List<Object> values = new ArrayList<>();
          for (FieldVector column : answer.root().getFieldVectors()) {
            values.add(column.getObject(row));
          }
          rows.add(values);
        }
      }
    }
    return Map.of("rows", rows);
  }

  private Map<String, ?> durability(JsonNode after) {
    OptionalLong lsn = after.isNumber() ? OptionalLong.of(after.asLong()) : OptionalLong.empty();
    return Map.of("events", client.durabilityStatus(stream.session(), lsn).events().stream()
        .map(event -> List.of(event.lsn(), event.level().name())).toList());
  }

  /** The client itself is asked things even then; it is closed when the driver ends. */
  private Map<String, ?> close(Duration timeout) {
    if (appender != null) {
      appender.close(Level.LOCAL_DISK, timeout);
    }
    if (stream != null) {
      stream.close(Level.LOCAL_DISK, timeout);
    }
    return Map.of();
  }

  private static Level level(JsonNode asked) {
    return Level.valueOf(asked.path("level").asText());
  }

  private static Duration timeout(JsonNode asked) {
    return Duration.ofMillis(asked.hasNonNull("timeout_ms") ? asked.get("timeout_ms").asLong() : 60_000);
  }
}
