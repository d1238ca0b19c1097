#include "arka/auth/token_hash.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::auth {
namespace {

TEST(TokenHash, IsSha256InHexadecimalDigits) {
  EXPECT_EQ(HashToken("abcdefghijklmnopqrstuvwxyz").ValueOrDie(),
            "sha256$71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73");
  EXPECT_TRUE(IsTokenHash(TokenHashOf("x")));
  EXPECT_FALSE(IsTokenHash("sha256$71c4"));
  EXPECT_FALSE(IsTokenHash(TokenHashOf("x") + "0"));
}

TEST(TokenHash, RefusesTokensThatCanBeGuessedOrNotBeSent) {
  EXPECT_EQ(CodeOf(HashToken("hunter2").status()), ErrorCode::kInvalidRequest);
  EXPECT_EQ(CodeOf(HashToken("a token with spaces in it").status()), ErrorCode::kInvalidRequest);
}

TEST(TokenHash, ANewTokenIsTakenAndNeverTheSame) {
  EXPECT_THAT(HashToken(NewToken()), IsOk());
  EXPECT_NE(NewToken(), NewToken());
}

}  // namespace
}  // namespace arka::auth
