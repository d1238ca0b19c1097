import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.StringJoiner;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/**
 * A Kafka of one node (KRaft) on loopback, with the topics of the benchmark. Usage: Broker DIRECTORY. Says
 * "kafka ready on 127.0.0.1:PORT"; ends on SIGTERM. Its configuration is Kafka's own, but for what one node needs.
 */
final class Broker {
  public static void main(String[] args) throws Exception {
    Path directory = Files.createDirectories(Path.of(args[0]));
    int port;
    int controllerPort;
    // Both are open at once, so that they differ. A quorum wants its ports before it starts.
    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    try (ServerSocket first = new ServerSocket(0, 1, loopback); ServerSocket second = new ServerSocket(0, 1, loopback)) {
      port = first.getLocalPort();
      controllerPort = second.getLocalPort();
    }
    Properties given = new Properties();
    given.put("process.roles", "broker,controller");
    given.put("node.id", "1");
    given.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    given.put("controller.listener.names", "CONTROLLER");
    given.put("listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
    given.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
    given.put("log.dirs", directory.resolve("log").toString());
    given.put("offsets.topic.replication.factor", "1");

    Path file = directory.resolve("server.properties");
    StringJoiner lines = new StringJoiner("\n");
    given.forEach((key, value) -> lines.add(key + "=" + value));
    Files.writeString(file, lines.toString());
    String[] format = {"format", "--config", file.toString(), "--cluster-id", Uuid.randomUuid().toString()};
    if (StorageTool.execute(format, System.err) != 0) {
      System.exit(1);
    }

    KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(given), Time.SYSTEM);
    server.startup();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      server.shutdown();
      server.awaitShutdown();
      Runtime.getRuntime().halt(0);
    }));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + port))) {
      short replicas = 1;
      NewTopic asItComes = new NewTopic("rows", 1, replicas);
      NewTopic flushed = new NewTopic("flushed", 1, replicas).configs(Map.of("flush.messages", "1"));
      admin.createTopics(List.of(asItComes, flushed)).all().get();
    }
    System.out.println("kafka ready on 127.0.0.1:" + port);
    server.awaitShutdown();
  }
}
