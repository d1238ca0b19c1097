// The query workers: some wait for work, each works for one query at a time, and all together,
// those that are being ended included, are no more than a bound. Thread-safe. A thread of its own
// waits for those that end: one that holds much memory takes its time on a busy machine, and leases
// end on event loops.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "arka/base/error.h"
#include "arka/query/worker_process.h"

namespace arka::query {

struct WorkerPoolOptions {
  WorkerOptions worker;
  int max_workers = 4;
  std::chrono::milliseconds patience{10'000};  // for a worker that is free
};

class WorkerPool {
 public:
  explicit WorkerPool(WorkerPoolOptions options);

  /// A worker for as long as it lives. Unless it was said that the worker is as good as new, it is
  /// killed then: it may be busy with what nobody waits for any more. Never waits for its end.
  class Lease {
   public:
    Lease(WorkerPool& pool, std::unique_ptr<WorkerProcess> worker)
        : pool_(&pool), worker_(std::move(worker)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    WorkerProcess& worker() { return *worker_; }
    void set_reusable(bool reusable) { reusable_ = reusable; }

   private:
    WorkerPool* pool_;
    std::unique_ptr<WorkerProcess> worker_;
    bool reusable_ = false;
  };

  /// Starts a worker where none is idle. kBackpressure where all were busy for the whole patience.
  /// The pool must outlive the lease.
  Result<Lease> Acquire();

  int max_workers() const { return options_.max_workers; }

 private:
  void GiveBack(std::unique_ptr<WorkerProcess> worker, bool reusable);
  void AwaitEnds(const std::stop_token& stop);

  const WorkerPoolOptions options_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<WorkerProcess>> idle_;  // guarded by mutex_; the last used comes last
  int leased_ = 0;  // guarded by mutex_; with those that are ending
  std::vector<std::unique_ptr<WorkerProcess>> ending_;  // guarded by mutex_
  std::condition_variable_any to_end_;
  std::jthread awaits_ends_;
};

}  // namespace arka::query
