// The one error currency: arrow::Status with an ErrorCode as its detail.
//
// The code says what kind of failure it is, and from the kind follows whether the caller may send
// the same call again and which gRPC code the wire carries (flight/status_mapping.cc). A Status
// without a code counts as kInternal. Messages name what was wrong, where, what was expected and
// what to do; context is added once, where the object is known.
#pragma once

#include <array>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

namespace arka {

using arrow::Result;
using arrow::Status;

enum class ErrorCode : uint8_t {
  kInvalidRequest,      // the caller's fault; the same call fails again
  kSchemaMismatch,      // a batch or stream whose schema is not the table's
  kNotFound,            //
  kAlreadyExists,       //
  kFailedPrecondition,  // the state of what is named forbids it: change that first
  kTooLarge,            // over a configured limit; the same call fails again
  kUnimplemented,       // a call that Arka does not answer
  kUnauthenticated,     // no or wrong credentials
  kPermissionDenied,    //
  kBackpressure,        // memory, disk or streams are used up for now: retry later
  kUnavailable,         // not now or not here: retry
  kTimedOut,            // the deadline passed
  kCancelled,           // the caller went away
  kCorruption,          // bytes that fail their checks
  kIoFailed,            // the disk or the network answered with an error
  kCommitConflict,      // somebody else committed first: reload, rebuild, try again
  kCommitUnknown,       // the commit may or may not have landed: look before trying again
  kShuttingDown,        // the server stops: retry elsewhere or later
  kInternal,            // a defect of Arka
};

inline constexpr size_t kErrorCodeCount = static_cast<size_t>(ErrorCode::kInternal) + 1;

/// The code's name in logs and messages, e.g. "schema_mismatch".
std::string_view ErrorCodeName(ErrorCode code);

/// Whether the same call, unchanged, may succeed later.
bool IsRetryable(ErrorCode code);

/// A failed Status that carries `code`.
Status MakeStatus(ErrorCode code, std::string message);

/// A failed Status whose message is the concatenation of `parts` (anything that has operator<<).
template <typename... Parts>
Status Error(ErrorCode code, Parts&&... parts) {
  std::ostringstream message;
  (message << ... << std::forward<Parts>(parts));
  return MakeStatus(code, std::move(message).str());
}

/// The code of a failed status; kInternal where none was attached.
ErrorCode CodeOf(const Status& status);

/// The same failure with `context` and ": " before its message; OK stays OK.
Status WithContext(const Status& status, std::string_view context);

}  // namespace arka
