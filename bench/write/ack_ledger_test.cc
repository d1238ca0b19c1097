#include "ack_ledger.h"

#include <arrow/builder.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arka::bench {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<arrow::RecordBatch> Acks(const std::vector<std::pair<int64_t, std::string>>& rows) {
  arrow::Int64Builder lsns;
  arrow::StringBuilder levels;
  for (const auto& [lsn, level] : rows) {
    EXPECT_TRUE(lsns.Append(lsn).ok());
    EXPECT_TRUE(levels.Append(level).ok());
  }
  auto schema = arrow::schema(
      {arrow::field("lsn", arrow::int64()), arrow::field("durability_level", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(rows.size()),
                                  {lsns.Finish().ValueOrDie(), levels.Finish().ValueOrDie()});
}

class AckLedgerTest : public ::testing::Test {
 protected:
  arrow::Status Observe(const std::vector<std::pair<int64_t, std::string>>& rows) {
    return ledger_.Observe(*Acks(rows), AckLedger::Clock::now());
  }

  AckLedger ledger_{{"MEMORY", "LOCAL_DISK"}};
};

TEST_F(AckLedgerTest, AcceptsEachWriteOnceAtEveryLevelWhateverTheBatching) {
  ASSERT_TRUE(Observe({{1000, "MEMORY"}, {1003, "MEMORY"}, {1000, "LOCAL_DISK"}}).ok());
  ASSERT_TRUE(Observe({{1003, "LOCAL_DISK"}}).ok());
  EXPECT_TRUE(ledger_.CheckComplete(2).ok());
  EXPECT_EQ(ledger_.total(), 4);
  EXPECT_EQ(ledger_.messages(), 2);
}

TEST_F(AckLedgerTest, RefusesAnLsnThatDoesNotIncrease) {
  ASSERT_TRUE(Observe({{1000, "MEMORY"}}).ok());
  EXPECT_THAT(Observe({{1000, "MEMORY"}}).message(), HasSubstr("LSN 1000 at MEMORY after 1000"));
}

TEST_F(AckLedgerTest, RefusesALevelThatSkipsAWrite) {
  ASSERT_TRUE(Observe({{1000, "MEMORY"}, {1001, "MEMORY"}}).ok());
  EXPECT_THAT(Observe({{1001, "LOCAL_DISK"}}).message(), HasSubstr("before it was 1000"));
}

TEST_F(AckLedgerTest, RefusesALevelBeforeTheOneBelowIt) {
  EXPECT_THAT(Observe({{1000, "LOCAL_DISK"}}).message(), HasSubstr("before MEMORY"));
}

TEST_F(AckLedgerTest, RefusesALevelThatWasNotAskedFor) {
  EXPECT_THAT(Observe({{1000, "COMMITTED"}}).message(), HasSubstr("unasked level COMMITTED"));
}

TEST_F(AckLedgerTest, MissesTheAckOfTheLastWrite) {
  ASSERT_TRUE(Observe({{1000, "MEMORY"}, {1001, "MEMORY"}, {1000, "LOCAL_DISK"}}).ok());
  EXPECT_THAT(ledger_.CheckComplete(2).message(), HasSubstr("2 writes, 1 acks at LOCAL_DISK"));
}

TEST_F(AckLedgerTest, TellsWhichWriteAnAckBelongsTo) {
  std::vector<std::pair<size_t, int64_t>> seen;
  ledger_.set_on_ack([&](size_t level, int64_t write, AckLedger::Clock::time_point) {
    seen.emplace_back(level, write);
  });
  ASSERT_TRUE(Observe({{1000, "MEMORY"}, {1001, "MEMORY"}, {1000, "LOCAL_DISK"}}).ok());
  EXPECT_EQ(seen, (std::vector<std::pair<size_t, int64_t>>{{0, 0}, {0, 1}, {1, 0}}));
}

}  // namespace
}  // namespace arka::bench
