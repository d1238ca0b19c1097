package io.github.arka;

import static io.github.arka.ArkaException.violation;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.flatbuf.Schema;
import org.apache.arrow.flatbuf.Type;

/**
 * Reads the answers of one DoExchange, whose columns are those of wire.md, "Acks". By hand, because acks are tens of
 * thousands a second, and vectors for them would take direct memory that nothing else of a stream needs.
 */
final class AckReader {
  interface Visitor {
    /** micros and snapshot are -1 where the server does not say. */
    void ack(long lsn, Level level, long micros, long snapshot);

    void watermarks(Watermarks marks);
  }

  private static final Level[] LEVELS = Level.values();

  private Map<String, int[]> columns; // by name: its node and its first buffer; null before the schema

  /** Tells what is in one message, in order. */
  void read(FlightMessage message, Visitor visitor) {
    if (message.header().length == 0) {
      return;
    }
    Message header = Message.getRootAsMessage(ByteBuffer.wrap(message.header()).order(ByteOrder.LITTLE_ENDIAN));
    switch (header.headerType()) {
      case MessageHeader.Schema -> readSchema((Schema) header.header(new Schema()));
      case MessageHeader.RecordBatch ->
          readBatch((RecordBatch) header.header(new RecordBatch()), message.body(), visitor);
      default -> throw violation("an answer that is neither schema nor acks");
    }
  }

  private void readSchema(Schema schema) {
    columns = new HashMap<>();
    int buffer = 0;
    for (int node = 0; node < schema.fieldsLength(); ++node) {
      Field field = schema.fields(node);
      columns.put(field.name() + ":" + field.typeType(), new int[] {node, buffer});
      buffer += field.typeType() == Type.Utf8 ? 3 : 2;
    }
  }

  private int[] column(String name, byte type) {
    int[] found = columns == null ? null : columns.get(name + ":" + type);
    if (found == null) {
      throw violation("acks without the column " + name);
    }
    return found;
  }

  private void readBatch(RecordBatch batch, byte[] bytes, Visitor visitor) {
    ByteBuffer body = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int lsns = at(batch, column("lsn", Type.Int), 1);
    int[] level = column("durability_level", Type.Utf8);
    int ends = at(batch, level, 1);
    int names = at(batch, level, 2);
    int times = at(batch, column("timestamp", Type.Timestamp), 1);
    int isWatermark = at(batch, column("is_watermark_update", Type.Bool), 1);
    int diskLsns = at(batch, column("disk_lsn", Type.Int), 1);
    int s3Lsns = at(batch, column("s3_lsn", Type.Int), 1);
    int committedLsns = at(batch, column("committed_lsn", Type.Int), 1);
    int[] snapshot = column("snapshot_id", Type.Int);
    int snapshots = at(batch, snapshot, 1);
    int valid = at(batch, snapshot, 0);
    long nulls = batch.nodes(snapshot[0]).nullCount();
    for (int row = 0; row < batch.length(); ++row) {
      int begin = body.getInt(ends + 4 * row);
      int end = body.getInt(ends + 4 * row + 4);
      if (bit(body, isWatermark, row)) {
        visitor.watermarks(new Watermarks(body.getLong(lsns + 8 * row), body.getLong(diskLsns + 8 * row),
            body.getLong(s3Lsns + 8 * row), body.getLong(committedLsns + 8 * row)));
      } else {
        boolean hasSnapshot = nulls == 0 || nulls < batch.length() && bit(body, valid, row);
        visitor.ack(body.getLong(lsns + 8 * row), level(bytes, names + begin, end - begin),
            body.getLong(times + 8 * row), hasSnapshot ? body.getLong(snapshots + 8 * row) : -1);
      }
    }
  }

  private static int at(RecordBatch batch, int[] column, int buffer) {
    Buffer found = batch.buffers(column[1] + buffer);
    return Math.toIntExact(found.offset());
  }

  private static boolean bit(ByteBuffer body, int offset, int row) {
    return (body.get(offset + (row >> 3)) >> (row & 7) & 1) != 0;
  }

  private static Level level(byte[] bytes, int offset, int length) {
    for (Level level : LEVELS) {
      if (isNamed(level.name(), bytes, offset, length)) {
        return level;
      }
    }
    throw violation("an ack of a level that there is not: "
        + new String(bytes, offset, length, java.nio.charset.StandardCharsets.UTF_8));
  }

  private static boolean isNamed(String name, byte[] bytes, int offset, int length) {
    if (name.length() != length) {
      return false;
    }
    for (int i = 0; i < length; ++i) {
      if (name.charAt(i) != bytes[offset + i]) {
        return false;
      }
    }
    return true;
  }
}
