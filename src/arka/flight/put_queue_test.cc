#include "arka/flight/put_queue.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace arka::flight {
namespace {

std::vector<int64_t> TakeAll(PutQueue& queue, int64_t reached) {
  std::vector<int64_t> lsns;
  while (const auto lsn = queue.Take(Lsn{reached})) lsns.push_back(lsn->value);
  return lsns;
}

TEST(PutQueue, TellsABatchOnceItIsReachedAndNotBefore) {
  PutQueue queue;
  EXPECT_EQ(queue.awaited(), kNoLsn);
  for (int64_t lsn : {1000, 1001, 1005}) queue.Add(Lsn{lsn});
  EXPECT_EQ(TakeAll(queue, 999), std::vector<int64_t>{});
  EXPECT_EQ(TakeAll(queue, 1000), std::vector<int64_t>{1000});
  EXPECT_EQ(queue.awaited(), Lsn{1001});
  EXPECT_EQ(TakeAll(queue, 1004), std::vector<int64_t>{1001});
  EXPECT_EQ(queue.awaited(), Lsn{1005});
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(TakeAll(queue, 1005), std::vector<int64_t>{1005});
  EXPECT_TRUE(queue.empty());
}

TEST(PutQueue, KeepsTheOrderOfTheBatchesWhateverTheirLsns) {
  PutQueue queue;
  for (int64_t lsn : {1010, 1011, 1003, 1003}) queue.Add(Lsn{lsn});
  queue.AddCommittedLongAgo(Lsn{1001});
  queue.AddCommittedLongAgo(Lsn{1001});
  queue.Add(Lsn{1004});
  EXPECT_EQ(TakeAll(queue, 1010), std::vector<int64_t>{1010}) << "the retries wait their turn";
  EXPECT_EQ(TakeAll(queue, 1011), (std::vector<int64_t>{1011, 1003, 1003, 1001, 1001, 1004}));
}

TEST(PutQueue, WhatWasCommittedLongAgoIsDueAtOnce) {
  PutQueue queue;
  queue.AddCommittedLongAgo(Lsn{5000});
  EXPECT_EQ(queue.awaited(), kNoLsn);
  EXPECT_EQ(TakeAll(queue, 999), std::vector<int64_t>{5000});
}

TEST(PutQueue, WhatComesOutIsWhatWentIn) {
  std::mt19937 random(11);
  for (int life = 0; life < 200; ++life) {
    PutQueue queue;
    std::vector<int64_t> added, taken;
    int64_t last = 999, reached = 999;
    for (int i = 0; i < 100; ++i) {
      const int64_t retry = 1000 + static_cast<int64_t>(random() % (last - 998));
      switch (random() % 6) {
        case 0:
          added.push_back(retry);
          queue.AddCommittedLongAgo(Lsn{retry});
          break;
        case 1:
          added.push_back(std::min(retry, std::max<int64_t>(last, 1000)));
          queue.Add(Lsn{added.back()});
          break;
        case 2:
          last += static_cast<int64_t>(random() % 3);
          [[fallthrough]];
        case 3:
          added.push_back(++last);
          queue.Add(Lsn{last});
          break;
        default:
          reached += static_cast<int64_t>(random() % 5);
          for (int64_t lsn : TakeAll(queue, reached)) taken.push_back(lsn);
      }
    }
    for (int64_t lsn : TakeAll(queue, 1'000'000)) taken.push_back(lsn);
    EXPECT_EQ(taken, added) << "life " << life;
  }
}

TEST(PutQueue, ALoneWriterThatReadsNothingStaysOneRun) {
  PutQueue queue;
  for (int64_t lsn = 1000; lsn < 1'001'000; ++lsn) queue.Add(Lsn{lsn});
  for (int i = 0; i < 1000; ++i) queue.AddCommittedLongAgo(Lsn{7});
  EXPECT_EQ(queue.runs(), 2u);
}

TEST(PutQueue, ForgetsTheOldestWhereNobodyReadsForTooLong) {
  PutQueue queue;
  constexpr auto kBatches = static_cast<int64_t>(PutQueue::kMaxRuns) + 10;
  for (int64_t i = 0; i < kBatches; ++i) queue.Add(Lsn{1000 + 2 * i});
  EXPECT_EQ(queue.runs(), PutQueue::kMaxRuns);
  EXPECT_EQ(queue.awaited(), Lsn{1020});
}

}  // namespace
}  // namespace arka::flight
