package io.github.arka;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.google.protobuf.ByteString;
import io.grpc.Deadline;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** A way to one Arka server. It may be used from any thread; closing it closes its streams and appenders. */
public final class ArkaClient implements AutoCloseable {
  private static final ObjectReader STATUS = Endpoint.JSON
      .readerFor(new TypeReference<Map<String, Object>>() {})
      .with(DeserializationFeature.USE_LONG_FOR_INTS);

  private static final Pattern CLIENT_NAME = Pattern.compile("[ -~]{1,128}");

  private final String session;
  private final Duration deadline;
  private final long budget;
  private final Endpoint endpoint;
  private final BufferAllocator allocator;
  private final FlightClient flight; // for what answers with batches
  private final ThreadPoolExecutor completions;
  private final Set<AutoCloseable> open = new LinkedHashSet<>(); // guarded by itself
  private boolean closed; // guarded by open

  /** How a client reaches its server, and what its streams go by. */
  public static final class Builder extends StreamOptions<Builder> {
    private final String url;
    private String username;
    private String password;
    private Supplier<String> token;
    private Path tlsRoot;
    private Path clientCert;
    private Path clientKey;
    private BufferAllocator allocator;

    private Builder(String url) {
      super("arka-java-" + UUID.randomUUID(), Duration.ofSeconds(60), 64 << 20);
      this.url = url;
    }

    @Override
    Builder self() {
      return this;
    }

    /** Logs in once; the token that the server answers goes with every call. */
    public Builder password(String username, String password) {
      this.username = username;
      this.password = password;
      return this;
    }

    /** Goes with every call as it is. */
    public Builder token(String token) {
      return token(() -> token);
    }

    /** As a token, asked for at every call: for those that expire. */
    public Builder token(Supplier<String> token) {
      this.token = token;
      return this;
    }

    /** A PEM file of the authorities to trust, instead of the system's. */
    public Builder tlsRoot(Path pem) {
      this.tlsRoot = pem;
      return this;
    }

    /** The client's own certificate and its key, PEM files, for servers that ask for one. */
    public Builder clientCertificate(Path certificate, Path key) {
      this.clientCert = certificate;
      this.clientKey = key;
      return this;
    }

    /** Where the client's memory for queries and appenders comes from; its own root unless given. */
    public Builder allocator(BufferAllocator parent) {
      this.allocator = parent;
      return this;
    }

    /** Makes the client. Nothing is sent yet. */
    public ArkaClient connect() {
      return new ArkaClient(this);
    }
  }

  /** A client of the server at a URL such as grpc://localhost:8815. Nothing is sent yet. */
  public static ArkaClient connect(String url) {
    return builder(url).connect();
  }

  /** A client with more to say: grpc+tls:// where the server has a certificate, credentials, limits. */
  public static Builder builder(String url) {
    return new Builder(url);
  }

