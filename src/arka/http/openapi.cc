#include "arka/http/openapi.h"

namespace arka::http {
namespace {

constexpr std::string_view kDocument =
#include "arka/http/openapi_document.inc"
    ;

}  // namespace

std::string_view OpenApiDocument() { return kDocument; }

transport::HttpResponse OpenApiAnswer() {
  transport::HttpResponse response;
  response.content_type = "application/json";
  response.body = std::string(kDocument);
  return response;
}

}  // namespace arka::http
