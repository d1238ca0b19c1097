// What a REST catalog answers, from arbitrary bytes: an error, or something of the right types.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "arka/base/check.h"
#include "arka/iceberg/rest_endpoints.h"
#include "arka/iceberg/rest_errors.h"
#include "arka/iceberg/rest_responses.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace arka::iceberg;  // NOLINT(google-build-using-namespace)
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  (void)ParseTableAnswer(body);
  (void)ParseNamespacesAnswer(body);
  (void)ParseTablesAnswer(body);
  for (const int status : {200, 400, 404, 500}) {
    const arka::HttpResponse answer{.status = status, .headers = {}, .body = std::string(body)};
    ARKA_CHECK(ClassifyRestAnswer(RestCall::kCommitTable, answer).ok() == (status == 200));
  }
  const auto configured = RestEndpoints("http://catalog:8181/x").Configured(body);
  if (!configured.ok()) return 0;
  // Wherever the server sends us, it is the same server.
  ARKA_CHECK(configured->Table({"a.b", "c"}).find("http://catalog:8181/") == 0);
  return 0;
}
