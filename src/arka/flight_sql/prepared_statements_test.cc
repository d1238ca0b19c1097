#include "arka/flight_sql/prepared_statements.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::flight_sql {
namespace {

using std::chrono::seconds;

class PreparedStatementsTest : public ::testing::Test {
 protected:
  SimulatedClock clock_;
  SeededRandom random_{1};
  PreparedStatements statements_{clock_, random_, {.lifetime = seconds(10), .statements = 2}};
};

TEST_F(PreparedStatementsTest, AHandleIsGoodForWhomItWasGivenTo) {
  const std::string handle = statements_.Add("alice", "select 1");
  EXPECT_EQ(statements_.Find("alice", handle)->sql, "select 1");
  EXPECT_THAT(statements_.Find("bob", handle).status(), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(statements_.Bind("bob", handle, nullptr), FailsWith(ErrorCode::kNotFound));
  statements_.Close("bob", handle);
  EXPECT_THAT(statements_.Find("alice", handle).status(), IsOk());
  statements_.Close("alice", handle);
  EXPECT_THAT(statements_.Find("alice", handle).status(), FailsWith(ErrorCode::kNotFound));
}

TEST_F(PreparedStatementsTest, BoundParametersStayUntilOthersAreBound) {
  const std::string handle = statements_.Add("alice", "select ?");
  const auto row = arrow::RecordBatch::MakeEmpty(arrow::schema({})).ValueOrDie();
  EXPECT_EQ(statements_.Find("alice", handle)->parameters, nullptr);
  EXPECT_THAT(statements_.Bind("alice", handle, row), IsOk());
  EXPECT_EQ(statements_.Find("alice", handle)->parameters, row);
  EXPECT_THAT(statements_.Bind("alice", handle, nullptr), IsOk());
  EXPECT_EQ(statements_.Find("alice", handle)->parameters, nullptr);
}

TEST_F(PreparedStatementsTest, WhatIsNotUsedIsForgottenAndTheOldestWhereThereAreTooMany) {
  const std::string old = statements_.Add("alice", "1");
  clock_.Advance(seconds(6));
  const std::string used = statements_.Add("alice", "2");
  clock_.Advance(seconds(6));
  ASSERT_THAT(statements_.Find("alice", used).status(), IsOk());
  statements_.Sweep();
  EXPECT_THAT(statements_.Find("alice", old).status(), FailsWith(ErrorCode::kNotFound));
  const std::string third = statements_.Add("alice", "3");
  clock_.Advance(seconds(1));
  ASSERT_THAT(statements_.Find("alice", third).status(), IsOk());
  const std::string fourth = statements_.Add("alice", "4");
  EXPECT_THAT(statements_.Find("alice", used).status(), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(statements_.Find("alice", fourth).status(), IsOk());
}

}  // namespace
}  // namespace arka::flight_sql
