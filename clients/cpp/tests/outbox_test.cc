// What a stream has taken on, under its lock.
#include "outbox.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace arka::client {
namespace {

TEST(OutboxTest, OfAcksThatNobodyTakesItForgetsTheOldest) {
  constexpr int64_t kWrites = kAcksKept / 4 + 1;
  Outbox outbox(Ledger(), {1 << 30, std::chrono::seconds(1), /*keep_acks=*/true, nullptr});
  const auto batch = arrow::RecordBatch::Make(arrow::schema({}), 0, arrow::ArrayVector());
  outbox.BeginConnection();
  protocol::AckBatchContents acks;
  for (int64_t i = 0; i < kWrites; ++i) {
    ASSERT_TRUE(outbox.Put(batch, std::nullopt).ok());
    ASSERT_TRUE(outbox.Next());
  }
  for (const Tier level : kAllTiers) {
    for (int64_t i = 0; i < kWrites; ++i) {
      acks.rows.push_back({Lsn{1000 + i}, Lsn{1000 + i}, level});
    }
  }
  ASSERT_TRUE(outbox.Take(acks).ok());
  const std::deque<Ack> told = outbox.TakeAcks();
  ASSERT_EQ(told.size(), kAcksKept);
  EXPECT_EQ(told.front().lsn, Lsn{1004});
  EXPECT_EQ(told.front().level, Tier::kMemory);
  EXPECT_EQ(told.back().lsn, Lsn{1000 + kWrites - 1});
  EXPECT_EQ(told.back().level, Tier::kCommitted);
}

}  // namespace
}  // namespace arka::client
