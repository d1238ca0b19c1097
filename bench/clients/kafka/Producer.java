import java.nio.ByteBuffer;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Rows to a Kafka topic by Kafka's own client for SECONDS, each a record, until all are acknowledged. Usage:
 * Producer HOST:PORT TOPIC SECONDS [KEY=VALUE...]. Prints {"rows", "seconds"}.
 */
final class Producer {
  private static final int TEXT_BYTES = 20;

  /** A number and its decimal digits, as bytes; cheaper than any format that names its columns. */
  private static byte[] row(long number) {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + TEXT_BYTES).putLong(number);
    long rest = number;
    for (int i = Long.BYTES + TEXT_BYTES - 1; i >= Long.BYTES; --i, rest /= 10) {
      bytes.put(i, (byte) ('0' + rest % 10));
    }
    return bytes.array();
  }

  public static void main(String[] args) throws Exception {
    String topic = args[1];
    long nanos = (long) (Double.parseDouble(args[2]) * 1e9);
    Properties given = new Properties();
    given.put("bootstrap.servers", args[0]);
    given.put("acks", "all");
    given.put("enable.idempotence", "true");
    for (int i = 3; i < args.length; ++i) {
      String[] pair = args[i].split("=", 2);
      given.put(pair[0], pair[1]);
    }
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(given, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.partitionsFor(topic); // connects
      long began = System.nanoTime();
      long number = 0;
      for (; System.nanoTime() - began < nanos; ++number) {
        producer.send(new ProducerRecord<>(topic, row(number)), (metadata, error) -> {
          if (error != null) {
            failure.set(error);
          }
        });
      }
      producer.flush();
      double seconds = (System.nanoTime() - began) / 1e9;
      if (failure.get() != null) {
        throw failure.get();
      }
      System.out.println("{\"rows\": " + number + ", \"seconds\": " + seconds + "}");
    }
  }
}
