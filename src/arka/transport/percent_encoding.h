// Percent-encoding: gRPC's grpc-message and the paths of plain HTTP requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace arka::transport {

/// grpc-message: bytes outside 0x20..0x7E and '%' become %XX (gRPC over HTTP/2, "Responses").
std::string PercentEncode(std::string_view text);

/// Every %XX becomes its byte; nothing where an escape is broken or makes a NUL.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace arka::transport
