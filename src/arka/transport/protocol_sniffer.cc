#include "arka/transport/protocol_sniffer.h"

namespace arka::transport {
namespace {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0";
constexpr char kTlsHandshakeRecord = 0x16;

}  // namespace

Protocol SniffProtocol(std::string_view start) {
  if (start.empty()) return Protocol::kUndecided;
  if (start.front() == kTlsHandshakeRecord) return Protocol::kTls;
  if (start.starts_with(kHttp2Preface)) return Protocol::kHttp2;
  if (kHttp2Preface.starts_with(start)) return Protocol::kUndecided;
  return Protocol::kHttp1;
}

}  // namespace arka::transport
