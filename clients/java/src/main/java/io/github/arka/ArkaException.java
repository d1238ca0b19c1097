package io.github.arka;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import org.apache.arrow.flight.FlightRuntimeException;

/**
 * The one error of this library. An error of a stream is final for that stream: {@link #retryable} says whether a
 * new one may fare better.
 */
public class ArkaException extends RuntimeException {
  /** The kinds of errors, as the wire contract names them. */
  public enum Code {
    /** What was asked for is wrong: a schema, a row, a name, a statement. */
    INVALID_ARGUMENT,
    /** No, wrong or expired credentials. */
    UNAUTHENTICATED,
    /** The caller has no such right on that table. */
    PERMISSION_DENIED,
    /** No such table, session, LSN or action. */
    NOT_FOUND,
    /** It is there already. */
    ALREADY_EXISTS,
    /** The stream is closed, or somebody else writes under the producer's name. */
    FAILED_PRECONDITION,
    /** The server does not do that. */
    UNIMPLEMENTED,
    /** The budget is used up, a batch is too large, or the server has no room. */
    RESOURCE_EXHAUSTED,
    /** The server cannot be reached, or takes nothing at present. */
    UNAVAILABLE,
    /** The time that was given has passed. What was written may still arrive, and will once only. */
    DEADLINE_EXCEEDED,
    /** Ended by the caller, or by an interrupt. */
    CANCELLED,
    /** A defect: of the server, or a server that breaks the wire contract. */
    INTERNAL,
    /** The server no longer has what it had acknowledged on its disk. */
    DATA_LOSS,
    /** As gRPC has it. */
    ABORTED,
    /** As gRPC has it. */
    OUT_OF_RANGE,
    /** As gRPC has it. */
    UNKNOWN
  }

  static final Metadata.Key<String> RETRYABLE =
      Metadata.Key.of("arka-retryable", Metadata.ASCII_STRING_MARSHALLER);

  private final Code code;
  private final String text;
  private final boolean retryable;

  ArkaException(Code code, String message, boolean retryable, Throwable cause) {
    super(code + ": " + message, cause);
    this.code = code;
    this.text = message;
    this.retryable = retryable;
  }

  ArkaException(Code code, String message) {
    this(code, message, false, null);
  }

  /** What kind of error it is. */
  public Code code() {
    return code;
  }

  /** What is wrong, in words, without the code. */
  public String text() {
    return text;
  }

  /** Whether the same call may succeed later. */
  public boolean retryable() {
    return retryable;
  }

  /** The same error with the stack of the caller who hears of it. */
  ArkaException again() {
    return new ArkaException(code, text, retryable, this);
  }

  static ArkaException late(String message) {
    return new ArkaException(Code.DEADLINE_EXCEEDED, message, true, null);
  }

  static ArkaException closed() {
    return new ArkaException(Code.FAILED_PRECONDITION, "the stream is closed");
  }

  /** The server acknowledged what it cannot have, or answered what is no answer. */
  static ArkaException violation(String message) {
    return new ArkaException(Code.INTERNAL, "the server breaks the wire contract: " + message);
  }

  static ArkaException interrupted() {
    Thread.currentThread().interrupt();
    return new ArkaException(Code.CANCELLED, "interrupted");
  }

  static ArkaException of(Status status, Metadata trailers) {
    Code code = Code.valueOf(status.getCode().name());
    String said = trailers == null ? null : trailers.get(RETRYABLE);
    boolean broken = code == Code.INTERNAL || code == Code.UNKNOWN || code == Code.CANCELLED;
    if (said == null && broken) {
      // The server has a word on all that it says: this is gRPC's own, of a connection that broke.
      code = Code.UNAVAILABLE;
    }
    boolean retryable = said != null
        ? said.equals("true")
        : code == Code.UNAVAILABLE || code == Code.DEADLINE_EXCEEDED;
    String message = status.getDescription() != null ? status.getDescription()
        : status.getCause() != null ? status.getCause().toString() : "without a word";
    return new ArkaException(code, message, retryable, status.getCause());
  }

  static ArkaException of(Throwable thrown) {
    for (Throwable at = thrown; at != null; at = at.getCause()) {
      if (at instanceof ArkaException known) {
        return known;
      }
      if (at instanceof InterruptedException) {
        return interrupted();
      }
      if (at instanceof StatusRuntimeException status) {
        return of(status.getStatus(), status.getTrailers());
      }
      if (at instanceof StatusException status) {
        return of(status.getStatus(), status.getTrailers());
      }
      if (at instanceof FlightRuntimeException flight && flight.getCause() == null) {
        return ofFlight(flight);
      }
    }
    return new ArkaException(Code.INTERNAL, "the client failed: " + thrown, false, thrown);
  }

  private static ArkaException ofFlight(FlightRuntimeException error) {
    Code code = switch (error.status().code()) {
      case TIMED_OUT -> Code.DEADLINE_EXCEEDED;
      case UNAUTHORIZED -> Code.PERMISSION_DENIED;
      case OK -> Code.UNKNOWN;
      default -> Code.valueOf(error.status().code().name());
    };
    String said = error.status().metadata() == null ? null : error.status().metadata().get("arka-retryable");
    boolean retryable = said != null
        ? said.equals("true")
        : code == Code.UNAVAILABLE || code == Code.DEADLINE_EXCEEDED;
    return new ArkaException(code, String.valueOf(error.status().description()), retryable, error);
  }
}
