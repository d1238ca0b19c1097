#include "arka/server/file_refresher.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "arka/testing/simulated_clock.h"

namespace arka {
namespace {

using std::chrono::seconds;

/// Counts the looks, and lets a test wait for the next.
class Looks {
 public:
  Status Look() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
    return Error(ErrorCode::kInvalidRequest, "broken");  // which stops nothing
  }
  bool WaitFor(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(60), [&] { return count_ >= count; });
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

TEST(FileRefresher, LooksEverySoOftenAndAtOnceWhereItIsTold) {
  SimulatedClock clock;
  Looks looks;
  FileRefresher refresher(clock, seconds(10), {{"file", [&] { return looks.Look(); }}});
  EXPECT_EQ(looks.count(), 0);
  refresher.RefreshSoon();
  ASSERT_TRUE(looks.WaitFor(1));
  clock.AwaitWaiters(1);
  clock.Advance(seconds(10));
  EXPECT_TRUE(looks.WaitFor(2));
}

}  // namespace
}  // namespace arka
