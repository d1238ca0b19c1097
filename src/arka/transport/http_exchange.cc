#include "arka/transport/http_exchange.h"

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include "arka/transport/percent_encoding.h"

namespace arka::transport {

bool ParseTarget(std::string_view target, HttpRequest& request) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(target.find("//") + 2);
    const size_t slash = target.find('/');
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (target != "*" && !target.starts_with('/')) return false;
  const size_t mark = target.find('?');
  auto path = PercentDecode(target.substr(0, mark));
  if (!path) return false;
  request.path = std::move(*path);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  return true;
}

std::string HttpDate(WallTime time) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

HttpResponse TextResponse(int status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(text) + "\n";
  return response;
}

}  // namespace arka::transport
