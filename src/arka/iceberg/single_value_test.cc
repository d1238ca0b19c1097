#include "arka/iceberg/single_value.h"

#include <gmock/gmock.h>

namespace arka::iceberg {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

TEST(SingleValue, NumbersAreLittleEndian) {
  EXPECT_EQ(SerializeBoolean(true), Bytes({1}));
  EXPECT_EQ(SerializeBoolean(false), Bytes({0}));
  EXPECT_EQ(SerializeInt(20454), Bytes({0xE6, 0x4F, 0, 0}));
  EXPECT_EQ(SerializeInt(-2), Bytes({0xFE, 0xFF, 0xFF, 0xFF}));
  EXPECT_EQ(SerializeLong(10), Bytes({10, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(SerializeFloat(1.0F), Bytes({0, 0, 0x80, 0x3F}));
  EXPECT_EQ(SerializeDouble(5.0), Bytes({0, 0, 0, 0, 0, 0, 0x14, 0x40}));
}

TEST(SingleValue, DecimalsAreTheShortestTwosComplement) {
  EXPECT_EQ(SerializeDecimal(0, 25000), Bytes({0x61, 0xA8}));  // what PyIceberg writes for 2.5000
  EXPECT_EQ(SerializeDecimal(0, 47500), Bytes({0x00, 0xB9, 0x8C}));
  EXPECT_EQ(SerializeDecimal(0, 0), Bytes({0}));
  EXPECT_EQ(SerializeDecimal(-1, ~uint64_t{0}), Bytes({0xFF}));
  EXPECT_EQ(SerializeDecimal(-1, static_cast<uint64_t>(-128)), Bytes({0x80}));
  EXPECT_EQ(SerializeDecimal(-1, static_cast<uint64_t>(-129)), Bytes({0xFF, 0x7F}));
  EXPECT_EQ(SerializeDecimal(0, 127), Bytes({0x7F}));
  EXPECT_EQ(SerializeDecimal(0, 128), Bytes({0x00, 0x80}));
  EXPECT_EQ(SerializeDecimal(INT64_MIN, 0).size(), 16u);
}

TEST(TruncateString, KeepsWhatIsShortEnough) {
  EXPECT_EQ(TruncateStringLower("abc", 3), "abc");
  EXPECT_EQ(TruncateStringUpper("abc", 3), "abc");
  EXPECT_EQ(TruncateStringUpper("", 3), "");
}

TEST(TruncateString, CountsCodePointsNotBytes) {
  EXPECT_EQ(TruncateStringLower("äöüß", 2), "äö");
  EXPECT_EQ(TruncateStringUpper("äöüß", 2), "ä÷");
  EXPECT_EQ(TruncateStringLower("a€😀b", 3), "a€😀");
  EXPECT_EQ(TruncateStringUpper("a€😀b", 3), "a€😁");
}

TEST(TruncateString, AnUpperBoundIsAboveEveryValueWithItsPrefix) {
  EXPECT_EQ(TruncateStringUpper("abcdef", 3), "abd");
  EXPECT_EQ(TruncateStringUpper("ab\x7F_", 3), "ab\xC2\x80");                  // 1 byte becomes 2
  EXPECT_EQ(TruncateStringUpper("ab\xDF\xBF_", 3), "ab\xE0\xA0\x80");          // 2 become 3
  EXPECT_EQ(TruncateStringUpper("ab\xEF\xBF\xBF_", 3), "ab\xF0\x90\x80\x80");  // 3 become 4
}

TEST(TruncateString, StepsOverTheSurrogates) {
  EXPECT_EQ(TruncateStringUpper("a\xED\x9F\xBF_", 2), "a\xEE\x80\x80");
}

TEST(TruncateString, DropsCodePointsThatCannotGrow) {
  const std::string highest = "\xF4\x8F\xBF\xBF";
  EXPECT_EQ(TruncateStringUpper("a" + highest + highest + "z", 3), "b");
  EXPECT_EQ(TruncateStringUpper(highest + highest + "z", 2), std::nullopt);
}

TEST(TruncateBinary, IncrementsTheLastByteThatCanGrow) {
  EXPECT_EQ(TruncateBinaryLower(Bytes({1, 2, 3}), 2), Bytes({1, 2}));
  EXPECT_EQ(TruncateBinaryUpper(Bytes({1, 2}), 2), Bytes({1, 2}));
  EXPECT_EQ(TruncateBinaryUpper(Bytes({1, 2, 3}), 2), Bytes({1, 3}));
  EXPECT_EQ(TruncateBinaryUpper(Bytes({1, 0xFF, 3}), 2), Bytes({2}));
  EXPECT_EQ(TruncateBinaryUpper(Bytes({0xFF, 0xFF, 3}), 2), std::nullopt);
}

}  // namespace
}  // namespace arka::iceberg
