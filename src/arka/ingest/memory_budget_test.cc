#include "arka/ingest/memory_budget.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace arka::ingest {
namespace {

TEST(MemoryBudget, WhatFitsIsTakenAndWhatDoesNotIsRefused) {
  MemoryBudget budget(100);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.TryTake(30));
  EXPECT_FALSE(budget.TryTake(11));
  EXPECT_TRUE(budget.TryTake(10));
  EXPECT_EQ(budget.taken_bytes(), 100);
  EXPECT_FALSE(budget.TryTake(1));
}

TEST(MemoryBudget, OneWriteLargerThanAllOfItPassesAlone) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.TryTake(1000));
  EXPECT_FALSE(budget.TryTake(1));
  budget.GiveBack(1000);
  EXPECT_TRUE(budget.TryTake(37));
  EXPECT_TRUE(budget.TryTake(37));
  EXPECT_FALSE(budget.TryTake(1000));
}

TEST(MemoryBudget, AWriteThatFitsBesideNoRowsPassesWhereNoMoreThanRowsAreTaken) {
  MemoryBudget budget(800);
  budget.Take(501);
  EXPECT_FALSE(budget.TryTake(301)) << "some of it is on its way to the disk";
  budget.GiveBack(1);
  EXPECT_TRUE(budget.TryTake(301)) << "the rows may stay for long: the store may be away";
  EXPECT_FALSE(budget.TryTake(301)) << "one at a time";
}

TEST(MemoryBudget, WhileAllRowsAreKeptNoMoreAreTakenThanThereIsRoomForRows) {
  int told = 0;
  MemoryBudget budget(800, [&] { ++told; });
  budget.KeepAll(true);
  ASSERT_TRUE(budget.TryTake(500));
  EXPECT_FALSE(budget.TryTake(1));
  EXPECT_FALSE(budget.TryTake(400));
  budget.KeepAll(false);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(budget.TryTake(1));
}

TEST(MemoryBudget, ARefusalIsRememberedUntilRoomIsMadeAndToldOnce) {
  int told = 0;
  MemoryBudget budget(100, [&] { ++told; });
  ASSERT_TRUE(budget.TryTake(100));
  EXPECT_FALSE(budget.GiveBack(10)) << "nobody was refused";
  EXPECT_EQ(told, 0);
  ASSERT_FALSE(budget.TryTake(50));
  EXPECT_TRUE(budget.is_tight());
  EXPECT_TRUE(budget.GiveBack(30));
  EXPECT_FALSE(budget.GiveBack(30));
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(budget.is_tight());
}

TEST(MemoryBudget, ItIsTightFromTheHalfOnAndNearlyFullBeforeItIsFull) {
  MemoryBudget budget(800);
  budget.Take(400);
  EXPECT_FALSE(budget.is_tight());
  budget.Take(1);
  EXPECT_TRUE(budget.is_tight());
  budget.Take(99);
  EXPECT_FALSE(budget.is_nearly_full());
  budget.Take(1);
  EXPECT_TRUE(budget.is_nearly_full());
  budget.Take(1000);  // replay is never refused
  EXPECT_EQ(budget.taken_bytes(), 1501);
}

TEST(MemoryBudget, NobodyWhoIsRefusedIsForgotten) {
  MemoryBudget budget(10);
  std::atomic<int> room{0};  // how often somebody was told to try again
  std::vector<std::jthread> threads;
  std::atomic<int64_t> most{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        while (true) {
          const int seen = room.load();
          if (budget.TryTake(4)) break;
          room.wait(seen);  // woken by the one who is told
        }
        if (budget.taken_bytes() > most) most = budget.taken_bytes();
        if (budget.GiveBack(4)) {
          ++room;
          room.notify_all();
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(budget.taken_bytes(), 0);
  EXPECT_LE(most.load(), 10);
}

}  // namespace
}  // namespace arka::ingest
