package io.github.arka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** What only a real server shows: the one of ARKA_URL. */
@Timeout(120)
@EnabledIfEnvironmentVariable(named = "ARKA_URL", matches = ".+")
class RealServerTest {
  private static final Schema NUMBERS = new Schema(List.of(Field.notNullable("number", new ArrowType.Int(64, true))));

  private final String url = System.getenv("ARKA_URL");
  private final String table = "java.t" + UUID.randomUUID().toString().replace("-", "");

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct")).mapToLong(BufferPoolMXBean::getMemoryUsed).sum()
        + io.netty.buffer.PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
  }

  @Test
  void whatIsWrittenReadAndAppendedLeavesNoDirectMemoryBehind() {
    BufferAllocator allocator = new RootAllocator();
    try (VectorSchemaRoot root = VectorSchemaRoot.create(NUMBERS, allocator);
         ArkaClient client = ArkaClient.builder(url).allocator(allocator).connect()) {
      ArkaStream stream = client.stream(table).open();
      for (int i = 0; i < 100; ++i) {
        ((BigIntVector) root.getVector(0)).setSafe(0, i);
        root.setRowCount(1);
        stream.write(root);
      }
      stream.flush(Level.COMMITTED);
      ArkaAppender appender = client.appender(table).open(); // by the table's own schema
      appender.append(Map.of("number", 100));
      appender.flush(Level.LOCAL_DISK);
      Rows left = client.query("SELECT * FROM " + table); // and left as it is
      assertTrue(left.next());
      try (Rows rows = client.query("SELECT count(*) FROM " + table)) {
        assertTrue(rows.next());
        assertEquals(101L, rows.root().getVector(0).getObject(0));
      }
    }
    assertEquals(0, allocator.getAllocatedMemory());
    allocator.close();
  }

  @Test
  void aQueryThatIsInterruptedLeavesNoDirectMemoryBehind() {
    try (BufferAllocator allocator = new RootAllocator()) {
      ArkaClient client = ArkaClient.builder(url).allocator(allocator).connect();
      Rows rows = client.query("SELECT unnest(range(1000000)) AS number");
      assertTrue(rows.next());
      assertTrue(rows.root().getRowCount() > 0);
      Thread.currentThread().interrupt();
      ArkaException interrupted = assertThrows(ArkaException.class, () -> {
        while (rows.next()) {
          // It comes to that.
        }
      });
      assertEquals(ArkaException.Code.CANCELLED, interrupted.code());
      rows.close();
      assertTrue(Thread.interrupted(), "it is kept for whom it may concern");
      client.close();
      assertEquals(0, allocator.getAllocatedMemory());
      assertTrue(client.allocator().getChildAllocators().isEmpty());
    }
  }

  @Test
  void theMemoryOfAWriterIsFlat() {
    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot root = VectorSchemaRoot.create(NUMBERS, allocator);
         ArkaClient client = ArkaClient.connect(url);
         ArkaStream stream = client.stream(table).open()) {
      for (int row = 0; row < 1000; ++row) {
        ((BigIntVector) root.getVector(0)).setSafe(row, row);
      }
      root.setRowCount(1000);
      long began = System.nanoTime();
      long early = 0;
      for (long passed = 0; passed < TimeUnit.SECONDS.toNanos(10); passed = System.nanoTime() - began) {
        for (int i = 0; i < 100; ++i) {
          stream.write(root);
        }
        stream.waitForDurability(Level.LOCAL_DISK);
        if (early == 0 && passed > TimeUnit.SECONDS.toNanos(3)) {
          early = directBytes();
        }
      }
      assertEquals(0, stream.heldBytes());
      assertTrue(directBytes() - early < 32 << 20, "direct memory grew by " + (directBytes() - early) + " bytes");
    }
  }

  @Test
  void whatAServerSaysOfItselfAndOfWritesIsThere() {
    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot root = VectorSchemaRoot.create(NUMBERS, allocator);
         ArkaClient client = ArkaClient.connect(url)) {
      ((BigIntVector) root.getVector(0)).setSafe(0, 7);
      root.setRowCount(1);
      long lsn;
      try (ArkaStream stream = client.stream(table).open()) {
        lsn = stream.writeDurable(root, Level.COMMITTED);
      }
      assertEquals(true, client.status().get("ready"));
      assertTrue(client.watermarks().diskLsn() >= lsn);
      assertEquals(Level.COMMITTED, client.durabilityStatus(lsn - 1).events().stream()
          .filter(event -> event.lsn() == lsn).reduce((first, last) -> last).orElseThrow().level());
      assertTrue(client.levelOf(lsn).orElseThrow().isAtLeast(Level.OBJECT_STORAGE));
      assertEquals(NUMBERS, client.schema(table));
      assertTrue(client.flush(Level.LOCAL_DISK, table) >= lsn);
    }
  }

  @Test
  void aClosedClientSaysSoAtOnce() {
    ArkaClient client = ArkaClient.connect(url);
    client.close();
    long began = System.nanoTime();
    ArkaException error = assertThrows(ArkaException.class, client::status);
    assertEquals(ArkaException.Code.FAILED_PRECONDITION, error.code());
    assertTrue(System.nanoTime() - began < TimeUnit.SECONDS.toNanos(10));
  }
}
