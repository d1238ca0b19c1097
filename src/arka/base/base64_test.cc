#include "arka/base/base64.h"

#include <gtest/gtest.h>

namespace arka {
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
  EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes);
}

TEST(Base64, TheUrlAlphabetIsReadStrictly) {
  EXPECT_EQ(EncodeBase64Url("\xfb\xff"), "-_8");
  EXPECT_EQ(DecodeBase64Url("-_8"), "\xfb\xff");
  EXPECT_EQ(DecodeBase64Url("-_9"), std::nullopt) << "bits left over";
  EXPECT_EQ(DecodeBase64Url("-_8="), std::nullopt) << "padding";
  EXPECT_EQ(DecodeBase64Url("+/8"), std::nullopt) << "the other alphabet";
}

}  // namespace
}  // namespace arka
