// How the transport itself ends a call that went wrong: like every error of the server it says
// whether the same call, unchanged, may succeed later.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "arka/transport/call.h"

namespace arka::transport {

/// The trailer that says it, "true" or "false". What services answer has it too
/// (docs/spec/wire.md).
inline constexpr std::string_view kRetryableTrailer = "arka-retryable";

inline CallStatus Refusal(GrpcCode code, std::string message, bool retryable) {
  return {
      code, std::move(message), {{std::string(kRetryableTrailer), retryable ? "true" : "false"}}};
}

}  // namespace arka::transport
