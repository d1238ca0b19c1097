// How failures are made: of words, of what Arrow Flight returned, of what the server's own code in
// src/arka said.
#pragma once

#include "arka_client/error.h"

#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <arrow/status.h>

namespace arka::client {

arrow::Status MakeError(Code code, bool retryable, std::string message);

/// A failure with `parts`, anything that has operator<<, as its message. Retryable where the code
/// says so by itself: UNAVAILABLE, DEADLINE_EXCEEDED and, of the budget, RESOURCE_EXHAUSTED.
template <typename... Parts>
arrow::Status Failure(Code code, Parts&&... parts) {
  std::ostringstream message;
  (message << ... << std::forward<Parts>(parts));
  const bool retryable = code == Code::kUnavailable || code == Code::kDeadlineExceeded ||
                         code == Code::kResourceExhausted;
  return MakeError(code, retryable, std::move(message).str());
}

/// The failure for a server that breaks the wire contract.
template <typename... Parts>
arrow::Status Violation(Parts&&... parts) {
  return Failure(Code::kInternal, "the server broke the contract: ", std::forward<Parts>(parts)...);
}

/// What Flight returned, as a failure of this library; `said` is the server's word on whether it
/// may be retried, where that came. OK and failures of this library are returned as they are.
arrow::Status FromFlight(const arrow::Status& status, std::optional<bool> said = {});

/// The same of what a stream needs to go on. Where the server said nothing, INTERNAL, UNKNOWN and
/// CANCELLED are gRPC's own words for a way that is broken: retryable, since a seq makes it
/// harmless.
arrow::Status FromStream(const arrow::Status& status, std::optional<bool> said = {});

/// A failure of the shared code in src/arka or of Arrow, which here is the caller's: a name, a
/// schema, a row.
arrow::Status FromCaller(const arrow::Status& status);

}  // namespace arka::client
