#include "arka/transport/http.h"

#include "arka/transport/http_exchange.h"

namespace arka::transport {

BodyTerms HttpHandler::Admit(const HttpRequest& /*head*/) { return {}; }

HttpResponse HttpHandler::Refusal(const HttpRequest& /*head*/, int status, std::string_view text) {
  return TextResponse(status, text);
}

}  // namespace arka::transport
