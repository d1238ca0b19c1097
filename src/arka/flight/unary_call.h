// A call that takes one message and answers at half-close, at once or once a thread has found out.
//
// On the call's loop; what runs aside must not touch the call. Base of the calls that read.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <arrow/buffer.h>

#include "arka/base/error.h"
#include "arka/query/table_reads.h"
#include "arka/transport/call.h"

namespace arka::flight {

class UnaryCall : public transport::CallHandler {
 public:
  explicit UnaryCall(transport::ServerCall& call) : call_(call) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;

 protected:
  /// Begins the answer to `request`. An error ends the call with it; otherwise the call is ended by
  /// whoever answers, now or later.
  virtual Status Begin(const arrow::Buffer& request) = 0;

  /// Ends the call.
  void Finish(const Status& status);

  /// Runs `work` on a thread for reads, then `done` with what it made on the loop, if the call is
  /// still there.
  template <typename Made>
  void Aside(query::TableReads& reads, std::function<Made()> work, std::function<void(Made)> done) {
    AsideBy<Made>([&reads](std::function<void()> task) { reads.Run(std::move(task)); },
                  std::move(work), std::move(done));
  }

  /// The same on another thread, which `run` finds.
  template <typename Made>
  void AsideBy(const std::function<void(std::function<void()>)>& run, std::function<Made()> work,
               std::function<void(Made)> done) {
    run([&loop = call_.loop(), weak = std::weak_ptr(alive_), work = std::move(work),
         done = std::move(done)] {
      if (weak.expired()) return;
      // Shared: a task must be copyable, and what was made may not be.
      auto made = std::make_shared<Made>(work());
      loop.Post([weak, made, done] {
        if (!weak.expired()) done(std::move(*made));
      });
    });
  }

  transport::ServerCall& call_;

 private:
  std::shared_ptr<arrow::Buffer> request_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // expires with the call
};

}  // namespace arka::flight
