#include "arka/acks/loop_context.h"

namespace arka::acks {

void LoopContext::NotifyProgress() {
  if (notified_.exchange(true)) return;
  loop.Post([this] {
    notified_ = false;
    scheduler.OnProgress(engine.progress());
  });
}

void LoopContext::SweepIdleEvery(std::chrono::milliseconds interval) {
  loop.PostAfter(interval, [this, interval] {
    scheduler.ForEach([](Sleeper& sleeper) { sleeper.EndIfIdle(); });
    SweepIdleEvery(interval);
  });
}

}  // namespace arka::acks
