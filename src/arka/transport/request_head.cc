#include "arka/transport/request_head.h"

#include <utility>

#include "arka/base/base64.h"

namespace arka::transport {
namespace {

constexpr size_t kFieldOverheadBytes = 32;
constexpr std::string_view kGrpcType = "application/grpc";

bool IsTransportField(std::string_view name) {
  return name == "te" || name == "grpc-timeout" || name == "grpc-encoding" ||
         name == "grpc-accept-encoding";
}

/// Several values of a "-bin" name may come joined by commas.
bool AddBinary(const std::string& name, std::string_view joined, Metadata& metadata) {
  while (true) {
    const size_t comma = joined.find(',');
    std::string_view text = joined.substr(0, comma);
    while (text.starts_with(' ')) text.remove_prefix(1);
    auto bytes = DecodeBase64(text);
    if (!bytes) return false;
    metadata.emplace_back(name, std::move(*bytes));
    if (comma == std::string_view::npos) return true;
    joined.remove_prefix(comma + 1);
  }
}

}  // namespace

void RequestHead::Add(std::string_view name, std::string_view value, size_t limit_bytes) {
  size_bytes += name.size() + value.size() + kFieldOverheadBytes;
  if (size_bytes > limit_bytes) too_large = true;
  if (name == "content-type") content_type = value.substr(0, 256);
  if (name == ":method") {
    method = value.substr(0, 64);
  } else if (too_large) {
    return;
  } else if (name == ":path") {
    target = value;
  } else if (name == ":authority") {
    authority = value;
  } else if (!name.starts_with(':')) {
    fields.emplace_back(name, value);
  }
}

bool IsGrpc(const RequestHead& head) {
  const std::string_view type = head.content_type;
  if (head.method != "POST" || !type.starts_with(kGrpcType)) return false;
  const std::string_view rest = type.substr(kGrpcType.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
}

bool TakeMetadata(RequestHead& head, Metadata& metadata) {
  for (auto& [name, value] : head.fields) {
    if (IsTransportField(name) || name == "content-type") continue;
    if (name.ends_with("-bin")) {
      if (!AddBinary(name, value, metadata)) return false;
    } else {
      metadata.emplace_back(std::move(name), std::move(value));
    }
  }
  head.fields.clear();
  return true;
}

}  // namespace arka::transport
