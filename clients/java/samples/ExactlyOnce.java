import io.github.arka.ArkaClient;
import io.github.arka.ArkaStream;
import io.github.arka.Rows;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A program that may be started again at any time, and writes each of its batches once.
 *
 * <p>usage: ExactlyOnce [grpc://HOST:PORT]
 */
public class ExactlyOnce {
  static final Schema SCHEMA = new Schema(List.of(Field.notNullable("line", new ArrowType.Int(64, true))));

  static VectorSchemaRoot line(VectorSchemaRoot root, long number) {
    ((BigIntVector) root.getVector("line")).setSafe(0, number);
    root.setRowCount(1);
    return root;
  }

  /** Writes lines up to that one, going on after those that an earlier run has written. */
  static void copyLines(ArkaClient client, VectorSchemaRoot root, long until) {
    try (ArkaStream stream = client.stream("guide.lines").producer("till 4").open()) {
      // Every batch is one line here, so the number of batches says where to go on.
      for (long number = stream.nextSeq(); number <= until; number++) {
        stream.write(line(root, number));
      }
    } // everything is on the server's disk
  }

  public static void main(String[] args) {
    String location = args.length > 0 ? args[0] : "grpc://localhost:8815";
    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot root = VectorSchemaRoot.create(SCHEMA, allocator);
         ArkaClient client = ArkaClient.connect(location)) {
      copyLines(client, root, 30);
      copyLines(client, root, 50); // as if started again
      try (Rows rows = client.query("SELECT count(*), count(DISTINCT line), max(line) FROM guide.lines")) {
        while (rows.next()) {
          List<Object> row = rows.root().getFieldVectors().stream().map(column -> column.getObject(0)).toList();
          System.out.println("lines, different, last: " + row);
        }
      }
    }
  }
}
