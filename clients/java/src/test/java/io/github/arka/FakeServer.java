package io.github.arka;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A server that says what a test wants: it takes batches, gives them LSNs from 1000 on, and acknowledges them up to
 * {@link #level}, at once or by {@link #ack}. It remembers seqs over connections, as a real one does.
 */
final class FakeServer extends FlightServiceGrpc.FlightServiceImplBase implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ArrowType INT64 = new ArrowType.Int(64, true);
  private static final Schema ACKS = new Schema(List.of(
      Field.notNullable("lsn", INT64), Field.notNullable("durability_level", new ArrowType.Utf8()),
      Field.notNullable("is_durability_update", new ArrowType.Bool()),
      Field.notNullable("timestamp", new ArrowType.Timestamp(org.apache.arrow.vector.types.TimeUnit.MICROSECOND, "UTC")),
      Field.notNullable("is_watermark_update", new ArrowType.Bool()), Field.nullable("disk_lsn", INT64),
      Field.nullable("s3_lsn", INT64), Field.nullable("committed_lsn", INT64), Field.nullable("snapshot_id", INT64)));
  private static final Context.Key<Metadata> HEADERS = Context.key("headers");

  private final Server server;
  private final BufferAllocator allocator = new RootAllocator();
  private final Batches encoder = new Batches(ACKS, null);

  // Guarded by this.
  final List<Metadata> connections = new ArrayList<>();
  final List<String> actions = new ArrayList<>();
  final List<Flight.FlightData> received = new ArrayList<>(); // batches and dictionaries, by all connections
  final List<Long> seqs = new ArrayList<>(); // of the batches
  volatile Level level = Level.COMMITTED; // up to which it acknowledges at once; null: nothing
  long lastSeq;
  long epoch = 4_294_967_296L;
  long nextLsn = 1000;
  String forgotten = "";
  private final Map<Long, Long> lsns = new HashMap<>(); // by seq
  private StreamObserver<Flight.FlightData> answers; // of the connection that there is

  FakeServer() throws IOException {
    server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
        .addService(this).maxInboundMessageSize(Integer.MAX_VALUE)
        .intercept(new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            return Contexts.interceptCall(Context.current().withValue(HEADERS, headers), call, headers, next);
          }
        }).build().start();
  }

  String url() {
    return "grpc://127.0.0.1:" + port();
  }

  int port() {
    return server.getPort();
  }

  /** Of each batch that came. */
  synchronized List<Long> rows() {
    return received.stream().filter(data -> !data.getAppMetadata().isEmpty())
        .map(data -> Message.getRootAsMessage(data.getDataHeader().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN)))
        .map(message -> ((RecordBatch) message.header(new RecordBatch())).length()).toList();
  }

  @Override
  public synchronized StreamObserver<Flight.FlightData> doExchange(StreamObserver<Flight.FlightData> out) {
    connections.add(HEADERS.get());
    answers = out;
    notifyAll();
    out.onNext(Flight.FlightData.newBuilder().setDataHeader(ByteString.copyFrom(encoder.schemaHeader())).build());
    return new StreamObserver<>() {
      @Override
      public void onNext(Flight.FlightData data) {
        take(data, out);
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {
        out.onCompleted();
      }
    };
  }

  private synchronized void take(Flight.FlightData data, StreamObserver<Flight.FlightData> out) {
    if (data.hasFlightDescriptor() || out != answers) {
      return;
    }
    received.add(data);
    notifyAll();
    if (data.getAppMetadata().isEmpty()) {
      return; // a dictionary
    }
    try {
      long seq = JSON.readTree(data.getAppMetadata().toByteArray()).path("seq").asLong();
      seqs.add(seq);
      lastSeq = Math.max(lastSeq, seq);
      lsns.computeIfAbsent(seq, unknown -> nextLsn++);
      Level upTo = level; // a test that has seen the first ack may change it
      for (Level at : Level.values()) {
        if (upTo != null && upTo.isAtLeast(at)) {
          ack(seq, at);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Acknowledges a batch at a level. */
  synchronized void ack(long seq, Level at) {
    tell(lsns.get(seq), null, at);
  }

  synchronized void watermarks(long through) {
    tell(through, through, Level.MEMORY);
  }

  /** One message of acks of one LSN. */
  synchronized void tell(long lsn, Long watermark, Level... levels) {
    try (VectorSchemaRoot root = VectorSchemaRoot.create(ACKS, allocator)) {
      for (int row = 0; row < levels.length; ++row) {
        ((BigIntVector) root.getVector(0)).setSafe(row, lsn);
        ((VarCharVector) root.getVector(1)).setSafe(row, levels[row].name().getBytes(StandardCharsets.US_ASCII));
        ((BitVector) root.getVector(2)).setSafe(row, levels[row] == Level.MEMORY ? 0 : 1);
        ((TimeStampMicroTZVector) root.getVector(3)).setSafe(row, 1_728_045_296_789_012L);
        ((BitVector) root.getVector(4)).setSafe(row, watermark == null ? 0 : 1);
        for (int mark = 5; mark < 8 && watermark != null; ++mark) {
          ((BigIntVector) root.getVector(mark)).setSafe(row, watermark);
        }
        if (levels[row] == Level.COMMITTED) {
          ((BigIntVector) root.getVector(8)).setSafe(row, 77);
        }
      }
      root.setRowCount(levels.length);
      FlightMessage message = encoder.encode(root).batch();
      answers.onNext(Flight.FlightData.newBuilder().setDataHeader(ByteString.copyFrom(message.header()))
          .setDataBody(ByteString.copyFrom(message.body())).build());
    }
  }

  /** A crash: the connection is gone, and of the batches only those up to this seq are known. */
  synchronized void crash(long keptSeq) {
    lastSeq = keptSeq;
    lsns.keySet().removeIf(seq -> seq > keptSeq);
    cut(Status.UNAVAILABLE, "true");
  }

  synchronized void cut(Status status, String retryable) {
    Metadata trailers = new Metadata();
    if (retryable != null) {
      trailers.put(ArkaException.RETRYABLE, retryable);
    }
    StreamObserver<Flight.FlightData> broken = answers;
    answers = null;
    broken.onError(status.asRuntimeException(trailers));
  }

  /** Waits until it holds, as what comes from clients changes it. */
  synchronized void await(Supplier<Boolean> holds) throws InterruptedException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!holds.get()) {
      long left = until - System.nanoTime();
      if (left <= 0) {
        throw new AssertionError("it did not come to that within 20 s; seqs " + seqs + ", actions " + actions);
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  @Override
  public synchronized void doAction(Flight.Action action, StreamObserver<Flight.Result> out) {
    JsonNode body;
    try {
      body = JSON.readTree(action.getBody().toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    actions.add(action.getType());
    notifyAll();
    String place = "\"last_seq\": " + lastSeq + ", \"lsn\": " + (lastSeq == 0 ? "null" : lsns.getOrDefault(lastSeq, 900L))
        + forgotten;
    String answer = switch (action.getType()) {
      case "claim_producer" -> "{" + place + ", \"epoch\": " + ++epoch + "}";
      case "last_seq" -> "{" + place + "}";
      case "flush" -> "{\"lsn\": " + (nextLsn - 1) + ", \"level\": " + body.get("level") + "}";
      default -> throw Status.NOT_FOUND.withDescription("no action " + action.getType()).asRuntimeException();
    };
    out.onNext(Flight.Result.newBuilder().setBody(ByteString.copyFromUtf8(answer)).build());
    out.onCompleted();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    allocator.close();
  }
}
