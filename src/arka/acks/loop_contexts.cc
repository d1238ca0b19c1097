#include "arka/acks/loop_contexts.h"

#include "arka/base/check.h"

namespace arka::acks {

LoopContexts::LoopContexts(ingest::Engine& engine) : engine_(engine) {
  engine_.AddProgressListener([this] {
    for (const auto& context : contexts_) context->NotifyProgress();
  });
}

void LoopContexts::Bind(const std::vector<transport::EventLoop*>& loops,
                        std::chrono::milliseconds idle_sweep) {
  for (transport::EventLoop* loop : loops) {
    contexts_.push_back(std::make_unique<LoopContext>(*loop, engine_));
    if (idle_sweep.count() > 0) contexts_.back()->SweepIdleEvery(idle_sweep);
  }
}

LoopContext& LoopContexts::Of(const transport::EventLoop& loop) {
  for (const auto& context : contexts_) {
    if (&context->loop == &loop) return *context;
  }
  ARKA_CHECK(false && "a call on a loop that was not bound");
  return *contexts_.front();
}

void LoopContexts::Shutdown() {
  for (const auto& context : contexts_) {
    context->loop.Post([context = context.get()] {
      context->scheduler.ForEach([](Sleeper& sleeper) { sleeper.Shutdown(); });
    });
  }
}

}  // namespace arka::acks
