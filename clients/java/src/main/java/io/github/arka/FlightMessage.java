package io.github.arka;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.arrow.flight.impl.FlightServiceGrpc;

/** A message of Flight's DoExchange: the header of an Arrow message, and its body. */
record FlightMessage(byte[] header, byte[] body) {
  // Of FlightData in Flight.proto.
  private static final int DESCRIPTOR = 1;
  private static final int HEADER = 2;
  private static final int METADATA = 3;
  private static final int BODY = 1000;

  private static final int OVERHEAD = 256;

  /** A FlightData as it is sent: its bytes in parts, so that no body is copied. */
  record Outgoing(List<byte[]> parts) {}

  static final MethodDescriptor<Outgoing, FlightMessage> DO_EXCHANGE =
      MethodDescriptor.<Outgoing, FlightMessage>newBuilder()
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName(FlightServiceGrpc.getDoExchangeMethod().getFullMethodName())
          .setRequestMarshaller(new Marshaller())
          .setResponseMarshaller(new Unmarshaller())
          .build();

  /** What it takes in memory, with the heads of the arrays and its places in the queues. */
  long bytes() {
    return header.length + (long) body.length + OVERHEAD;
  }

  Outgoing outgoing() {
    return new Outgoing(body.length == 0
        ? List.of(field(HEADER, header.length), header)
        : List.of(field(HEADER, header.length), header, field(BODY, body.length), body));
  }

  /** A batch with its seq. */
  Outgoing outgoing(long seq) {
    byte[] metadata = ("{\"seq\": " + seq + "}").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    return new Outgoing(List.of(field(METADATA, metadata.length), metadata,
        field(HEADER, header.length), header, field(BODY, body.length), body));
  }

  /** The first message: the schema, with the descriptor. */
  static Outgoing opening(byte[] descriptor, byte[] schemaHeader) {
    return new Outgoing(List.of(field(DESCRIPTOR, descriptor.length), descriptor,
        field(HEADER, schemaHeader.length), schemaHeader));
  }

  private static byte[] field(int number, int length) {
    int tag = number << 3 | 2;
    byte[] start = new byte[CodedOutputStream.computeUInt32SizeNoTag(tag)
        + CodedOutputStream.computeUInt32SizeNoTag(length)];
    CodedOutputStream out = CodedOutputStream.newInstance(start);
    try {
      out.writeUInt32NoTag(tag);
      out.writeUInt32NoTag(length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return start;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FlightMessage that
        && Arrays.equals(header, that.header) && Arrays.equals(body, that.body);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(header) + Arrays.hashCode(body);
  }

  private static final class Marshaller implements MethodDescriptor.Marshaller<Outgoing> {
    @Override
    public InputStream stream(Outgoing message) {
      return new Parts(message.parts());
    }

    @Override
    public Outgoing parse(InputStream in) {
      throw new UnsupportedOperationException("a client does not read what it sends");
    }
  }

  private static final class Unmarshaller implements MethodDescriptor.Marshaller<FlightMessage> {
    @Override
    public InputStream stream(FlightMessage message) {
      throw new UnsupportedOperationException("a client does not send what it reads");
    }

    @Override
    public FlightMessage parse(InputStream in) {
      byte[] header = new byte[0];
      byte[] body = header;
      try {
        CodedInputStream coded = CodedInputStream.newInstance(in.readAllBytes());
        for (int tag; (tag = coded.readTag()) != 0;) {
          switch (tag >>> 3) {
            case HEADER -> header = coded.readByteArray();
            case BODY -> body = coded.readByteArray();
            default -> coded.skipField(tag);
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return new FlightMessage(header, body);
    }
  }

  /** gRPC asks for an InputStream, and takes the parts one by one where it can. */
  private static final class Parts extends InputStream implements Drainable, KnownLength {
    private final List<byte[]> parts;
    private int left;
    private InputStream one; // for who reads it as a stream after all

    Parts(List<byte[]> parts) {
      this.parts = parts;
      for (byte[] part : parts) {
        left += part.length;
      }
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int drained = left;
      for (byte[] part : parts) {
        target.write(part);
      }
      left = 0;
      return drained;
    }

    @Override
    public int available() {
      return left;
    }

    @Override
    public int read() throws IOException {
      int read = stream().read();
      left -= read < 0 ? 0 : 1;
      return read;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int read = stream().read(into, offset, length);
      left -= Math.max(read, 0);
      return read;
    }

    private InputStream stream() {
      if (one == null) {
        one = new SequenceInputStream(Collections.enumeration(
            parts.stream().<InputStream>map(ByteArrayInputStream::new).toList()));
      }
      return one;
    }
  }
}
