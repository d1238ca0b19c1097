package io.github.arka;

import static io.github.arka.Level.COMMITTED;
import static io.github.arka.Level.LOCAL_DISK;
import static io.github.arka.Level.MEMORY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Metadata;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StreamTest {
  private static final Schema NUMBERS = new Schema(List.of(Field.notNullable("number", new ArrowType.Int(64, true))));
  private static final Duration SHORT = Duration.ofMillis(200);

  private final BufferAllocator allocator = new RootAllocator();
  private final VectorSchemaRoot root = VectorSchemaRoot.create(NUMBERS, allocator);
  private FakeServer server;
  private ArkaClient client;

  @BeforeEach
  void start() throws IOException {
    server = new FakeServer();
    client = ArkaClient.builder(server.url()).allocator(allocator).deadline(Duration.ofSeconds(20)).connect();
  }

  @AfterEach
  void stop() {
    try {
      client.close(SHORT);
    } catch (ArkaException e) {
      // Of a stream that a test left as it was.
    }
    server.close();
    root.close();
    allocator.close(); // fails where anything is left
  }

  private VectorSchemaRoot numbers(long first, int rows) {
    for (int row = 0; row < rows; ++row) {
      ((BigIntVector) root.getVector(0)).setSafe(row, first + row);
    }
    root.setRowCount(rows);
    return root;
  }

  private static ArkaException.Code codeOf(Runnable call) {
    return assertThrows(ArkaException.class, call::run).code();
  }

  private static String header(Metadata headers, String name) {
    return headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
  }

  @Test
  void aWriteHasItsLsnAndReachesEveryLevel() {
    ArkaStream stream = client.stream("sales.orders").open();
    Write write = stream.write(numbers(0, 3));
    assertEquals(1000, write.await(COMMITTED));
    assertEquals(Optional.of(COMMITTED), write.level());
    assertEquals(1, write.seq());
    assertEquals(3, write.rows());
    assertEquals(0, stream.heldBytes());
    assertEquals(Duration.ZERO, stream.age(COMMITTED));
    stream.close();
    assertEquals(ArkaException.Code.FAILED_PRECONDITION, codeOf(() -> stream.write(numbers(0, 1))));
  }

  @Test
  void theCallersVectorsAreTheCallersAgainAtOnce() throws Exception {
    server.level = null;
    ArkaStream stream = client.stream("sales.orders").open();
    Write first = stream.write(numbers(1, 1));
    Write second = stream.write(numbers(2, 1));
    root.clear();
    assertEquals(1, onlyNumberOf(first));
    assertEquals(2, onlyNumberOf(second));
    stream.abort();
  }

  private long onlyNumberOf(Write write) throws IOException {
    try (ArrowStreamReader reader =
        new ArrowStreamReader(new ByteArrayInputStream(write.toArrowStream().orElseThrow()), allocator)) {
      assertTrue(reader.loadNextBatch());
      return ((BigIntVector) reader.getVectorSchemaRoot().getVector(0)).get(0);
    }
  }

  @Test
  void whatIsNotOnDiskIsSentAgainUnderTheSameSeq() throws Exception {
    server.level = MEMORY;
    BlockingQueue<Ack> acks = new LinkedBlockingQueue<>();
    ArkaStream stream = client.stream("sales.orders").onAck(acks::add).open();
    for (int i = 0; i < 3; ++i) {
      stream.write(numbers(i, 1)).await(MEMORY);
    }
    server.ack(1, LOCAL_DISK);
    stream.waitForDurability(1000, LOCAL_DISK, Duration.ofSeconds(10));
    server.level = COMMITTED;
    server.crash(1);
    server.await(() -> server.seqs.equals(List.of(1L, 2L, 3L, 2L, 3L)));
    stream.waitForDurability(COMMITTED);
    stream.close();
    List<String> heard = new ArrayList<>();
    acks.forEach(ack -> heard.add(ack.seq() + "=" + ack.lsn() + " " + ack.level()));
    assertEquals(List.of("1=1000 MEMORY", "2=1001 MEMORY", "3=1002 MEMORY", "1=1000 LOCAL_DISK"), heard.subList(0, 4));
    assertTrue(heard.containsAll(List.of("2=1003 MEMORY", "3=1004 MEMORY")), "a new LSN is told: " + heard);
    assertEquals(heard.size(), heard.stream().distinct().count(), "each level once: " + heard);
    assertEquals(4 + 2 + 2 + 3 + 3, heard.size(), heard.toString());
  }

  @Test
  void aWriteThatTheServerStillHasIsToldOnce() throws Exception {
    server.level = MEMORY;
    BlockingQueue<Ack> acks = new LinkedBlockingQueue<>();
    ArkaStream stream = client.stream("sales.orders").onAck(acks::add).open();
    stream.write(numbers(0, 1)).await(MEMORY);
    server.level = LOCAL_DISK;
    server.cut(Status.UNAVAILABLE, "true");
    stream.waitForDurability(LOCAL_DISK);
    stream.close();
    assertEquals(List.of(MEMORY, LOCAL_DISK), acks.stream().map(Ack::level).toList());
  }

  @Test
  void levelsOfWritesOfBeforeALossAreLearnedFromWatermarks() throws Exception {
    server.level = LOCAL_DISK;
    ArkaStream stream = client.stream("sales.orders").open();
    Write write = stream.write(numbers(0, 1));
    write.await(LOCAL_DISK);
    CompletableFuture<Long> committed = write.reached(COMMITTED);
    server.cut(Status.UNAVAILABLE, "true");
    server.await(() -> server.connections.size() == 2);
    server.watermarks(1000);
    assertEquals(1000, committed.get(10, TimeUnit.SECONDS));
    assertEquals(1000, stream.watermarks().committedLsn());
  }

  @Test
  void whoeverWaitsByAnLsnThatACrashTookWaitsForItsWrite() throws Exception {
    server.level = MEMORY;
    ArkaStream stream = client.stream("sales.orders").open();
    for (int i = 0; i < 2; ++i) {
      stream.write(numbers(i, 1)).await(MEMORY);
    }
    Write third = stream.write(numbers(2, 1));
    assertEquals(1002, third.await(MEMORY));
    server.ack(1, LOCAL_DISK);
    stream.waitForDurability(1000, LOCAL_DISK, Duration.ofSeconds(10));
    server.crash(1);
    server.await(() -> server.seqs.size() == 5);
    assertEquals(1004, third.await(MEMORY));
    server.ack(2, LOCAL_DISK);
    stream.waitForDurability(1003, LOCAL_DISK, Duration.ofSeconds(10));
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> stream.waitForDurability(1002, LOCAL_DISK, SHORT)));
    server.ack(3, LOCAL_DISK);
    stream.waitForDurability(1002, LOCAL_DISK, Duration.ofSeconds(10));
    assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> stream.waitForDurability(1005, LOCAL_DISK, SHORT)));
  }

  @Test
  void whatCameBeforeAViolationHolds() throws Exception {
    server.level = null;
    ArkaStream stream = client.stream("sales.orders").open();
    Write write = stream.write(numbers(0, 1));
    CompletableFuture<Long> lsn = write.lsn();
    server.await(() -> server.seqs.size() == 1);
    server.tell(1000, null, MEMORY, COMMITTED);
    assertEquals(1000, lsn.get(10, TimeUnit.SECONDS));
    assertEquals(ArkaException.Code.INTERNAL, codeOf(() -> write.await(COMMITTED)));
  }

  @Test
  void aStreamThatNobodyNeedsIsNotDialledAgain() throws Exception {
    server.level = LOCAL_DISK;
    ArkaStream stream = client.stream("sales.orders").open();
    stream.write(numbers(0, 1)).await(LOCAL_DISK);
    server.cut(Status.UNAVAILABLE, "true");
    ArkaStream other = client.stream("sales.other").schema(NUMBERS).open(); // time for it to do the wrong thing
    assertEquals(2, server.connections.size());
    stream.write(numbers(1, 1)).await(LOCAL_DISK);
    assertEquals(3, server.connections.size());
    other.abort();
  }

  @Test
  void aGivenProducerClaimsItsNameAndGoesOnBehindItsLastWrite() throws Exception {
    server.lastSeq = 7;
    ArkaStream stream = client.stream("sales.orders").producer("till 4").open();
    assertEquals(8, stream.nextSeq());
    assertEquals(List.of("claim_producer", "flush", "last_seq"), server.actions);
    assertEquals(8, stream.write(numbers(0, 1)).seq());
    stream.waitForDurability(LOCAL_DISK);
    server.level = MEMORY;
    stream.write(numbers(1, 1)).await(MEMORY);
    server.level = COMMITTED;
    server.cut(Status.UNAVAILABLE, "true");
    stream.waitForDurability(COMMITTED);
    assertEquals(List.of(8L, 9L, 9L), server.seqs);
    assertEquals(List.of("claim_producer", "flush", "last_seq", "last_seq"), server.actions, "no second claim");
    for (Metadata headers : server.connections) {
      assertEquals("till 4", header(headers, "arka-producer"));
      assertEquals("4294967297", header(headers, "arka-producer-epoch"));
    }
  }

  @Test
  void aRandomProducerNeedsNoEpoch() {
    ArkaStream stream = client.stream("sales.orders").schema(NUMBERS).open();
    assertEquals(1, stream.nextSeq());
    assertEquals(List.of(), server.actions);
    assertNull(header(server.connections.get(0), "arka-producer-epoch"));
    assertEquals("LOCAL_DISK", header(server.connections.get(0), "arka-ack-until"));
    assertEquals("true", header(server.connections.get(0), "arka-watermarks"));
  }

  @Test
  void aServerThatLostWhatWasOnItsDiskIsDataLoss() {
    ArkaStream stream = client.stream("sales.orders").open();
    stream.write(numbers(0, 1)).await(LOCAL_DISK);
    server.crash(0);
    ArkaException error = assertThrows(ArkaException.class, () -> stream.write(numbers(1, 1)).await(LOCAL_DISK));
    assertEquals(ArkaException.Code.DATA_LOSS, error.code());
    assertFalse(error.retryable());
  }

  @Test
  void aProducerThatWasForgottenNumbersTheRestFrom1() {
    ArkaStream stream = client.stream("sales.orders").open();
    stream.write(numbers(0, 1)).await(LOCAL_DISK);
    server.forgotten = ", \"forgotten_through\": 1000";
    server.crash(0);
    stream.write(numbers(1, 1)).await(LOCAL_DISK);
    assertEquals(List.of(1L, 1L), server.seqs);
    assertEquals(2, stream.nextSeq());
  }

  @Test
  void anotherProgramOfTheSameNameIsNoticed() {
    ArkaStream stream = client.stream("sales.orders").open();
    stream.write(numbers(0, 1)).await(LOCAL_DISK);
    server.crash(5);
    ArkaException error = assertThrows(ArkaException.class, () -> stream.write(numbers(1, 1)).await(LOCAL_DISK));
    assertEquals(ArkaException.Code.FAILED_PRECONDITION, error.code());
  }

  @Test
  void anErrorThatDoesNotPassFailsTheStreamAndEveryOneWhoWaits() throws Exception {
    server.level = null;
    ArkaStream stream = client.stream("sales.orders").open();
    Write write = stream.write(numbers(0, 1));
    CompletableFuture<Long> future = write.lsn();
    server.await(() -> server.seqs.size() == 1);
    server.cut(Status.INVALID_ARGUMENT.withDescription("not like this"), "false");
    CompletionException failed = assertThrows(CompletionException.class, future::join);
    assertEquals("not like this", ((ArkaException) failed.getCause()).text());
    assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> write.await(MEMORY)));
    assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> stream.write(numbers(0, 1))));
    assertEquals(List.of(write), stream.pending());
    assertEquals(0, onlyNumberOf(write));
  }

  @Test
  void theDeadlineRunsFromTheLossOfAConnectionThatServedAllThereWas() throws Exception {
    server.level = LOCAL_DISK;
    Duration deadline = Duration.ofSeconds(1);
    ArkaStream stream = client.stream("sales.orders").deadline(deadline).onAck(ack -> {}).open(); // who waits for COMMITTED
    stream.write(numbers(0, 1)).await(LOCAL_DISK);
    server.cut(Status.UNAVAILABLE, "true");
    server.await(() -> server.connections.size() == 2);
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED,
        codeOf(() -> stream.waitForDurability(COMMITTED, deadline.plus(SHORT))));
    server.level = null;
    Write write = stream.write(numbers(1, 1));
    server.await(() -> server.seqs.size() == 2);
    server.level = LOCAL_DISK;
    server.cut(Status.UNAVAILABLE, "true");
    write.await(LOCAL_DISK, Duration.ofSeconds(10));
  }

  @Test
  void whenTheDeadlineHasPassedItFailsWithTheLastError() throws Exception {
    server.level = null;
    ArkaStream stream = client.stream("sales.orders").deadline(Duration.ofMillis(300)).open();
    Write write = stream.write(numbers(0, 1));
    server.await(() -> server.seqs.size() == 1);
    server.close();
    ArkaException error = assertThrows(ArkaException.class, () -> write.await(LOCAL_DISK, Duration.ofSeconds(20)));
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, error.code());
    assertTrue(error.retryable());
    assertTrue(error.text().contains("UNAVAILABLE"), error.text());
    server = new FakeServer();
  }

  @Test
  void aServerThatIsAwayIsAskedForAgainSoonHoweverLongItIsAway() throws Exception {
    server.level = MEMORY;
    try (Gate gate = new Gate(server); ArkaClient other = ArkaClient.connect(gate.url())) {
      ArkaStream stream = other.stream("sales.orders").open();
      stream.write(numbers(0, 1)).await(MEMORY);
      gate.state = Gate.State.SHUT;
      gate.cut();
      for (int i = 0; i < 6; ++i) { // with gRPC's own delays the sixth comes after a quarter of a minute
        assertNotNull(gate.sentAway.poll(5, TimeUnit.SECONDS), i + " attempts");
      }
      server.level = COMMITTED;
      gate.state = Gate.State.OPEN;
      stream.waitForDurability(COMMITTED);
    }
  }

  @Test
  void aConnectionThatIsNotAnsweredIsGivenUp() throws Exception {
    try (Gate gate = new Gate(server);
         ArkaClient other = ArkaClient.builder(gate.url()).deadline(Duration.ofMillis(300)).connect()) {
      gate.state = Gate.State.SILENT;
      ArkaStream stream = other.stream("sales.orders").open();
      Write write = stream.write(numbers(0, 1));
      ArkaException error = assertThrows(ArkaException.class, () -> write.await(LOCAL_DISK, Duration.ofSeconds(20)));
      assertTrue(error.text().contains("not answered"), error.text());
      assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> stream.write(numbers(0, 1))));
      stream.abort();
    }
  }

  @Test
  void aCallThatIsNotAnsweredDoesNotSpoilThoseAfterIt() throws Exception {
    try (Gate gate = new Gate(server);
         ArkaClient other = ArkaClient.builder(gate.url()).deadline(Duration.ofSeconds(1)).connect()) {
      gate.state = Gate.State.SILENT;
      assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> other.flush(LOCAL_DISK)));
      gate.state = Gate.State.OPEN;
      try {
        other.flush(LOCAL_DISK); // gRPC may have begun a second connection before it was open
      } catch (ArkaException e) {
        assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, e.code());
      }
      assertEquals(999, other.flush(LOCAL_DISK));
    }
  }

  @Test
  void aTokenThatCannotBeHadFailsTheStream() {
    Map<Supplier<String>, ArkaException.Code> suppliers = Map.of(
        () -> null, ArkaException.Code.UNAUTHENTICATED,
        () -> {
          throw new IllegalStateException("no token");
        }, ArkaException.Code.UNAUTHENTICATED,
        () -> {
          throw new AssertionError("a defect, or no memory");
        }, ArkaException.Code.INTERNAL);
    suppliers.forEach((supplier, code) -> {
      try (ArkaClient other = ArkaClient.builder(server.url()).token(supplier).connect()) {
        ArkaStream stream = other.stream("sales.orders").open();
        Write write = stream.write(numbers(0, 1));
        assertEquals(code, codeOf(() -> write.await(LOCAL_DISK, Duration.ofSeconds(10))));
        stream.abort();
      }
    });
  }

  @Test
  void aNameThatFitsIntoNoHeaderIsRefused() {
    for (String name : List.of("", "two\nlines", "größer", "x".repeat(129))) {
      assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> client.stream("sales.orders").producer(name)));
      assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> ArkaClient.builder(server.url()).session(name)));
    }
  }

  @Test
  void certificatesWantALocationThatUsesThem() {
    assertEquals(ArkaException.Code.INVALID_ARGUMENT,
        codeOf(() -> ArkaClient.builder(server.url()).tlsRoot(Path.of("root.pem")).connect()));
  }

  @Test
  void aBatchOfAnotherSchemaIsRefusedAndSparesTheStream() {
    ArkaStream stream = client.stream("sales.orders").open();
    stream.write(numbers(0, 1));
    Schema other = new Schema(List.of(Field.nullable("text", new ArrowType.Utf8())));
    try (VectorSchemaRoot wrong = VectorSchemaRoot.create(other, allocator)) {
      assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> stream.write(wrong)));
    }
    stream.write(numbers(1, 1)).await(LOCAL_DISK);
    assertEquals(List.of(1L, 2L), server.seqs);
  }

  @Test
  void aFullBudgetFailsOrWaitsAsTheCallerWishes() throws Exception {
    server.level = null;
    ArkaStream stream = client.stream("sales.orders").budget(5000).open();
    stream.write(numbers(0, 1000)); // larger than the budget: let in alone
    ArkaException full = assertThrows(ArkaException.class, () -> stream.tryWrite(numbers(0, 1)));
    assertEquals(ArkaException.Code.RESOURCE_EXHAUSTED, full.code());
    assertTrue(full.retryable());
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> stream.write(numbers(0, 1), SHORT)));
    VectorSchemaRoot one = numbers(0, 1);
    CompletableFuture<Write> waiting = CompletableFuture.supplyAsync(() -> stream.write(one));
    server.await(() -> server.seqs.size() == 1);
    server.ack(1, MEMORY);
    server.ack(1, LOCAL_DISK);
    assertEquals(2, waiting.get(10, TimeUnit.SECONDS).seq());
    assertTrue(stream.heldBytes() < 5000);
  }

  @Test
  void whatDependsOnAFutureHoldsUpNoAcks() throws Exception {
    ArkaStream stream = client.stream("sales.orders").open();
    CountDownLatch let = new CountDownLatch(1);
    stream.write(numbers(0, 1)).lsn().thenRun(() -> {
      try {
        let.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
    stream.write(numbers(1, 1)).await(COMMITTED);
    let.countDown();
  }

  @Test
  void aListenerThatFailsOrBlocksHoldsUpNoAcks() throws Exception {
    CountDownLatch let = new CountDownLatch(1);
    BlockingQueue<Long> heard = new LinkedBlockingQueue<>();
    ArkaStream stream = client.stream("sales.orders").onAck(ack -> {
      try {
        let.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      heard.add(ack.seq());
      throw new AssertionError("a listener's own defect");
    }).open();
    stream.write(numbers(0, 1)).await(COMMITTED);
    assertTrue(heard.isEmpty());
    let.countDown();
    stream.close();
    assertEquals(List.of(1L, 1L, 1L, 1L), List.copyOf(heard));
  }

  @Test
  void closeIsOverInTimeAndSaysWhatIsMissing() {
    server.level = null;
    ArkaStream stream = client.stream("sales.orders").open();
    Write write = stream.write(numbers(0, 1));
    long began = System.nanoTime();
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> stream.close(LOCAL_DISK, SHORT)));
    assertTrue(System.nanoTime() - began < TimeUnit.SECONDS.toNanos(10));
    assertEquals(List.of(write), stream.pending());
  }

  @Test
  void dictionariesGoOutWhenTheyChangeAndAgainOnANewConnection() throws Exception {
    DictionaryEncoding encoding = new DictionaryEncoding(7, false, new ArrowType.Int(8, true));
    Field words = new Field("word", new FieldType(true, encoding.getIndexType(), encoding), null);
    server.level = LOCAL_DISK;
    try (VarCharVector values = new VarCharVector("words", allocator);
         VectorSchemaRoot encoded = VectorSchemaRoot.create(new Schema(List.of(words)), allocator)) {
      values.setSafe(0, "one".getBytes(StandardCharsets.UTF_8));
      values.setValueCount(1);
      assertEquals(ArkaException.Code.INVALID_ARGUMENT,
          codeOf(() -> client.stream("sales.words").open().write(encoded)), "it says that there is none");
      ArkaStream stream = client.stream("sales.words")
          .dictionaries(new DictionaryProvider.MapDictionaryProvider(new Dictionary(values, encoding))).open();
      ((TinyIntVector) encoded.getVector(0)).setSafe(0, 0);
      encoded.setRowCount(1);
      stream.write(encoded);
      stream.write(encoded).await(LOCAL_DISK);
      assertEquals(1, dictionariesSent());
      values.setSafe(1, "two".getBytes(StandardCharsets.UTF_8));
      values.setValueCount(2);
      stream.write(encoded).await(LOCAL_DISK);
      assertEquals(2, dictionariesSent());
      server.cut(Status.UNAVAILABLE, "true");
      stream.write(encoded).await(LOCAL_DISK);
      assertEquals(3, dictionariesSent());
      assertNotEquals(server.received.get(0), server.received.get(3));
    }
  }

  @Test
  void aDictionaryThatIsNewCountsUnderTheBudget() {
    DictionaryEncoding encoding = new DictionaryEncoding(7, false, new ArrowType.Int(8, true));
    Field words = new Field("word", new FieldType(true, encoding.getIndexType(), encoding), null);
    server.level = null;
    try (VarCharVector values = new VarCharVector("words", allocator);
         VectorSchemaRoot encoded = VectorSchemaRoot.create(new Schema(List.of(words)), allocator)) {
      DictionaryProvider.MapDictionaryProvider provider = new DictionaryProvider.MapDictionaryProvider();
      assertEquals(ArkaException.Code.INVALID_ARGUMENT,
          codeOf(() -> client.stream("sales.words").dictionaries(provider).schema(encoded.getSchema()).open()));
      provider.put(new Dictionary(values, encoding));
      values.setSafe(0, new byte[5000]);
      values.setValueCount(1);
      encoded.setRowCount(1);
      ArkaStream stream = client.stream("sales.words").dictionaries(provider).budget(10_000).open();
      stream.write(encoded);
      assertTrue(stream.heldBytes() > 5000);
      stream.tryWrite(encoded);
      assertTrue(stream.heldBytes() < 10_000, "the same dictionary");
      values.setSafe(1, new byte[5000]);
      values.setValueCount(2);
      for (int attempt = 0; attempt < 2; ++attempt) {
        assertEquals(ArkaException.Code.RESOURCE_EXHAUSTED, codeOf(() -> stream.tryWrite(encoded)));
      }
      stream.abort();
    }
  }

  private long dictionariesSent() {
    return server.received.stream().filter(data -> data.getAppMetadata().isEmpty()).count();
  }

  @Test
  void manyThreadsMayWriteAtOnce() throws Exception {
    ArkaStream stream = client.stream("sales.orders").open();
    List<CompletableFuture<Void>> writers = new ArrayList<>();
    for (int writer = 0; writer < 4; ++writer) {
      writers.add(CompletableFuture.runAsync(() -> {
        try (VectorSchemaRoot own = VectorSchemaRoot.create(NUMBERS, allocator)) {
          for (int i = 0; i < 500; ++i) {
            ((BigIntVector) own.getVector(0)).setSafe(0, i);
            own.setRowCount(1);
            stream.write(own);
          }
        }
      }));
    }
    CompletableFuture.allOf(writers.toArray(new CompletableFuture<?>[0])).get(30, TimeUnit.SECONDS);
    stream.close(COMMITTED, Duration.ofSeconds(30));
    for (int i = 0; i < 2000; ++i) {
      assertEquals(i + 1, server.seqs.get(i));
    }
  }

  @Test
  void aStreamTakesNoDirectMemory() {
    long before = allocator.getAllocatedMemory();
    ArkaStream stream = client.stream("sales.orders").open();
    server.level = MEMORY; // everything is kept
    for (int i = 0; i < 100; ++i) {
      stream.write(numbers(0, 1000));
    }
    root.clear();
    assertEquals(before, allocator.getAllocatedMemory());
    assertTrue(stream.heldBytes() > 800_000);
    stream.abort();
  }
}
