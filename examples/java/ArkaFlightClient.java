import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.apache.arrow.flight.CallHeaders;
import org.apache.arrow.flight.FlightCallHeaders;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.HeaderCallOption;
import org.apache.arrow.flight.Location;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The example of the guide with nothing but Arrow's flight-core: write a hundred batches, and read their acks meanwhile.
 *
 * <p>usage: java --add-opens=java.base/java.nio=ALL-UNNAMED -cp … ArkaFlightClient [HOST] [PORT] [LEVEL]
 *
 * <p>The rows go to the table arka.my_table. LEVEL is how long to stay: MEMORY, LOCAL_DISK, OBJECT_STORAGE (the default) or
 * COMMITTED, when the rows are in the Iceberg table.
 */
public class ArkaFlightClient {
  static final Schema SCHEMA = new Schema(List.of(
      Field.notNullable("id", new ArrowType.Int(64, true)),
      Field.nullable("name", new ArrowType.Utf8())));

  /** Writes the batches, then says that this was all. Every batch is one write with one LSN. */
  static void send(FlightClient.ClientStreamListener writer, VectorSchemaRoot root, int batches) {
    writer.start(root);
    for (int i = 0; i < batches; i++) {
      while (!writer.isReady()) { // or Flight would pile up in direct memory what the server does not take yet
        LockSupport.parkNanos(50_000);
      }
      ((BigIntVector) root.getVector("id")).setSafe(0, i);
      ((VarCharVector) root.getVector("name")).setSafe(0, ("name " + i).getBytes(StandardCharsets.UTF_8));
      root.setRowCount(1);
      writer.putNext();
      root.clear(); // Flight may still hold the buffers: the next batch gets others
    }
    writer.completed();
  }

  /** Counts the acks of each level until the server ends the stream. */
  static Map<String, Integer> readAcks(FlightStream reader) {
    Map<String, Integer> counts = new TreeMap<>();
    while (reader.next()) { // as many acks as were due at that moment
      VarCharVector levels = (VarCharVector) reader.getRoot().getVector("durability_level");
      BitVector isWatermark = (BitVector) reader.getRoot().getVector("is_watermark_update");
      for (int row = 0; row < levels.getValueCount(); row++) {
        if (isWatermark.get(row) == 0) {
          counts.merge(levels.getObject(row).toString(), 1, Integer::sum);
        }
      }
    }
    return counts;
  }

  public static void main(String[] args) throws Exception {
    String host = args.length > 0 ? args[0] : "localhost";
    int port = args.length > 1 ? Integer.parseInt(args[1]) : 8815;
    String level = args.length > 2 ? args[2] : "OBJECT_STORAGE";

    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot root = VectorSchemaRoot.create(SCHEMA, allocator);
         FlightClient client = FlightClient.builder(allocator, Location.forGrpcInsecure(host, port)).build()) {
      CallHeaders headers = new FlightCallHeaders();
      headers.insert("arka-ack-until", level); // after which level the stream may end
      FlightDescriptor descriptor = FlightDescriptor.path("streaming_write");

      try (FlightClient.ExchangeReaderWriter exchange = client.doExchange(descriptor, new HeaderCallOption(headers))) {
        Thread sender = new Thread(() -> send(exchange.getWriter(), root, 100));
        sender.setDaemon(true); // one that waits for a call that has failed keeps nobody
        sender.start();
        Map<String, Integer> counts = readAcks(exchange.getReader()); // the server's word on what went wrong comes here
        for (String reached : List.of("MEMORY", "LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED")) {
          if (counts.containsKey(reached)) {
            System.out.println(counts.get(reached) + " writes reached " + reached);
          }
        }
        sender.join();
      }
    }
  }
}
