package io.github.arka;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * What the header {@code authorization} of every call says. A password is exchanged for the token that the server
 * answers, which spares it the costly check; it is used again once the token is no longer good.
 */
final class Credentials implements ClientInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final String basic; // null: no password
  private final Supplier<String> token; // null: none
  private volatile String exchanged;

  Credentials(String username, String password, Supplier<String> token) {
    this.basic = username == null ? null
        : "Basic " + Base64.getEncoder().encodeToString((username + ":" + password).getBytes(StandardCharsets.UTF_8));
    this.token = token;
  }

  private String header() {
    if (basic != null) {
      String now = exchanged;
      return now == null ? basic : now;
    }
    try {
      return token == null ? null : "Bearer " + Objects.requireNonNull(token.get(), "null");
    } catch (RuntimeException e) {
      throw new ArkaException(ArkaException.Code.UNAUTHENTICATED, "the token's supplier failed: " + e, false, e);
    }
  }

  private void learn(String answered) {
    if (basic != null && answered != null && answered.startsWith("Bearer ")) {
      exchanged = answered;
    }
  }

  /** Whether a call that was refused with this header may succeed with the password. */
  private synchronized boolean renew(String refused) {
    if (basic == null || refused.equals(basic)) {
      return false;
    }
    if (refused.equals(exchanged)) {
      exchanged = null;
    }
    return true;
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    String sent = header();
    if (sent == null) {
      return next.newCall(method, options);
    }
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        headers.put(AUTHORIZATION, sent);
        super.start(new SimpleForwardingClientCallListener<>(listener) {
          @Override
          public void onHeaders(Metadata received) {
            learn(received.get(AUTHORIZATION));
            super.onHeaders(received);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            if (status.getCode() == Status.Code.UNAUTHENTICATED && renew(sent)) {
              // For whoever made the call this is an error that passes.
              trailers = new Metadata();
              trailers.put(ArkaException.RETRYABLE, "true");
            }
            super.onClose(status, trailers);
          }
        }, headers);
      }
    };
  }
}