  private ArkaClient(Builder given) {
    session = given.session;
    deadline = given.deadline;
    budget = given.budget;
    endpoint = new Endpoint(given.url, new Credentials(given.username, given.password, given.token),
        given.tlsRoot, given.clientCert, given.clientKey);
    allocator = given.allocator == null ? new RootAllocator()
        : given.allocator.newChildAllocator("arka client", 0, Long.MAX_VALUE);
    flight = FlightGrpcUtils.createFlightClientWithSharedChannel(allocator, endpoint.calls());
    completions = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
      Thread thread = new Thread(task, "arka completions");
      thread.setDaemon(true);
      return thread;
    });
    completions.allowCoreThreadTimeOut(true);
  }

  // Writing

  /** A stream of writes to a table such as sales.orders, which the first write makes where it is not there. */
  public ArkaStream.Builder stream(String table) {
    return new ArkaStream.Builder(this, table);
  }

  /** Takes rows one by one, and writes them to a table in batches. */
  public ArkaAppender.Builder appender(String table) {
    return new ArkaAppender.Builder(this, table);
  }

  /** As {@link #flush(Level, String)}, for all tables. */
  public long flush(Level level) {
    return endpoint.ask("flush", Map.of("level", level.name()), until()).path("lsn").asLong();
  }

  /**
   * Has the server bring every write to the table of before this call, of anybody, to the level; returns the last LSN
   * that this concerns.
   */
  public long flush(Level level, String table) {
    return endpoint.ask("flush", Map.of("level", level.name(), "table", table), until()).path("lsn").asLong();
  }

  // Looking

  /** The server's status, as the wire contract describes it: numbers are Long or Double, tables a List of Map. */
  public Map<String, Object> status() {
    try {
      return STATUS.readValue(endpoint.ask("status", Map.of(), until()));
    } catch (IOException e) {
      throw ArkaException.violation("status: " + e.getMessage());
    }
  }

  /** How far the server is with the writes of all. */
  public Watermarks watermarks() {
    JsonNode status = endpoint.ask("status", Map.of(), until());
    return new Watermarks(status.path("last_lsn").asLong(), status.path("disk_lsn").asLong(),
        status.path("s3_lsn").asLong(), status.path("committed_lsn").asLong());
  }

  /** As {@link #durabilityStatus(String, OptionalLong)}, of the client's session above the last LSN that is known. */
  public DurabilityStatus durabilityStatus(long lastKnownLsn) {
    return durabilityStatus(session, OptionalLong.of(lastKnownLsn));
  }

  /**
   * What became of a session's writes above the last LSN that is known (empty: of all), and what was on its way for those
   * below when a stream ended. A session is known for five minutes after its last stream, unless the server is
   * configured otherwise; then NOT_FOUND.
   */
  public DurabilityStatus durabilityStatus(String session, OptionalLong lastKnownLsn) {
    Map<String, Object> body = new HashMap<>(Map.of("session", session));
    lastKnownLsn.ifPresent(lsn -> body.put("after_lsn", lsn));
    Deadline until = until();
    List<Ack> events = new ArrayList<>();
    OptionalLong forgotten = OptionalLong.empty();
    for (JsonNode answer : endpoint.retried(until, () -> endpoint.action("durability_status", body, until))) {
      if (answer.hasNonNull("forgotten_through")) {
        forgotten = OptionalLong.of(answer.get("forgotten_through").asLong());
      }
      for (JsonNode event : answer.path("events")) {
        events.add(new Ack(event.path("lsn").asLong(), Level.valueOf(event.path("durability_level").asText()), 0,
            Instant.parse(event.path("timestamp").asText()),
            event.hasNonNull("snapshot_id") ? event.get("snapshot_id").asLong() : null));
      }
    }
    return new DurabilityStatus(events, forgotten);
  }

  /** The level that an LSN has reached, however long ago; empty: a crash took it before LOCAL_DISK. */
  public Optional<Level> levelOf(long lsn) {
    JsonNode told = endpoint.ask("durability_status", Map.of("lsns", List.of(lsn)), until()).path("levels").path(0);
    return told.path("lost").asBoolean() ? Optional.empty()
        : Optional.of(Level.valueOf(told.path("durability_level").asText()));
  }

  /** The schema of a table, without the metadata that says where its columns are stored. */
  public Schema schema(String table) {
    Deadline until = until();
    Flight.FlightDescriptor descriptor = Flight.FlightDescriptor.newBuilder()
        .setType(Flight.FlightDescriptor.DescriptorType.PATH).addAllPath(path(table)).build();
    Flight.SchemaResult answer = endpoint.retried(until, () -> endpoint.stub(until).getSchema(descriptor));
    try (ReadChannel bytes = new ReadChannel(Channels.newChannel(answer.getSchema().newInput()))) {
      return new Schema(MessageSerializer.deserializeSchema(bytes).getFields().stream().map(ArkaClient::bare).toList());
    } catch (IOException e) {
      throw ArkaException.violation("the schema of " + table + ": " + e.getMessage());
    }
  }

  private static Field bare(Field field) {
    Map<String, String> metadata = new HashMap<>(field.getMetadata());
    metadata.remove("PARQUET:field_id");
    return new Field(field.getName(),
        new FieldType(field.isNullable(), field.getType(), field.getDictionary(), metadata),
        field.getChildren().stream().map(ArkaClient::bare).toList());
  }

  /** The answer to a SELECT, over every row that was acknowledged before, committed or not. */
  public Rows query(String sql) {
    Deadline until = until();
    Flight.FlightDescriptor descriptor = Flight.FlightDescriptor.newBuilder()
        .setType(Flight.FlightDescriptor.DescriptorType.CMD)
        .setCmd(ByteString.copyFromUtf8(sql)).build();
    return endpoint.retried(until, () -> {
      Flight.FlightInfo info = endpoint.stub(until).getFlightInfo(descriptor);
      if (info.getEndpointCount() != 1) {
        throw ArkaException.violation("a query has " + info.getEndpointCount() + " endpoints");
      }
      FlightStream stream = flight.getStream(new Ticket(info.getEndpoint(0).getTicket().getTicket().toByteArray()));
      try {
        stream.getSchema(); // waits for the beginning, and so for what is wrong with it
        return add(stream);
      } catch (RuntimeException e) {
        Rows.close(stream);
        throw e;
      }
    });
  }

  // The rest

  /** The name by which the server knows this client's writes. */
  public String session() {
    return session;
  }

  /** How long a call waits that is given no timeout. */
  public Duration deadline() {
    return deadline;
  }

  long budget() {
    return budget;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  BufferAllocator allocator() {
    return allocator;
  }

  Executor completions() {
    return completions;
  }

  private Deadline until() {
    return Deadline.after(deadline.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** A table's name as a path: sales.orders as sales, orders. */
  static List<String> path(String table) {
    List<String> path = List.of(table.split("\\.", -1));
    if (path.contains("")) {
      throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
          "\"" + table + "\" is no table's name such as sales.orders");
    }
    return path;
  }

  /** A session's name or a producer's: it goes into a header. */
  static String clientName(String name) {
    if (!CLIENT_NAME.matcher(name).matches()) {
      throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
          "\"" + name + "\" is no name: 1 to 128 printable ASCII characters are");
    }
    return name;
  }

  ArkaStream add(ArkaStream stream) {
    register(stream);
    return stream;
  }

  private Rows add(FlightStream stream) {
    Rows[] rows = new Rows[1];
    rows[0] = new Rows(stream, () -> remove(rows[0]));
    register(rows[0]);
    return rows[0];
  }

  void register(AutoCloseable part) {
    synchronized (open) {
      if (!closed) {
        open.add(part);
        return;
      }
    }
    closeQuietly(part);
    throw new ArkaException(ArkaException.Code.FAILED_PRECONDITION, "the client is closed");
  }

  void remove(AutoCloseable part) {
    synchronized (open) {
      open.remove(part);
    }
  }

  private static void closeQuietly(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      // The caller hears of something worse.
    }
  }

  /** As {@link #close(Duration)}, with the client's deadline. */
  @Override
  public void close() {
    close(deadline);
  }

  /**
   * Closes every stream, appender and query, and the connection. One timeout for all; raises the first error once
   * everything is closed.
   */
  public void close(Duration timeout) {
    List<AutoCloseable> parts;
    synchronized (open) {
      if (closed) {
        return;
      }
      closed = true;
      parts = new ArrayList<>(open);
    }
    Collections.reverse(parts); // an appender before its stream
    parts.addAll(List.of(flight, endpoint, allocator));
    Deadline until = Deadline.after(timeout.toNanos(), TimeUnit.NANOSECONDS);
    RuntimeException failure = null;
    for (AutoCloseable part : parts) {
      Duration left = Duration.ofNanos(Math.max(0, until.timeRemaining(TimeUnit.NANOSECONDS)));
      try {
        if (part instanceof ArkaAppender appender) {
          appender.close(Level.LOCAL_DISK, left);
        } else if (part instanceof ArkaStream stream) {
          stream.close(Level.LOCAL_DISK, left);
        } else {
          part.close();
        }
      } catch (Exception e) {
        failure = failure == null ? ArkaException.of(e) : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
