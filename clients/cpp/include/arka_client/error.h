// What can go wrong, in one shape: an arrow::Status whose detail is an ErrorDetail, whether the
// server said so, Arrow Flight, or this library. Every function of the library that fails returns
// one of these, and nothing throws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/status.h>

namespace arka::client {

/// The codes of the wire contract (docs/spec/wire.md, "Errors").
enum class Code : uint8_t {
  kInvalidArgument,
  kUnauthenticated,
  kPermissionDenied,
  kNotFound,
  kAlreadyExists,
  kFailedPrecondition,
  kUnimplemented,
  kResourceExhausted,
  kUnavailable,
  kDeadlineExceeded,
  kCancelled,
  kDataLoss,
  kInternal,
  kUnknown,
};

/// The code as the wire contract spells it: "INVALID_ARGUMENT" ...
std::string_view CodeName(Code code);

/// The detail of every failed Status of this library; its message is the Status's.
class ErrorDetail : public arrow::StatusDetail {
 public:
  ErrorDetail(Code code, bool retryable) : code_(code), retryable_(retryable) {}

  Code code() const { return code_; }
  /// Whether the same call may succeed later. A stream has retried by itself: of its error this
  /// says whether a new stream may fare better.
  bool retryable() const { return retryable_; }

  const char* type_id() const override;
  /// "UNAVAILABLE, retryable"
  std::string ToString() const override;

 private:
  const Code code_;
  const bool retryable_;
};

/// The code of a failed status; kUnknown where it is none of this library's.
Code CodeOf(const arrow::Status& status);

/// Whether the call that failed with `status` may succeed later.
bool IsRetryable(const arrow::Status& status);

}  // namespace arka::client
