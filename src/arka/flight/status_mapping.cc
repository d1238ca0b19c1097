#include "arka/flight/status_mapping.h"

#include <atomic>

#include <spdlog/spdlog.h>

#include "arka/protocol/write_headers.h"
#include "arka/transport/refusal.h"

namespace arka::flight {

using transport::GrpcCode;

static_assert(transport::kRetryableTrailer == protocol::kRetryableTrailer);

GrpcCode GrpcCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kSchemaMismatch:
      return GrpcCode::kInvalidArgument;
    case ErrorCode::kNotFound:
      return GrpcCode::kNotFound;
    case ErrorCode::kAlreadyExists:
      return GrpcCode::kAlreadyExists;
    case ErrorCode::kFailedPrecondition:
      return GrpcCode::kFailedPrecondition;
    case ErrorCode::kTooLarge:
    case ErrorCode::kBackpressure:
      return GrpcCode::kResourceExhausted;
    case ErrorCode::kUnimplemented:
      return GrpcCode::kUnimplemented;
    case ErrorCode::kUnauthenticated:
      return GrpcCode::kUnauthenticated;
    case ErrorCode::kPermissionDenied:
      return GrpcCode::kPermissionDenied;
    case ErrorCode::kUnavailable:
    case ErrorCode::kIoFailed:
    case ErrorCode::kCommitConflict:
    case ErrorCode::kShuttingDown:
      return GrpcCode::kUnavailable;
    case ErrorCode::kTimedOut:
      return GrpcCode::kDeadlineExceeded;
    case ErrorCode::kCancelled:
      return GrpcCode::kCancelled;
    case ErrorCode::kCorruption:
    case ErrorCode::kCommitUnknown:  // resolved inside the server; UNAVAILABLE promises a safe
                                     // retry
    case ErrorCode::kInternal:
      break;
  }
  return GrpcCode::kInternal;
}

transport::CallStatus ToCallStatus(const Status& status) {
  if (status.ok()) return {};
  const ErrorCode code = CodeOf(status);
  transport::CallStatus call_status{GrpcCodeOf(code), status.message(), {}};
  if (call_status.code == GrpcCode::kInternal) {
    static std::atomic<int64_t> errors{0};
    const int64_t id = ++errors;
    spdlog::error("internal error {}: {}", id, status.ToString());
    call_status.message =
        "internal error " + std::to_string(id) + ", see the server's log for this number";
  }
  call_status.trailers.emplace_back(protocol::kRetryableTrailer,
                                    IsRetryable(code) ? "true" : "false");
  return call_status;
}

}  // namespace arka::flight
