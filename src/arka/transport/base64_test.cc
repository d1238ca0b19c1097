#include "arka/transport/base64.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

TEST(Base64, WritesNoPadding) {
  EXPECT_EQ(EncodeBase64(""), "");
  EXPECT_EQ(EncodeBase64("f"), "Zg");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8");
  EXPECT_EQ(EncodeBase64("foobar"), "Zm9vYmFy");
}

TEST(Base64, ReadsWithAndWithoutPadding) {
  EXPECT_EQ(DecodeBase64("Zg=="), "f");
  EXPECT_EQ(DecodeBase64("Zg"), "f");
  EXPECT_EQ(DecodeBase64("Zm8="), "fo");
  EXPECT_EQ(DecodeBase64(""), "");
}

TEST(Base64, RefusesWhatIsNoBase64) {
  EXPECT_EQ(DecodeBase64("Z"), std::nullopt);
  EXPECT_EQ(DecodeBase64("Zm9v\n"), std::nullopt);
  EXPECT_EQ(DecodeBase64("Zm-_"), std::nullopt);
}

TEST(Base64, CarriesEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
}

}  // namespace
}  // namespace arka::transport
