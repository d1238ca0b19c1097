// What plain HTTP requests have in common, over HTTP/1.1 and HTTP/2.
#pragma once

#include <functional>
#include <memory>
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

/// A short text answer of the transport itself.
HttpResponse TextResponse(int status, std::string_view text);

}  // namespace arka::transport
