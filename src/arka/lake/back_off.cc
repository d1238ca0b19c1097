#include "arka/lake/back_off.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace arka::lake {
namespace {

constexpr std::chrono::milliseconds kLongestDelay{10'000};

}  // namespace

Status BackOff::Wait() {
  const std::chrono::milliseconds jitter(random_.Next() % (delay_.count() / 2 + 1));
  const SteadyTime deadline = clock_.Now() + delay_ - jitter;
  delay_ = std::min(delay_ * 2, kLongestDelay);
  std::mutex mutex;
  std::condition_variable condition;
  const std::stop_callback wake(stop_, [&] {
    const std::lock_guard lock(mutex);
    condition.notify_all();
  });
  std::unique_lock lock(mutex);
  const bool stopped =
      clock_.WaitUntil(lock, condition, deadline, [&] { return stop_.stop_requested(); });
  lock.unlock();  // before `wake` goes, which waits for a callback that wants it
  if (!stopped) return Status::OK();
  return Error(ErrorCode::kShuttingDown, "stopped while a commit was being retried");
}

}  // namespace arka::lake
