package io.github.arka;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import io.grpc.ChannelCredentials;
import io.grpc.Deadline;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;

/** A server's address and how to log in; the connection for calls. Any thread may call. */
final class Endpoint implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final long FIRST_DELAY_MILLIS = 50;
  private static final long LONGEST_DELAY_MILLIS = 2000;

  private final String host;
  private final int port;
  private final ChannelCredentials security;
  private final Credentials credentials;
  private final ManagedChannel calls;

  Endpoint(String url, Credentials credentials, Path tlsRoot, Path clientCert, Path clientKey) {
    URI where;
    try {
      where = URI.create(url);
    } catch (IllegalArgumentException e) {
      where = URI.create("");
    }
    String scheme = where.getScheme();
    if (where.getHost() == null || where.getPort() < 0 || scheme == null) {
      throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
          "\"" + url + "\" is no location such as grpc://localhost:8815");
    }
    this.host = where.getHost().replaceAll("[\\[\\]]", "");
    this.port = where.getPort();
    this.credentials = credentials;
    this.security = switch (scheme) {
      case "grpc", "grpc+tcp" -> {
        if (tlsRoot != null || clientCert != null) {
          throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
              "certificates are of no use with \"" + url + "\": say grpc+tls");
        }
        yield InsecureChannelCredentials.create();
      }
      case "grpc+tls" -> tls(tlsRoot, clientCert, clientKey);
      default -> throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT,
          "the scheme " + scheme + " is neither grpc nor grpc+tls");
    };
    this.calls = dial().build();
  }

  private static ChannelCredentials tls(Path root, Path clientCert, Path clientKey) {
    TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
    try {
      if (root != null) {
        tls.trustManager(root.toFile());
      }
      if (clientCert != null) {
        tls.keyManager(clientCert.toFile(), clientKey.toFile());
      }
    } catch (IOException e) {
      throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT, "a certificate cannot be read: " + e, false, e);
    }
    return tls.build();
  }

  /** A connection of its own; it is made at its first call. */
  ManagedChannelBuilder<?> dial() {
    try {
      return Grpc.newChannelBuilderForAddress(host, port, security)
          .intercept(credentials)
          .maxInboundMessageSize(Integer.MAX_VALUE)
          .disableRetry() // what is tried again is ours to say
          .keepAliveTime(20, TimeUnit.SECONDS) // a peer that is gone without a word is noticed
          .keepAliveTimeout(20, TimeUnit.SECONDS);
    } catch (IllegalArgumentException e) {
      throw new ArkaException(ArkaException.Code.INVALID_ARGUMENT, "no way to the server: " + e, false, e);
    }
  }

  ManagedChannel calls() {
    return calls;
  }

  FlightServiceGrpc.FlightServiceBlockingStub stub(Deadline deadline) {
    return FlightServiceGrpc.newBlockingStub(calls).withDeadline(deadline);
  }

  /** The answers of one action. */
  List<JsonNode> action(String name, Map<String, ?> body, Deadline deadline) {
    List<JsonNode> answers = new ArrayList<>();
    try {
      Iterator<Flight.Result> results = stub(deadline).doAction(Flight.Action.newBuilder()
          .setType(name).setBody(ByteString.copyFrom(JSON.writeValueAsBytes(body))).build());
      while (results.hasNext()) {
        answers.add(JSON.readTree(results.next().getBody().toByteArray()));
      }
    } catch (JsonProcessingException e) {
      throw ArkaException.violation(name + ": " + e.getMessage());
    } catch (IOException | RuntimeException e) {
      throw ArkaException.of(e);
    }
    return answers;
  }

  /** The one answer of an action, which is asked again while that may help and there is time. */
  JsonNode ask(String name, Map<String, ?> body, Deadline deadline) {
    return retried(deadline, () -> one(name, action(name, body, deadline)));
  }

  private static JsonNode one(String name, List<JsonNode> answers) {
    if (answers.size() != 1) {
      throw ArkaException.violation(name + " has " + answers.size() + " answers");
    }
    return answers.get(0);
  }

  /** Tries again what failed by something that may pass. What is tried only asks, or may be done twice. */
  <T> T retried(Deadline deadline, Supplier<T> call) {
    for (int attempt = 0;; ++attempt) {
      try {
        return call.get();
      } catch (RuntimeException e) {
        ArkaException failed = ArkaException.of(e);
        if (calls.isShutdown()) {
          throw new ArkaException(ArkaException.Code.FAILED_PRECONDITION, "the client is closed", false, failed);
        }
        if (!failed.retryable()) {
          throw failed;
        }
        if (failed.code() == ArkaException.Code.UNAVAILABLE || failed.code() == ArkaException.Code.DEADLINE_EXCEEDED) {
          // The next call dials anew: gRPC would wait for up to two minutes of its own, or for ever for one who takes a
          // connection and says nothing.
          calls.enterIdle();
        }
        long delay = delayMillis(attempt);
        if (deadline.timeRemaining(TimeUnit.MILLISECONDS) <= delay) {
          throw failed;
        }
        try {
          Thread.sleep(delay);
        } catch (InterruptedException interrupt) {
          throw ArkaException.interrupted();
        }
      }
    }
  }

  /** Twice as long each time, less a random part: clients of a server that comes back do not all knock at once. */
  static long delayMillis(int attempt) {
    long full = Math.min(FIRST_DELAY_MILLIS << Math.min(attempt, 10), LONGEST_DELAY_MILLIS);
    return full / 2 + ThreadLocalRandom.current().nextLong(full / 2 + 1);
  }

  @Override
  public void close() {
    calls.shutdownNow();
    try {
      calls.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
