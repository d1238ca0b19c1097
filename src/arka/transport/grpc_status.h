// How gRPC puts a call's status and metadata into HTTP/2 header fields.
#pragma once

#include "arka/transport/call.h"

namespace arka::transport {

/// ":status" and "content-type" of every gRPC answer, then `metadata`.
Metadata GrpcResponseHeaders(const Metadata& metadata);

/// grpc-status, grpc-message (percent-encoded, where there is one) and the status's own trailers.
Metadata GrpcTrailers(const CallStatus& status);

}  // namespace arka::transport
