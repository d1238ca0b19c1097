#include "arka/transport/timer_queue.h"

#include <vector>

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1h};

TEST(TimerQueue, RunsWhatIsDueInOrder) {
  TimerQueue timers;
  std::vector<int> ran;
  timers.Add(kStart + 2s, [&] { ran.push_back(2); });
  timers.Add(kStart + 1s, [&] { ran.push_back(1); });
  timers.Add(kStart + 1s, [&] { ran.push_back(11); });
  timers.Add(kStart + 3s, [&] { ran.push_back(3); });
  timers.RunDue(kStart + 2s);
  EXPECT_EQ(ran, (std::vector<int>{1, 11, 2}));
  EXPECT_EQ(timers.next_due(), kStart + 3s);
}

TEST(TimerQueue, ForgetsWhatIsCancelled) {
  TimerQueue timers;
  int ran = 0;
  const TimerId id = timers.Add(kStart, [&] { ++ran; });
  timers.Cancel(id);
  timers.RunDue(kStart + 1s);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(timers.next_due(), std::nullopt);
}

TEST(TimerQueue, LetsATaskCancelAnotherThatIsDueToo) {
  TimerQueue timers;
  int ran = 0;
  TimerId second;
  timers.Add(kStart, [&] { timers.Cancel(second); });
  second = timers.Add(kStart, [&] { ++ran; });
  timers.RunDue(kStart);
  EXPECT_EQ(ran, 0);
}

TEST(TimerQueue, LeavesTasksThatWereAddedMeanwhileForTheNextTime) {
  TimerQueue timers;
  int ran = 0;
  timers.Add(kStart, [&] { timers.Add(kStart, [&] { ++ran; }); });
  timers.RunDue(kStart);
  EXPECT_EQ(ran, 0);
  timers.RunDue(kStart);
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace arka::transport
