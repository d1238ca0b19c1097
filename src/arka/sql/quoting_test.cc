#include "arka/sql/quoting.h"

#include <gtest/gtest.h>

namespace arka::sql {
namespace {

TEST(Quoting, DoublesTheQuotesInNamesAndTexts) {
  EXPECT_EQ(Quoted("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(Literal("it's"), "'it''s'");
}

}  // namespace
}  // namespace arka::sql
