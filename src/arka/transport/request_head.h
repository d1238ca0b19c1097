// The head of an HTTP/2 request while its header block arrives; bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "arka/transport/call.h"

namespace arka::transport {

struct RequestHead {
  std::string method;
  std::string target;  // :path, as sent
  std::string authority;
  std::string content_type;
  Metadata fields;  // all other fields, as sent
  size_t size_bytes = 0;
  bool too_large = false;  // what came after the limit is not here

  /// One field of the block; `limit_bytes` is compared with RFC 9113's size: 32 a field and text.
  void Add(std::string_view name, std::string_view value, size_t limit_bytes);
};

/// gRPC over HTTP/2: "application/grpc", with "+subtype" or parameters.
bool IsGrpc(const RequestHead& head);

/// A gRPC call's metadata: without what the transport itself acts on, "-bin" values decoded.
/// False where a "-bin" value is not Base64.
bool TakeMetadata(RequestHead& head, Metadata& metadata);

}  // namespace arka::transport
