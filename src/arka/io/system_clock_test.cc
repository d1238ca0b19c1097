#include "arka/io/system_clock.h"

#include <thread>

#include <gtest/gtest.h>

namespace arka {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, AWaitEndsAtItsDeadline) {
  SystemClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  const SteadyTime start = clock.Now();
  EXPECT_FALSE(clock.WaitUntil(lock, condition, start + 5ms, [] { return false; }));
  EXPECT_GE(clock.Now() - start, 5ms);
  EXPECT_FALSE(clock.WaitUntil(lock, condition, start, [] { return false; }));
}

TEST(SystemClock, AWaitWithoutADeadlineEndsWithItsCondition) {
  SystemClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  bool ready = false;
  std::unique_lock lock(mutex);
  std::jthread setter([&] {
    const std::lock_guard own(mutex);
    ready = true;
    condition.notify_all();
  });
  EXPECT_TRUE(clock.WaitUntil(lock, condition, SteadyTime::max(), [&] { return ready; }));
}

TEST(SystemClock, TellsTheTimeOfThisDecade) {
  EXPECT_GT(SystemClock().WallNow().time_since_epoch(), 1'750'000'000s);
}

}  // namespace
}  // namespace arka
