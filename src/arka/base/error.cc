#include "arka/base/error.h"

#include <memory>

namespace arka {
namespace {

constexpr char kDetailType[] = "arka::ErrorDetail";

class ErrorDetail : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(ErrorCode code) : code_(code) {}
  const char* type_id() const override { return kDetailType; }
  std::string ToString() const override { return std::string(ErrorCodeName(code_)); }
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

arrow::StatusCode ArrowCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kSchemaMismatch:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kCorruption:
      return arrow::StatusCode::Invalid;
    case ErrorCode::kNotFound:
      return arrow::StatusCode::KeyError;
    case ErrorCode::kAlreadyExists:
      return arrow::StatusCode::AlreadyExists;
    case ErrorCode::kTooLarge:
    case ErrorCode::kBackpressure:
      return arrow::StatusCode::CapacityError;
    case ErrorCode::kUnimplemented:
      return arrow::StatusCode::NotImplemented;
    case ErrorCode::kCancelled:
      return arrow::StatusCode::Cancelled;
    case ErrorCode::kIoFailed:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut:
    case ErrorCode::kCommitConflict:
    case ErrorCode::kCommitUnknown:
    case ErrorCode::kShuttingDown:
      return arrow::StatusCode::IOError;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kInternal:
      break;
  }
  return arrow::StatusCode::UnknownError;
}

}  // namespace

std::string_view ErrorCodeName(ErrorCode code) {
  constexpr std::array<std::string_view, kErrorCodeCount> kNames = {
      "invalid_request",     "schema_mismatch", "not_found",     "already_exists",
      "failed_precondition", "too_large",       "unimplemented", "unauthenticated",
      "permission_denied",   "backpressure",    "unavailable",   "timed_out",
      "cancelled",           "corruption",      "io_failed",     "commit_conflict",
      "commit_unknown",      "shutting_down",   "internal"};
  return kNames[static_cast<size_t>(code)];
}

bool IsRetryable(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBackpressure:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut:
    case ErrorCode::kIoFailed:
    case ErrorCode::kCommitConflict:
    case ErrorCode::kShuttingDown:
      return true;
    default:
      return false;
  }
}

Status MakeStatus(ErrorCode code, std::string message) {
  return Status(ArrowCode(code), std::move(message), std::make_shared<ErrorDetail>(code));
}

ErrorCode CodeOf(const Status& status) {
  const auto& detail = status.detail();
  if (detail == nullptr || std::string_view(detail->type_id()) != kDetailType) {
    return ErrorCode::kInternal;
  }
  return static_cast<const ErrorDetail&>(*detail).code();
}

Status WithContext(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  return status.WithMessage(context, ": ", status.message());
}

}  // namespace arka
