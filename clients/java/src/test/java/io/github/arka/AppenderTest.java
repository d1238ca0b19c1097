package io.github.arka;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class AppenderTest {
  private static final Schema PEOPLE = new Schema(List.of(
      Field.notNullable("id", new ArrowType.Int(64, true)), Field.nullable("name", new ArrowType.Utf8())));

  /** A row. */
  public record Person(long id, String name) {}

  /** One with a column too many. */
  public record Stranger(long id, String shoe) {}

  private final BufferAllocator allocator = new RootAllocator();
  private FakeServer server;
  private ArkaClient client;

  @BeforeEach
  void start() throws IOException {
    server = new FakeServer();
    client = ArkaClient.builder(server.url()).allocator(allocator).connect();
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
    allocator.close(); // fails where anything is left
  }

  private ArkaAppender appender(int maxRows, Duration linger) {
    return client.appender("sales.people").schema(PEOPLE).maxRows(maxRows).linger(linger).open();
  }

  private static void refused(String column, Runnable call) {
    ArkaException error = assertThrows(ArkaException.class, call::run);
    assertEquals(ArkaException.Code.INVALID_ARGUMENT, error.code());
    assertTrue(error.text().contains("\"" + column + "\""), error.text());
  }

  @Test
  void aBatchIsWrittenWhenThereAreEnoughRows() {
    ArkaAppender appender = appender(3, Duration.ofHours(1));
    for (int i = 0; i < 7; ++i) {
      appender.append(new Person(i, "name"));
    }
    assertEquals(2, appender.stream().writes());
    appender.flush(Level.COMMITTED);
    assertEquals(3, appender.stream().writes());
  }

  @Test
  void aBatchIsWrittenWhenThereAreEnoughBytes() {
    ArkaAppender appender = client.appender("sales.people").schema(PEOPLE).maxBytes(1000)
        .linger(Duration.ofHours(1)).open();
    appender.append(Map.of("id", 1, "name", "x".repeat(500)));
    assertEquals(0, appender.stream().writes());
    appender.append(Map.of("id", 2, "name", "x".repeat(500)));
    assertEquals(1, appender.stream().writes());
  }

  @Test
  void aRowDoesNotLingerForLong() throws InterruptedException {
    ArkaAppender appender = appender(1000, Duration.ofMillis(1));
    appender.append(Map.of("id", 1));
    server.await(() -> server.seqs.size() == 1);
  }

  @Test
  void aRowThatDoesNotFitIsRefusedAsAWholeAndTheOthersAreWritten() {
    ArkaAppender appender = appender(1000, Duration.ofHours(1));
    appender.append(new Person(1, "one"));
    refused("name", () -> appender.append(Map.of("id", 2, "name", 2)));
    refused("id", () -> appender.append(Map.of("name", "nobody")));
    refused("id", () -> appender.append(Map.of("id", 1.5)));
    refused("shoe", () -> appender.append(Map.of("id", 3, "shoe", 44)));
    refused("shoe", () -> appender.append(new Stranger(3, "44")));
    appender.append(new Person(4, null));
    appender.close();
    assertEquals(1, appender.stream().writes());
    assertEquals(List.of(1L), server.seqs);
    assertTrue(client.session().startsWith("arka-java-"));
    assertEquals(ArkaException.Code.FAILED_PRECONDITION,
        assertThrows(ArkaException.class, () -> appender.append(new Person(5, "late"))).code());
  }

  /** One whose stream has room for one batch, until the server takes it. */
  private ArkaAppender crowded(int maxRows, Duration deadline) {
    server.level = null;
    return client.appender("sales.people").schema(PEOPLE).maxRows(maxRows).linger(Duration.ofHours(1))
        .stream(options -> options.budget(1).deadline(deadline)).open();
  }

  private static ArkaException.Code codeOf(Runnable call) {
    return assertThrows(ArkaException.class, call::run).code();
  }

  @Test
  void rowsForWhichThereIsNoRoomYetStay() throws InterruptedException {
    ArkaAppender appender = crowded(10, Duration.ofMillis(200));
    for (int i = 0; i < 20; ++i) {
      appender.append(new Person(i, "taken"));
    }
    server.await(() -> server.seqs.size() == 1);
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> appender.append(new Person(20, "not taken"))));
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> appender.flush(Level.MEMORY, Duration.ofMillis(1))));
    server.level = Level.LOCAL_DISK;
    server.ack(1, Level.MEMORY);
    server.ack(1, Level.LOCAL_DISK);
    server.await(() -> server.seqs.size() == 2);
    appender.append(new Person(20, "taken"));
    appender.flush(Level.LOCAL_DISK);
    assertEquals(21, server.rows().stream().mapToLong(Long::longValue).sum());
    assertEquals(List.of(1L, 2L, 3L), server.seqs);
  }

  @Test
  void flushAndCloseAreOverInTimeThoughSomebodyWaitsForRoom() throws Exception {
    ArkaAppender appender = crowded(1, Duration.ofHours(1));
    appender.append(new Person(1, "sent"));
    appender.append(new Person(2, "gathered"));
    CompletableFuture<ArkaException.Code> third = CompletableFuture.supplyAsync(
        () -> codeOf(() -> appender.append(new Person(3, "waits for room"))));
    assertThrows(TimeoutException.class, () -> third.get(200, java.util.concurrent.TimeUnit.MILLISECONDS));
    long began = System.nanoTime();
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> appender.flush(Level.MEMORY, Duration.ofMillis(100))));
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, codeOf(() -> appender.close(Level.MEMORY, Duration.ofMillis(100))));
    assertEquals(ArkaException.Code.FAILED_PRECONDITION, third.get(10, java.util.concurrent.TimeUnit.SECONDS));
    assertTrue(System.nanoTime() - began < java.util.concurrent.TimeUnit.SECONDS.toNanos(10));
  }

  @Test
  void closeSaysHowManyRowsItCouldNotWrite() {
    ArkaAppender appender = crowded(3, Duration.ofHours(1));
    for (int i = 0; i < 5; ++i) {
      appender.append(new Person(i, "some"));
    }
    ArkaException late = assertThrows(ArkaException.class, () -> appender.close(Level.MEMORY, Duration.ofMillis(100)));
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, late.code());
    assertTrue(late.text().startsWith("2 rows"), late.text());
  }

  @Test
  void onceItsStreamHasFailedItTakesNoRows() throws Exception {
    ArkaAppender appender = crowded(1, Duration.ofHours(1));
    appender.append(new Person(1, "sent"));
    server.await(() -> server.seqs.size() == 1);
    server.cut(Status.INVALID_ARGUMENT, "false");
    for (int i = 0; i < 2; ++i) {
      assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> {
        while (true) {
          appender.append(new Person(2, "in vain"));
        }
      }));
    }
    for (int i = 0; i < 2; ++i) {
      assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(() -> appender.append(new Person(3, "in vain"))));
    }
    assertEquals(ArkaException.Code.INVALID_ARGUMENT, codeOf(appender::close));
  }

  @Test
  void aRowThatTheMemoryIsTooSmallForIsRefusedAsAWhole() {
    try (BufferAllocator memory = allocator.newChildAllocator("small", 0, 1 << 20);
         ArkaClient small = ArkaClient.builder(server.url()).allocator(memory).connect();
         ArkaAppender appender = small.appender("sales.people").schema(PEOPLE).linger(Duration.ofHours(1)).open()) {
      appender.append(new Person(1, "one"));
      assertEquals(ArkaException.Code.RESOURCE_EXHAUSTED,
          codeOf(() -> appender.append(new Person(2, "x".repeat(4 << 20)))));
      appender.append(new Person(3, "three"));
      appender.flush(Level.LOCAL_DISK);
      assertEquals(List.of(2L), server.rows());
    }
  }

  @Test
  void closingTheClientWritesWhatWasGathered() {
    ArkaAppender appender = appender(1000, Duration.ofHours(1));
    appender.append(new Person(1, "one"));
    client.close();
    assertEquals(List.of(1L), server.seqs);
  }

  private static ArrowType decimal(int precision, int scale, int bits) {
    return new ArrowType.Decimal(precision, scale, bits);
  }

  static Stream<Arguments> values() {
    UUID uuid = UUID.fromString("0f8fad5b-d9cb-469f-a165-70867728950e");
    Instant moment = Instant.parse("2024-10-04T12:34:56.789012345Z");
    return Stream.of(
        Arguments.of(new ArrowType.Bool(), true, true),
        Arguments.of(new ArrowType.Int(8, true), -128, (byte) -128),
        Arguments.of(new ArrowType.Int(16, true), 300, (short) 300),
        Arguments.of(new ArrowType.Int(32, true), 7L, 7),
        Arguments.of(new ArrowType.Int(64, true), Long.MIN_VALUE, Long.MIN_VALUE),
        Arguments.of(new ArrowType.Int(32, false), 4_294_967_295L, -1),
        Arguments.of(new ArrowType.Int(64, false), BigInteger.TWO.pow(64).subtract(BigInteger.ONE), -1L),
        Arguments.of(new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE), 2.5, 2.5f),
        Arguments.of(new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE), 2, 2.0),
        Arguments.of(decimal(10, 2, 128), new BigDecimal("3.5"), new BigDecimal("3.50")),
        Arguments.of(decimal(40, 2, 256), 3, new BigDecimal("3.00")),
        Arguments.of(new ArrowType.Date(DateUnit.DAY), LocalDate.of(1970, 1, 3), 2),
        Arguments.of(new ArrowType.Time(TimeUnit.MICROSECOND, 64), LocalTime.of(0, 0, 1), 1_000_000L),
        Arguments.of(new ArrowType.Timestamp(TimeUnit.MICROSECOND, "UTC"), moment, 1_728_045_296_789_012L),
        Arguments.of(new ArrowType.Timestamp(TimeUnit.MILLISECOND, null), LocalDateTime.parse("1969-12-31T23:59:59.999"),
            LocalDateTime.parse("1969-12-31T23:59:59.999")),
        Arguments.of(new ArrowType.Utf8(), "text", "text"),
        Arguments.of(new ArrowType.LargeUtf8(), "text", "text"),
        Arguments.of(new ArrowType.Binary(), new byte[] {1, 2}, new byte[] {1, 2}),
        Arguments.of(new ArrowType.FixedSizeBinary(16), uuid, new byte[] {0x0f, (byte) 0x8f, (byte) 0xad, 0x5b,
            (byte) 0xd9, (byte) 0xcb, 0x46, (byte) 0x9f, (byte) 0xa1, 0x65, 0x70, (byte) 0x86, 0x77, 0x28, (byte) 0x95,
            0x0e}));
  }

  @ParameterizedTest
  @MethodSource("values")
  void aValueArrivesAsItIs(ArrowType type, Object given, Object stored) {
    try (FieldVector vector = Field.nullable("it", type).createVector(allocator)) {
      Column column = new Column(vector);
      column.set(0, given);
      column.set(1, null);
      vector.setValueCount(2);
      Object there = vector.getObject(0);
      if (stored instanceof byte[] bytes) {
        assertArrayEquals(bytes, (byte[]) there);
      } else if (stored instanceof String) {
        assertEquals(stored, there.toString());
      } else {
        assertEquals(stored, there);
      }
      assertTrue(vector.isNull(1));
    }
  }

  static Stream<Arguments> misfits() {
    return Stream.of(
        Arguments.of(new ArrowType.Int(8, true), 128),
        Arguments.of(new ArrowType.Int(8, false), -1),
        Arguments.of(new ArrowType.Int(64, true), BigInteger.TWO.pow(63)),
        Arguments.of(new ArrowType.Int(64, false), -1),
        Arguments.of(new ArrowType.Int(32, true), "7"),
        Arguments.of(decimal(4, 2, 128), new BigDecimal("1.234")),
        Arguments.of(decimal(4, 2, 128), new BigDecimal("123")),
        Arguments.of(decimal(4, 2, 128), 1.5),
        Arguments.of(new ArrowType.Timestamp(TimeUnit.NANOSECOND, "UTC"), Instant.MAX),
        Arguments.of(new ArrowType.Timestamp(TimeUnit.SECOND, "UTC"), LocalDateTime.now()),
        Arguments.of(new ArrowType.FixedSizeBinary(4), new byte[3]),
        Arguments.of(new ArrowType.Bool(), 1));
  }

  @ParameterizedTest
  @MethodSource("misfits")
  void aValueThatDoesNotFitIsRefused(ArrowType type, Object given) {
    try (FieldVector vector = Field.nullable("it", type).createVector(allocator)) {
      assertThrows(RuntimeException.class, () -> new Column(vector).set(0, given));
    }
  }

  @Test
  void whatIsNestedArrivesEvenAfterARowThatWasRefused() {
    Field item = Field.nullable("item", new ArrowType.Int(32, true));
    Field list = new Field("list", FieldType.nullable(new ArrowType.List()), List.of(item));
    Field key = Field.notNullable("key", new ArrowType.Utf8());
    Field entries = new Field("entries", FieldType.notNullable(new ArrowType.Struct()), List.of(key, item));
    Field map = new Field("map", FieldType.nullable(new ArrowType.Map(false)), List.of(entries));
    Field struct = new Field("it", FieldType.nullable(new ArrowType.Struct()), List.of(list, map));
    try (FieldVector vector = struct.createVector(allocator)) {
      Column column = new Column(vector);
      column.set(0, Map.of("list", List.of(1, 2), "map", Map.of("a", 1)));
      assertThrows(Column.Misfit.class, () -> column.set(1, Map.of("list", List.of(3, 4, 5), "map", Map.of("a", "b"))));
      List<Object> withNull = new ArrayList<>();
      withNull.add(null);
      Map<String, Object> row = new HashMap<>();
      row.put("list", withNull);
      column.set(1, row);
      column.set(2, null);
      vector.setValueCount(3);
      assertEquals("{\"list\":[1,2],\"map\":[{\"key\":\"a\",\"item\":1}]}", vector.getObject(0).toString());
      assertEquals("{\"list\":[null]}", vector.getObject(1).toString());
      assertTrue(vector.isNull(2));
    }
  }
}
