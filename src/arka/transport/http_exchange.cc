#include "arka/transport/http_exchange.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <ctime>
#include <utility>

#include "arka/transport/percent_encoding.h"

namespace arka::transport {
namespace {

constexpr std::string_view kContinue = "100-continue";

}  // namespace

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

std::optional<size_t> ContentLength(const Metadata& headers) {
  const auto text = Find(headers, "content-length");
  if (!text) return std::nullopt;
  size_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return length;
}

bool ExpectsContinue(const Metadata& headers) {
  const std::string_view expected = Find(headers, "expect").value_or("");
  return std::equal(
      expected.begin(), expected.end(), kContinue.begin(), kContinue.end(),
      [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

std::string TooLargeText(size_t max_bytes) {
  return "The request's body is over the limit of " + std::to_string(max_bytes) + " bytes";
}

HttpResponse TextResponse(int status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(text) + "\n";
  return response;
}

}  // namespace arka::transport
