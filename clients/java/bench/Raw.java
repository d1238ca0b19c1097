import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.FlightCallHeaders;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.HeaderCallOption;
import org.apache.arrow.flight.Location;

/** The same with flight-core alone. */
final class Raw {
  private final Bench bench;

  Raw(Bench bench) {
    this.bench = bench;
  }

  private FlightClient connect() {
    URI where = URI.create(bench.url);
    return FlightClient.builder(bench.allocator, Location.forGrpcInsecure(where.getHost(), where.getPort())).build();
  }

  /** Asks for the acks of one level, of a server that has such: one row a write. */
  private FlightClient.ExchangeReaderWriter open(FlightClient client, String level) {
    FlightCallHeaders headers = new FlightCallHeaders();
    headers.insert("arka-acks", level);
    headers.insert("arka-ack-until", level);
    List<String> path = new ArrayList<>(List.of("streaming_write"));
    path.addAll(List.of(bench.table.split("\\.")));
    FlightClient.ExchangeReaderWriter exchange =
        client.doExchange(FlightDescriptor.path(path), new HeaderCallOption(headers));
    exchange.getWriter().start(bench.root);
    while (!exchange.getWriter().isReady()) {
      Thread.onSpinWait(); // before there is a connection Flight keeps the vectors as they are, to encode them later
    }
    return exchange;
  }

  Map<String, Object> writes() throws Exception {
    try (FlightClient client = connect(); FlightClient.ExchangeReaderWriter exchange = open(client, "LOCAL_DISK")) {
      Semaphore room = new Semaphore(bench.inFlight);
      CompletableFuture<Long> answered = new CompletableFuture<>();
      Thread reader = new Thread(() -> answered.completeAsync(() -> read(exchange.getReader(), room), Runnable::run));
      reader.setDaemon(true);
      reader.start();
      long count = 0;
      long began = System.nanoTime();
      for (long end = bench.end(); System.nanoTime() < end; ++count) {
        if (!room.tryAcquire(20, TimeUnit.SECONDS)) {
          throw new IllegalStateException("the server does not answer");
        }
        bench.batch(count);
        exchange.getWriter().putNext();
      }
      exchange.getWriter().completed();
      if (answered.get() != count) {
        throw new IllegalStateException(answered.get() + " answers to " + count + " writes");
      }
      return Bench.since(began, "writes", count);
    }
  }

  private static long read(FlightStream reader, Semaphore room) {
    long answered = 0;
    while (reader.next()) {
      int rows = reader.getRoot().getRowCount();
      answered += rows;
      room.release(rows);
    }
    return answered;
  }

  Map<String, Object> latency() throws Exception {
    try (FlightClient client = connect(); FlightClient.ExchangeReaderWriter exchange = open(client, "MEMORY")) {
      Map<String, Object> result = bench.latencies(batch -> {
        exchange.getWriter().putNext();
        if (!exchange.getReader().next()) {
          throw new IllegalStateException("the server ended the stream");
        }
      });
      exchange.getWriter().completed();
      return result;
    }
  }
}
