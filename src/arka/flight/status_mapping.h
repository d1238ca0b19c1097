// The one place where errors become what the wire carries.
#pragma once

#include "arka/base/error.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// The gRPC code that stands for `code` (docs/spec/wire.md, "Errors").
transport::GrpcCode GrpcCodeOf(ErrorCode code);

/// `status` as a call's end: code, message, and `arka-retryable` in the trailers. An internal error
/// is logged under an id, and the message carries the id instead of the inside of the server.
transport::CallStatus ToCallStatus(const Status& status);

}  // namespace arka::flight
