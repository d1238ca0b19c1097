package io.github.arka;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.List;

/**
 * One DoExchange on a connection of its own, from when it is opened until it breaks or ends. The courier sends; acks are
 * read as they come, by gRPC's thread, whether or not anybody wants to know.
 */
final class Exchange extends ClientCall.Listener<FlightMessage> {
  static final int READY_BYTES = 1 << 20; // that gRPC may hold before the courier waits

  private final Outbox outbox;
  private final Runnable onOpened;
  private final ManagedChannel channel;
  private final ClientCall<FlightMessage.Outgoing, FlightMessage> call;
  private final AckReader reader;
  private List<FlightMessage> dictionaries = List.of(); // that the server has

  private boolean opened; // gRPC's
  // Guarded by the outbox's lock.
  private boolean connected;
  private boolean over;
  private ArkaException error; // null: an orderly end

  Exchange(Endpoint endpoint, Outbox outbox, AckReader reader, Metadata headers, FlightMessage.Outgoing opening,
      Runnable onOpened) {
    this.outbox = outbox;
    this.reader = reader;
    this.onOpened = onOpened;
    // Acks take a lock for a moment and no more, so gRPC's own thread may bring them.
    this.channel = endpoint.dial().directExecutor().build();
    try {
      this.call = channel.newCall(
          FlightMessage.DO_EXCHANGE, CallOptions.DEFAULT.withOnReadyThreshold(READY_BYTES));
      call.start(this, headers);
      call.request(16);
      call.sendMessage(opening);
    } catch (RuntimeException | Error e) {
      channel.shutdownNow();
      throw e;
    }
  }

  // For the courier.

  /** Whether gRPC takes more without piling it up. */
  boolean isReady() {
    return call.isReady();
  }

  void send(Batches.Encoded encoded, long seq) {
    try {
      if (encoded.dictionaries() != dictionaries) {
        dictionaries = encoded.dictionaries();
        dictionaries.forEach(message -> call.sendMessage(message.outgoing()));
      }
      call.sendMessage(encoded.batch().outgoing(seq));
    } catch (IllegalStateException e) {
      // The call was cancelled meanwhile; onClose says why.
    }
  }

  void halfClose() {
    try {
      call.halfClose();
    } catch (IllegalStateException e) {
      // As above.
    }
  }

  void cancel() {
    call.cancel("the client ends the stream", null);
  }

  /** Whether there is a peer: one that is gone without a word is noticed from then on. With the outbox's lock held. */
  boolean isConnected() {
    return connected;
  }

  /** With the outbox's lock held. */
  boolean isOver() {
    return over;
  }

  /** Waits for the end, for so long; then there is one. With the outbox's lock held. */
  void awaitEnd(long nanos) throws InterruptedException {
    while (!over && nanos > 0) {
      nanos = outbox.work.awaitNanos(nanos);
    }
  }

  /** What it ended with; null: an orderly end, or none. With the outbox's lock held. */
  ArkaException error() {
    return error;
  }

  void close() {
    channel.shutdownNow();
  }

  // For gRPC.

  @Override
  public void onMessage(FlightMessage message) {
    try {
      outbox.take(message, reader);
      if (!opened) {
        opened = true;
        onOpened.run();
      }
      call.request(1);
    } catch (RuntimeException e) { // a violation; or a defect, which must not hang a caller
      ArkaException failed = ArkaException.of(e);
      outbox.signal(() -> error = failed);
      call.cancel("what the server said makes no sense", e);
    }
  }

  @Override
  public void onReady() {
    outbox.signal(() -> connected = true);
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    outbox.signal(() -> {
      over = true;
      if (error == null && !status.isOk()) {
        error = ArkaException.of(status, trailers);
      }
    });
  }
}
