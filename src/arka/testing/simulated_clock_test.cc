#include "arka/testing/simulated_clock.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace arka {
namespace {

using namespace std::chrono_literals;

TEST(SimulatedClock, StandsStillUntilItIsMoved) {
  SimulatedClock clock;
  const SteadyTime start = clock.Now();
  const WallTime wall_start = clock.WallNow();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(250ms);
  EXPECT_EQ(clock.Now() - start, 250ms);
  EXPECT_EQ(clock.WallNow() - wall_start, 250ms);
}

TEST(SimulatedClock, StartsItsWallClockIn2026) {
  EXPECT_EQ(SimulatedClock().WallNow().time_since_epoch(), 1'767'225'600s);
}

TEST(SimulatedClock, AWallJumpLeavesTheSteadyClockAlone) {
  SimulatedClock clock;
  const SteadyTime start = clock.Now();
  const WallTime wall_start = clock.WallNow();
  clock.JumpWall(-10s);
  EXPECT_EQ(clock.Now(), start);
  EXPECT_EQ(clock.WallNow() - wall_start, -10s);
}

TEST(SimulatedClock, AWaitEndsAtItsDeadline) {
  SimulatedClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  SteadyTime woke;
  const SteadyTime start = clock.Now();
  {
    std::jthread waiter([&] {
      std::unique_lock lock(mutex);
      EXPECT_FALSE(clock.WaitUntil(lock, condition, start + 1s, [] { return false; }));
      woke = clock.Now();
    });
    clock.AwaitWaiters(1);
    clock.Advance(999ms);
    clock.AwaitWaiters(1);
    clock.Advance(1ms);
  }
  EXPECT_EQ(woke - start, 1s);
}

TEST(SimulatedClock, AWaitEndsWhenItsConditionComesTrue) {
  SimulatedClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  bool ready = false;
  bool answer = false;
  {
    std::jthread waiter([&] {
      std::unique_lock lock(mutex);
      answer = clock.WaitUntil(lock, condition, SteadyTime::max(), [&] { return ready; });
    });
    clock.AwaitWaiters(1);
    const std::lock_guard lock(mutex);
    ready = true;
    condition.notify_all();
  }
  EXPECT_TRUE(answer);
}

TEST(SimulatedClock, MovesToTheEarliestDeadline) {
  SimulatedClock clock;
  EXPECT_FALSE(clock.AdvanceToNextDeadline());
  const SteadyTime start = clock.Now();
  std::mutex mutex;
  std::condition_variable condition;
  std::vector<std::jthread> waiters;
  for (const auto delay : {3s, 1s, 2s}) {
    waiters.emplace_back([&, delay] {
      std::unique_lock lock(mutex);
      clock.WaitUntil(lock, condition, start + delay, [] { return false; });
    });
  }
  clock.AwaitWaiters(3);
  for (const auto expected : {1s, 2s, 3s}) {
    EXPECT_TRUE(clock.AdvanceToNextDeadline());
    EXPECT_EQ(clock.Now() - start, expected);
  }
  EXPECT_FALSE(clock.AdvanceToNextDeadline());
}

TEST(SimulatedClock, LosesNoWakeUpHoweverTheThreadsRace) {
  SimulatedClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  constexpr int kRounds = 2000;
  std::jthread waiter([&] {
    std::unique_lock lock(mutex);
    for (int round = 0; round < kRounds; ++round) {
      clock.WaitUntil(lock, condition, clock.Now() + 1us, [] { return false; });
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    clock.AwaitWaiters(1);
    clock.Advance(1us);
  }
}

}  // namespace
}  // namespace arka
