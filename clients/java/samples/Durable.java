import io.github.arka.Ack;
import io.github.arka.AckTracker;
import io.github.arka.ArkaClient;
import io.github.arka.ArkaStream;
import io.github.arka.DurabilityLag;
import io.github.arka.Level;
import io.github.arka.LocalCache;
import io.github.arka.Write;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Waits only for what matters, follows acks and watermarks, and asks afterwards what became of it.
 *
 * <p>usage: Durable [grpc://HOST:PORT]
 */
public class Durable {
  static final Schema SCHEMA = new Schema(List.of(
      Field.notNullable("amount", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE))));

  static VectorSchemaRoot payment(VectorSchemaRoot root, double amount) {
    ((Float8Vector) root.getVector("amount")).setSafe(0, amount);
    root.setRowCount(1);
    return root;
  }

  /** Returns at once for ordinary payments, for critical ones when they are in the object store. */
  static void writeWithPolicy(ArkaStream stream, VectorSchemaRoot payment, boolean critical) {
    if (critical) {
      stream.writeDurable(payment, Level.OBJECT_STORAGE);
    } else {
      stream.write(payment);
    }
  }

  /** Follows the acks of a stream in a tracker, and waits by LSN. */
  static void track(ArkaClient client, VectorSchemaRoot root) {
    AckTracker tracker = new AckTracker();
    List<Long> lsns = new ArrayList<>();
    try (ArkaStream stream = client.stream("guide.payments").onAck(tracker::observe).open()) {
      for (int i = 0; i < 10; i++) {
        lsns.add(stream.write(payment(root, i)).await(Level.MEMORY)); // one at a time is slow: a round trip for each
      }
      tracker.awaitAll(lsns, Level.LOCAL_DISK, Duration.ofSeconds(10));
      System.out.println("on disk: " + lsns.size());

      DurabilityLag lag = new DurabilityLag(stream, Level.COMMITTED);
      System.out.println("lag is known: " + (lag.writes() <= 10 && lag.age().toMinutes() < 1));
      stream.flush(Level.COMMITTED);
    }
    for (Ack event : client.durabilityStatus(lsns.get(8)).events()) {
      if (event.lsn() == lsns.get(9)) {
        System.out.println("the last one reached " + event.level());
      }
    }
  }

  /** Goes on with something else, and hears when a write has come far enough. */
  static void future(ArkaClient client, VectorSchemaRoot root) {
    try (ArkaStream stream = client.stream("guide.payments").open()) {
      Write write = stream.write(payment(root, 7));
      CompletableFuture<Void> told = write.reached(Level.LOCAL_DISK)
          .thenAccept(lsn -> System.out.println("told: " + (lsn >= 1000)));
      told.join();
    }
  }

  /** Keeps its own copy of what it writes until the server's watermarks say that it is safe. */
  static void cache(ArkaClient client, VectorSchemaRoot root) {
    LocalCache<Double> kept = new LocalCache<>(Level.OBJECT_STORAGE);
    try (ArkaStream stream = client.stream("guide.payments").open()) {
      for (double amount = 0; amount < 10; amount++) {
        kept.put(stream.write(payment(root, amount)), amount);
      }
      stream.flush(Level.OBJECT_STORAGE);
      List<Double> safe = kept.clean(stream.watermarks()); // call it now and then
      System.out.println("safe: " + safe.size() + ", still to be kept: " + kept.size());
    }
  }

  public static void main(String[] args) {
    String location = args.length > 0 ? args[0] : "grpc://localhost:8815";
    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot root = VectorSchemaRoot.create(SCHEMA, allocator);
         ArkaClient client = ArkaClient.connect(location)) {
      try (ArkaStream stream = client.stream("guide.payments").open()) {
        writeWithPolicy(stream, payment(root, 1), false);
        writeWithPolicy(stream, payment(root, 1000), true);
      }
      track(client, root);
      future(client, root);
      cache(client, root);
      System.out.println("the server is ready: " + client.status().get("ready"));
    }
  }
}
