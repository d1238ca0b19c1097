#include "arka/transport/percent_encoding.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

TEST(PercentEncoding, KeepsPrintableAsciiButThePercentSign) {
  EXPECT_EQ(PercentEncode("plain text, 'quoted' ~"), "plain text, 'quoted' ~");
  EXPECT_EQ(PercentEncode("100 %"), "100 %25");
}

TEST(PercentEncoding, EscapesControlsAndUtf8) {
  EXPECT_EQ(PercentEncode("a\nb"), "a%0Ab");
  EXPECT_EQ(PercentEncode("\xC3\xA4"), "%C3%A4");
  EXPECT_EQ(PercentEncode(std::string_view("\0", 1)), "%00");
}

TEST(PercentEncoding, DecodesPaths) {
  EXPECT_EQ(PercentDecode("/a%20b"), "/a b");
  EXPECT_EQ(PercentDecode("%c3%A4"), "\xC3\xA4");
}

TEST(PercentEncoding, RefusesBrokenEscapesAndNul) {
  EXPECT_EQ(PercentDecode("/%"), std::nullopt);
  EXPECT_EQ(PercentDecode("/%4"), std::nullopt);
  EXPECT_EQ(PercentDecode("/%zz"), std::nullopt);
  EXPECT_EQ(PercentDecode("/a%00b"), std::nullopt);
}

}  // namespace
}  // namespace arka::transport
