package io.github.arka;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowBuffer;
import org.apache.arrow.vector.ipc.message.ArrowDictionaryBatch;
import org.apache.arrow.vector.ipc.message.ArrowMessage;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.DictionaryUtility;

/**
 * Encodes the batches of one stream as Flight's messages, when they are handed over: so what a stream keeps is bytes on
 * the heap, sent again as they are, and the caller's vectors, with their direct memory, are the caller's at once.
 */
final class Batches {
  private final DictionaryProvider provider; // null: none
  private final Set<Long> dictionaryIds = new TreeSet<>();
  private final Schema schema;
  private final byte[] schemaHeader;
  private Schema lastSeen;
  private List<FlightMessage> dictionaries = List.of();

  /** A batch, and the dictionaries that have to be there before it; the same list where they are the same. */
  record Encoded(FlightMessage batch, List<FlightMessage> dictionaries, int rows) {
    /** What it takes in memory beside one before it; null: there is none. */
    long bytesBeside(Encoded before) {
      return batch.bytes() + (before != null && before.dictionaries == dictionaries ? 0
          : dictionaries.stream().mapToLong(FlightMessage::bytes).sum());
    }
  }

  Batches(Schema schema, DictionaryProvider provider) {
    this.provider = provider;
    this.schema = schema;
    this.lastSeen = schema;
    List<Field> fields = new ArrayList<>();
    for (Field field : schema.getFields()) {
      if (provider == null && DictionaryUtility.needConvertToMessageFormat(field)) {
        throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
            "the column \"" + field.getName() + "\" has a dictionary: open the stream with dictionaries(…)");
      }
      try {
        fields.add(provider == null ? field : DictionaryUtility.toMessageFormat(field, provider, dictionaryIds));
      } catch (IllegalArgumentException e) {
        throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
            "the column \"" + field.getName() + "\": " + e.getMessage(), false, e);
      }
    }
    this.schemaHeader = bytes(MessageSerializer.serializeMetadata(
        new Schema(fields, schema.getCustomMetadata()), IpcOption.DEFAULT));
  }

  Schema schema() {
    return schema;
  }

  byte[] schemaHeader() {
    return schemaHeader;
  }

  /** Any thread may encode. */
  Encoded encode(VectorSchemaRoot root) {
    Schema seen = root.getSchema();
    if (seen != lastSeen) {
      if (!seen.equals(schema)) {
        throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
            "a batch of another schema: a stream has one\nstream: " + schema + "\nbatch: " + seen);
      }
      lastSeen = seen;
    }
    try (ArrowRecordBatch batch = new VectorUnloader(root).getRecordBatch()) {
      FlightMessage message = message(batch, batch);
      return new Encoded(message, dictionaryIds.isEmpty() ? dictionaries : dictionaries(), root.getRowCount());
    }
  }

  private synchronized List<FlightMessage> dictionaries() {
    List<FlightMessage> now = new ArrayList<>();
    for (long id : dictionaryIds) {
      Dictionary dictionary = provider.lookup(id);
      if (dictionary == null) {
        throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT, "dictionaries(…) has no dictionary " + id);
      }
      FieldVector vector = dictionary.getVector();
      VectorSchemaRoot root = new VectorSchemaRoot(
          List.of(vector.getField()), List.of(vector), vector.getValueCount());
      try (ArrowDictionaryBatch batch = new ArrowDictionaryBatch(
          id, new VectorUnloader(root).getRecordBatch(), false)) {
        now.add(message(batch, batch.getDictionary()));
      }
    }
    if (!now.equals(dictionaries)) {
      dictionaries = List.copyOf(now);
    }
    return dictionaries;
  }

  private static FlightMessage message(ArrowMessage message, ArrowRecordBatch batch) {
    byte[] header = bytes(MessageSerializer.serializeMetadata(message, IpcOption.DEFAULT));
    byte[] body = new byte[Math.toIntExact(message.computeBodyLength())];
    List<ArrowBuf> buffers = batch.getBuffers();
    List<ArrowBuffer> layout = batch.getBuffersLayout();
    for (int i = 0; i < buffers.size(); ++i) {
      ArrowBuf buffer = buffers.get(i);
      buffer.getBytes(buffer.readerIndex(), body, (int) layout.get(i).getOffset(), (int) buffer.readableBytes());
    }
    return new FlightMessage(header, body);
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] copied = new byte[buffer.remaining()];
    buffer.duplicate().get(copied);
    return copied;
  }

  /** The batch as a whole Arrow IPC stream, which any Arrow library reads. */
  byte[] toArrowStream(Encoded encoded) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    append(out, new FlightMessage(schemaHeader, new byte[0]));
    encoded.dictionaries().forEach(message -> append(out, message));
    append(out, encoded.batch());
    out.writeBytes(new byte[] {-1, -1, -1, -1, 0, 0, 0, 0});
    return out.toByteArray();
  }

  private static void append(ByteArrayOutputStream out, FlightMessage message) {
    int padding = -message.header().length & 7;
    byte[] length = new byte[4];
    MessageSerializer.intToBytes(message.header().length + padding, length);
    out.writeBytes(new byte[] {-1, -1, -1, -1});
    out.writeBytes(length);
    out.writeBytes(message.header());
    out.writeBytes(new byte[padding]);
    out.writeBytes(message.body());
  }
}
