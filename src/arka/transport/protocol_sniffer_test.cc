#include "arka/transport/protocol_sniffer.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

/// What is decided, and after how many bytes, when they come one by one.
std::pair<Protocol, size_t> SniffByteByByte(std::string_view bytes) {
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const Protocol protocol = SniffProtocol(bytes.substr(0, size));
    if (protocol != Protocol::kUndecided) return {protocol, size};
  }
  return {Protocol::kUndecided, bytes.size()};
}

TEST(ProtocolSniffer, KnowsTlsByItsFirstByte) {
  EXPECT_EQ(SniffByteByByte("\x16\x03\x01"), std::pair(Protocol::kTls, size_t{1}));
}

TEST(ProtocolSniffer, KnowsHttp2ByItsWholePreface) {
  EXPECT_EQ(SniffByteByByte("PRI * HTTP/2.0\r\n\r\nSM"), std::pair(Protocol::kHttp2, size_t{14}));
  EXPECT_EQ(SniffProtocol("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n and more"), Protocol::kHttp2);
}

TEST(ProtocolSniffer, TakesTheFirstOtherByteForHttp1) {
  EXPECT_EQ(SniffByteByByte("GET / HTTP/1.1"), std::pair(Protocol::kHttp1, size_t{1}));
  EXPECT_EQ(SniffByteByByte("POST /"), std::pair(Protocol::kHttp1, size_t{2}));
  EXPECT_EQ(SniffByteByByte("PRI * HTTP/1.1"), std::pair(Protocol::kHttp1, size_t{12}));
}

TEST(ProtocolSniffer, WaitsWhileItCannotKnow) {
  EXPECT_EQ(SniffProtocol(""), Protocol::kUndecided);
  EXPECT_EQ(SniffProtocol("P"), Protocol::kUndecided);
}

}  // namespace
}  // namespace arka::transport
