// What plain HTTP requests have in common, over HTTP/1.1 and HTTP/2.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "arka/io/clock.h"
#include "arka/transport/http.h"
#include "arka/transport/posted_tasks.h"

namespace arka::transport {

/// Splits "/a%20b?q=1" into request.path and request.query; false where it is malformed.
bool ParseTarget(std::string_view target, HttpRequest& request);

/// "Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 section 5.6.7.
std::string HttpDate(WallTime time);

/// OnWritable is called when the queued bytes of a streamed answer fall below this.
inline constexpr size_t kBodyLowWaterBytes = 256 << 10;

/// What content-length says; nothing where it is missing or no number.
std::optional<size_t> ContentLength(const Metadata& headers);

/// Whether the client sends its body only after "100 Continue", RFC 9110 section 10.1.1.
bool ExpectsContinue(const Metadata& headers);

/// Why a body was refused with 413, and with 429.
std::string TooLargeText(size_t max_bytes);
inline constexpr std::string_view kNoMemoryText =
    "The server's memory for messages being received is used up; retry later";

/// A short text answer of the transport itself.
HttpResponse TextResponse(int status, std::string_view text);

}  // namespace arka::transport
