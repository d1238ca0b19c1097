#include "arka/auth/password_hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

// Cheap: N = 16.
constexpr char kOfOpenSesame[] =
    "scrypt$16$1$1$c2FsdHNhbHRzYWx0c2FsdA$KCbpYL+ggOD65hk19dzKMWuqXrOBeveJSDsgnsTCGLw";

TEST(PasswordHash, MatchesThePasswordThatItIsOfAndNoOther) {
  const auto hash = PasswordHash::Of("open sesame").ValueOrDie();
  EXPECT_TRUE(hash.Matches("open sesame"));
  EXPECT_FALSE(hash.Matches("open sesam"));
  EXPECT_FALSE(hash.Matches(""));
  const auto again = PasswordHash::Parse(hash.ToString()).ValueOrDie();
  EXPECT_EQ(again, hash);
  EXPECT_TRUE(again.Matches("open sesame"));
}

TEST(PasswordHash, OfTheSamePasswordTwiceIsTwoHashes) {
  EXPECT_NE(PasswordHash::Of("x").ValueOrDie().ToString(),
            PasswordHash::Of("x").ValueOrDie().ToString());
}

TEST(PasswordHash, IsThatOfTheStandard) {
  // Made with Python: hashlib.scrypt(b"open sesame", salt=b"saltsaltsaltsalt", n=16, r=1, p=1,
  // dklen=32).
  const auto hash = PasswordHash::Parse(kOfOpenSesame).ValueOrDie();
  EXPECT_TRUE(hash.Matches("open sesame"));
  EXPECT_EQ(hash.ToString(), kOfOpenSesame);
}

TEST(PasswordHash, RefusesWhatIsNone) {
  const std::string hash = kOfOpenSesame;
  for (const std::string& text :
       {std::string(), std::string("open sesame"), hash.substr(0, hash.size() - 1), hash + "$x",
        "s" + hash, std::string("scrypt$16$1$1$c2FsdA$") + hash.substr(hash.rfind('$') + 1),
        "scrypt$17" + hash.substr(9), "scrypt$0" + hash.substr(9), "scrypt$-16" + hash.substr(9)}) {
    const auto parsed = PasswordHash::Parse(text);
    ASSERT_EQ(CodeOf(parsed.status()), ErrorCode::kInvalidRequest) << text;
    EXPECT_THAT(parsed.status().message(), Not(HasSubstr("sesame")));
  }
}

TEST(PasswordHash, RefusesOneThatWouldTakeTooMuchMemory) {
  const std::string hash = kOfOpenSesame;
  EXPECT_THAT(PasswordHash::Parse("scrypt$1048576$32$1" + hash.substr(13)).status().message(),
              HasSubstr("256 MB"));
}

}  // namespace
}  // namespace arka::auth
