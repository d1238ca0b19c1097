// What the calls of one event loop share: whom to wake.
//
// One per loop (loop_contexts.h); used on the loop's thread only, but for Notify.
#pragma once

#include <atomic>
#include <chrono>

#include "arka/acks/ack_scheduler.h"
#include "arka/ingest/engine.h"
#include "arka/transport/event_loop.h"

namespace arka::acks {

class LoopContext {
 public:
  LoopContext(transport::EventLoop& loop, ingest::Engine& engine) : loop(loop), engine(engine) {}

  transport::EventLoop& loop;
  ingest::Engine& engine;
  AckScheduler scheduler;

  /// From now on looks for idle streams that often. One timer for all: a timer of its own would
  /// outlive a stream, and cost memory for as long as streams may be idle.
  void SweepIdleEvery(std::chrono::milliseconds interval);

  /// A watermark moved: any thread; many calls before the loop comes to it count as one.
  void NotifyProgress();

 private:
  std::atomic<bool> notified_{false};
};

}  // namespace arka::acks
