package io.github.arka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
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

@Timeout(60)
class TrackingTest {
  private static Ack ack(long lsn, Level level) {
    return new Ack(lsn, level, lsn - 999, null, null);
  }

  @Test
  void aTrackerWaitsForTheLastOfItsLsns() throws Exception {
    AckTracker tracker = new AckTracker();
    tracker.observe(ack(1000, Level.MEMORY));
    tracker.observe(ack(1000, Level.LOCAL_DISK));
    tracker.observe(ack(1001, Level.MEMORY));
    assertEquals(Optional.of(Level.LOCAL_DISK), tracker.levelOf(1000));
    assertEquals(Optional.of(Level.MEMORY), tracker.levelOf(1001));
    assertEquals(Optional.empty(), tracker.levelOf(1002));
    List<Long> both = List.of(1001L, 1000L);
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, assertThrows(ArkaException.class,
        () -> tracker.awaitAll(both, Level.LOCAL_DISK, Duration.ofMillis(20))).code());
    CompletableFuture<Void> waiting = CompletableFuture.runAsync(
        () -> tracker.awaitAll(both, Level.LOCAL_DISK, Duration.ofSeconds(20)));
    tracker.observe(ack(1001, Level.LOCAL_DISK));
    waiting.get(10, TimeUnit.SECONDS);
  }

  @Test
  void anLsnThatACrashTookHasReachedWhatItsWriteHas() {
    AckTracker tracker = new AckTracker();
    for (long lsn = 1000; lsn < 1003; ++lsn) {
      tracker.observe(ack(lsn, Level.MEMORY));
    }
    tracker.observe(ack(1000, Level.LOCAL_DISK));
    tracker.observe(new Ack(1003, Level.MEMORY, 2, null, null)); // in place of 1001
    tracker.observe(new Ack(1003, Level.LOCAL_DISK, 2, null, null));
    assertEquals(Optional.of(Level.LOCAL_DISK), tracker.levelOf(1000));
    assertEquals(Optional.empty(), tracker.levelOf(1002));
    assertEquals(Optional.of(Level.LOCAL_DISK), tracker.levelOf(1003));
    assertEquals(ArkaException.Code.DEADLINE_EXCEEDED, assertThrows(ArkaException.class,
        () -> tracker.awaitAll(List.of(1000L, 1002L), Level.LOCAL_DISK, Duration.ofMillis(20))).code());
    tracker.observe(new Ack(1004, Level.MEMORY, 3, null, null)); // in place of 1002
    assertEquals(Optional.of(Level.MEMORY), tracker.levelOf(1002));
    tracker.observe(new Ack(1004, Level.LOCAL_DISK, 3, null, null));
    tracker.awaitAll(List.of(1000L, 1002L), Level.LOCAL_DISK, Duration.ZERO);
  }

  @Test
  void aListenerThatIsTooSlowMissesTheOldest() throws Exception {
    int kept = 262_144;
    int all = kept + 100;
    List<Long> heard = new ArrayList<>();
    CountDownLatch let = new CountDownLatch(1);
    AckFeed feed = new AckFeed("slow", ack -> {
      try {
        let.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      heard.add(ack.lsn());
    });
    for (int lsn = 0; lsn < all; ++lsn) {
      feed.put(lsn, Level.MEMORY, 1, -1, -1);
    }
    let.countDown();
    feed.end();
    feed.join(TimeUnit.SECONDS.toNanos(30));
    assertTrue(heard.size() == kept || heard.size() == kept + 1, "one it may have had in hand: " + heard.size());
    assertEquals(all - kept, heard.get(heard.size() - kept));
    assertEquals(all - 1, heard.get(heard.size() - 1));
  }

  @Test
  void aCacheKeepsWhatAWatermarkMayMeanAnotherWriteBy() throws Exception {
    Schema schema = new Schema(List.of(Field.notNullable("number", new ArrowType.Int(64, true))));
    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator);
         FakeServer server = new FakeServer();
         ArkaClient client = ArkaClient.builder(server.url()).allocator(allocator).connect()) {
      ((BigIntVector) root.getVector(0)).setSafe(0, 1);
      root.setRowCount(1);
      server.level = Level.MEMORY;
      ArkaStream stream = client.stream("sales.orders").open();
      LocalCache<String> cache = new LocalCache<>(Level.OBJECT_STORAGE);
      Write write = stream.write(root);
      cache.put(write, "one");
      write.await(Level.MEMORY);
      assertEquals(List.of(), cache.clean(new Watermarks(1000, 1000, 1000, 1000)), "its LSN is not final yet");
      server.ack(1, Level.LOCAL_DISK);
      write.await(Level.LOCAL_DISK);
      assertEquals(List.of(), cache.clean(new Watermarks(1000, 1000, 999, 999)));
      assertEquals(List.of("one"), cache.values());
      DurabilityLag lag = new DurabilityLag(stream, Level.OBJECT_STORAGE);
      assertEquals(1, lag.writes());
      assertTrue(lag.age().compareTo(Duration.ZERO) > 0);
      assertEquals(List.of("one"), cache.clean(new Watermarks(1000, 1000, 1000, 999)));
      assertEquals(0, cache.size());
    }
  }
}
