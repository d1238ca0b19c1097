#include "arka/transport/grpc_status.h"

#include <string>

#include <nghttp2/nghttp2.h>

#include "arka/base/base64.h"
#include "arka/transport/percent_encoding.h"

namespace arka::transport {
namespace {

// A message longer than this would not fit into what common clients take as headers (8 KiB).
constexpr size_t kMaxMessageBytes = 4096;

const uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

/// Adds what HTTP/2 can carry; a name or value that it cannot would break the whole answer.
void AddFields(const Metadata& metadata, Metadata& fields) {
  for (const auto& [name, value] : metadata) {
    if (name.starts_with(':') || nghttp2_check_header_name(Bytes(name), name.size()) == 0) continue;
    if (name.ends_with("-bin")) {
      fields.emplace_back(name, EncodeBase64(value));
    } else if (nghttp2_check_header_value(Bytes(value), value.size()) != 0) {
      fields.emplace_back(name, value);
    }
  }
}

}  // namespace

Metadata GrpcResponseHeaders(const Metadata& metadata) {
  Metadata fields = {{":status", "200"}, {"content-type", "application/grpc"}};
  AddFields(metadata, fields);
  return fields;
}

Metadata GrpcTrailers(const CallStatus& status) {
  Metadata fields = {{"grpc-status", std::to_string(static_cast<int>(status.code))}};
  if (!status.message.empty()) {
    fields.emplace_back(
        "grpc-message",
        PercentEncode(std::string_view(status.message).substr(0, kMaxMessageBytes)));
  }
  AddFields(status.trailers, fields);
  return fields;
}

}  // namespace arka::transport
