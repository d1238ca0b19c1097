// The grpc-timeout request header: at most 8 digits and a unit (gRPC over HTTP/2, "Requests").
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace arka::transport {

/// "100m" is 100 ms; nothing where it is malformed. Capped at ten years, so that adding it to a
/// time point cannot overflow.
std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text);

}  // namespace arka::transport
