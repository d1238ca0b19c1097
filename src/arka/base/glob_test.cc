#include "arka/base/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace arka {
namespace {

TEST(Glob, WithoutWildcardsIsTheNameItself) {
  EXPECT_TRUE(MatchesGlob("sales.orders", "sales.orders"));
  EXPECT_FALSE(MatchesGlob("sales.orders", "sales.order"));
  EXPECT_FALSE(MatchesGlob("sales.orders", "sales.orders2"));
  EXPECT_FALSE(MatchesGlob("sales.orders", "Sales.Orders"));
  EXPECT_FALSE(MatchesGlob("sales.orders", ""));
}

TEST(Glob, AStarIsAnyCharactersAndAQuestionMarkIsOne) {
  EXPECT_TRUE(MatchesGlob("sales.orders", "sales.*"));
  EXPECT_TRUE(MatchesGlob("sales.eu.orders", "sales.*"));
  EXPECT_TRUE(MatchesGlob("sales.orders", "*"));
  EXPECT_TRUE(MatchesGlob("sales.orders", "*.or*s"));
  EXPECT_TRUE(MatchesGlob("sales.orders", "sales.order?"));
  EXPECT_FALSE(MatchesGlob("sales", "sales.*"));
  EXPECT_FALSE(MatchesGlob("sales2.orders", "sales.*"));
  EXPECT_FALSE(MatchesGlob("sales.orders", "sales.orders?"));
}

TEST(Glob, ManyStarsTakeNoTimeToSpeakOf) {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesGlob(std::string(2000, 'a'), pattern + "b"));
}

}  // namespace
}  // namespace arka
