#include "arka/flight/loop_context.h"

namespace arka::flight {

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

void LoopContext::RetryWaiting() {
  while (!waiting_for_room.empty()) {
    Sleeper* sleeper = scheduler.Find(waiting_for_room.front());
    if (sleeper != nullptr && !sleeper->OnRoom()) return;  // it keeps its turn
    waiting_for_room.pop_front();
  }
}

}  // namespace arka::flight
