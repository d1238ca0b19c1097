// The query workers: some wait for work, each works for one query at a time, and all together are
// no more than a bound. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
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
  explicit WorkerPool(WorkerPoolOptions options) : options_(std::move(options)) {}

  /// A worker for as long as it lives. Unless it was said that the worker is as good as new, it is
  /// ended then: it may be busy with what nobody waits for any more.
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

  const WorkerPoolOptions options_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<WorkerProcess>> idle_;  // guarded by mutex_; the last used comes last
  int leased_ = 0;                                    // guarded by mutex_
};

}  // namespace arka::query
