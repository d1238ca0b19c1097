#include "arka/flight_sql/insert_statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::flight_sql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ParseInsert, TakesTheTableTheColumnsAndTheQueryApart) {
  const auto plain = ParseInsert("insert into orders values (1, 'a;b') ; ");
  ASSERT_THAT(plain.status(), IsOk());
  EXPECT_THAT(plain->table, ElementsAre("orders"));
  EXPECT_THAT(plain->columns, IsEmpty());
  EXPECT_EQ(plain->query, "values (1, 'a;b')");
  const auto full = ParseInsert(
      "/* a */ INSERT -- b\n INTO lake.\"Sal\"\"es\".orders(id,\"no te\")SELECT 1, 2 FROM t");
  ASSERT_THAT(full.status(), IsOk());
  EXPECT_THAT(full->table, ElementsAre("lake", "Sal\"es", "orders"));
  EXPECT_THAT(full->columns, ElementsAre("id", "no te"));
  EXPECT_EQ(full->query, "SELECT 1, 2 FROM t");
  const auto nested = ParseInsert("INSERT INTO t (SELECT 1)");
  ASSERT_THAT(nested.status(), IsOk());
  EXPECT_THAT(nested->columns, IsEmpty());
  EXPECT_EQ(nested->query, "(SELECT 1)");
}

TEST(ParseInsert, RefusesWhatIsNone) {
  for (const char* sql : {"", "insert", "insert into", "insert orders values (1)",
                          "insert into a.b.c.d values (1)", "insert into t", "insert into t (a",
                          "insert into t () values (1)", "insert into \"t values (1)",
                          "insert into t (a b) values (1)", "select 1", "/* insert into t"}) {
    EXPECT_THAT(ParseInsert(sql).status(), FailsWith(ErrorCode::kInvalidRequest)) << sql;
  }
}

TEST(WithTypedParameters, CastsWhatIsNothingButAParameter) {
  const std::vector<std::string> types = {"BIGINT", "VARCHAR"};
  EXPECT_EQ(WithTypedParameters("values (?, ?)", types),
            "values (CAST(? AS BIGINT),CAST(? AS VARCHAR))");
  EXPECT_EQ(WithTypedParameters("VALUES (1, $2 ), ($1,upper(?)) ", types),
            "VALUES (1,CAST($2 AS VARCHAR)), (CAST($1 AS BIGINT),upper(?)) ");
  for (const char* same : {"values (1, '?'), (2, 'it''s (?,')", "values (\"?\", coalesce(?, ?))",
                           "values /* (?) */ (1, -- ?\n 2)", "values (1, 2, ?)", "select ?",
                           "values (1, 'a", "values (((", "values )"}) {
    EXPECT_EQ(WithTypedParameters(same, types), same);
  }
}

TEST(FirstWord, IsThatOfTheStatement) {
  EXPECT_EQ(FirstWord(" -- x\n/* y */ Select 1"), "SELECT");
  EXPECT_EQ(FirstWord("(select 1)"), "");
  EXPECT_TRUE(IsInsert("insert into t values (1)"));
  EXPECT_FALSE(IsInsert("inserted"));
}

}  // namespace
}  // namespace arka::flight_sql
