#include "arka/base/error.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "arka/base/tier.h"

namespace arka {
namespace {

TEST(Error, EveryCodeHasANameOfItsOwnAndSurvivesInAStatus) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    names.insert(ErrorCodeName(code));
    const Status status = Error(code, "lsn ", 5, " failed");
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(CodeOf(status), code);
    EXPECT_EQ(status.message(), "lsn 5 failed");
  }
  EXPECT_EQ(names.size(), kErrorCodeCount);
}

TEST(Error, ContextKeepsTheCode) {
  const Status status = WithContext(Error(ErrorCode::kCorruption, "bad CRC"), "segment 4");
  EXPECT_EQ(status.message(), "segment 4: bad CRC");
  EXPECT_EQ(CodeOf(status), ErrorCode::kCorruption);
  EXPECT_TRUE(WithContext(Status::OK(), "segment 4").ok());
}

TEST(Error, AStatusWithoutACodeIsInternal) {
  EXPECT_EQ(CodeOf(Status::Invalid("x")), ErrorCode::kInternal);
}

TEST(Tier, NamesRoundTrip) {
  for (Tier tier : kAllTiers) EXPECT_EQ(ParseTier(TierName(tier)), tier);
  EXPECT_EQ(ParseTier("memory"), std::nullopt);
}

}  // namespace
}  // namespace arka
