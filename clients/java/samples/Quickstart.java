import io.github.arka.ArkaClient;
import io.github.arka.ArkaStream;
import io.github.arka.Level;
import io.github.arka.Rows;
import io.github.arka.Write;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.Text;

/**
 * Writes three rows and waits until they are in the object store.
 *
 * <p>usage: Quickstart [grpc://HOST:PORT]
 */
public class Quickstart {
  static final Schema SCHEMA = new Schema(List.of(
      Field.notNullable("id", new ArrowType.Int(64, true)),
      Field.nullable("name", new ArrowType.Utf8())));

  static VectorSchemaRoot people(BufferAllocator allocator) {
    VectorSchemaRoot root = VectorSchemaRoot.create(SCHEMA, allocator);
    List<String> names = List.of("Alice", "Bob", "Carol");
    for (int row = 0; row < names.size(); row++) {
      ((BigIntVector) root.getVector("id")).setSafe(row, row + 1);
      ((VarCharVector) root.getVector("name")).setSafe(row, new Text(names.get(row)));
    }
    root.setRowCount(names.size());
    return root;
  }

  public static void main(String[] args) {
    String location = args.length > 0 ? args[0] : "grpc://localhost:8815";
    try (BufferAllocator allocator = new RootAllocator();
         VectorSchemaRoot people = people(allocator);
         ArkaClient client = ArkaClient.connect(location);
         ArkaStream stream = client.stream("guide.people").open()) {
      Write write = stream.write(people);
      long lsn = write.await(Level.OBJECT_STORAGE);
      System.out.println("in the object store: " + (lsn >= 1000));

      try (Rows rows = client.query("SELECT id, name FROM guide.people ORDER BY id LIMIT 3")) {
        while (rows.next()) {
          System.out.println(rows.root().getRowCount() + " rows, the first: " + rows.root().getVector("name").getObject(0));
        }
      }
    }
  }
}
