// The loop contexts of a server: one per event loop, shared by all its services.
//
// Bind before the loops run and before the engine starts; what is bound lives as long as this.
// Thread-safe after that.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "arka/acks/loop_context.h"
#include "arka/ingest/engine.h"
#include "arka/transport/event_loop.h"

namespace arka::acks {

class LoopContexts {
 public:
  /// `engine` must outlive the contexts, and they every watermark that it moves.
  explicit LoopContexts(ingest::Engine& engine);

  /// Makes the loops known whose calls will come. Their idle streams are looked for every
  /// `idle_sweep`; 0: never.
  void Bind(const std::vector<transport::EventLoop*>& loops, std::chrono::milliseconds idle_sweep);

  /// The context of a loop that was bound.
  LoopContext& Of(const transport::EventLoop& loop);

  /// Tells every sleeper that the server stops. Any thread.
  void Shutdown();

 private:
  ingest::Engine& engine_;
  std::vector<std::unique_ptr<LoopContext>> contexts_;  // constant after Bind
};

}  // namespace arka::acks
