// Any HTTP request to the pages: one answer with a status that HTTP knows, never a crash.
//
// The input is lines: method, path, query, then headers as `name: value`; after an empty line the
// body.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "arka/base/check.h"
#include "arka/http/status_pages.h"
#include "arka/ingest/deployment_test.h"

namespace arka::http {
namespace {

std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

transport::HttpRequest Request(std::string_view text) {
  transport::HttpRequest request;
  request.method = TakeLine(text);
  request.path = TakeLine(text);
  request.query = TakeLine(text);
  for (auto line = TakeLine(text); !line.empty(); line = TakeLine(text)) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  if (!text.empty()) request.body = arrow::Buffer::FromString(std::string(text));
  return request;
}

/// The pages of a server that has nothing to do; one for all inputs.
class Pages {
 public:
  Pages() : engine_(deployment_.StartEngine()), pages_(*engine_) {}

  void Ask(std::string_view input) {
    int answers = 0;
    pages_.Handle(Request(input), [&](const transport::HttpResponse& response) {
      ++answers;
      ARKA_CHECK(response.status >= 200 && response.status < 600);
      ARKA_CHECK(!response.content_type.empty());
    });
    ARKA_CHECK(answers == 1);
  }

 private:
  ingest::Deployment deployment_;
  std::unique_ptr<ingest::Engine> engine_;
  StatusPages pages_;
};

}  // namespace
}  // namespace arka::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& pages = *new arka::http::Pages;
  pages.Ask({reinterpret_cast<const char*>(data), size});
  return 0;
}
