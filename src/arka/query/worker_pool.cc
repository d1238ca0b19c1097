#include "arka/query/worker_pool.h"

namespace arka::query {

WorkerPool::Lease::~Lease() {
  if (worker_ != nullptr) pool_->GiveBack(std::move(worker_), reusable_);
}

Result<WorkerPool::Lease> WorkerPool::Acquire() {
  std::unique_ptr<WorkerProcess> worker;
  {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_for(lock, options_.patience, [&] { return leased_ < options_.max_workers; })) {
      return Error(ErrorCode::kBackpressure, "all ", options_.max_workers,
                   " query workers were busy for ", options_.patience.count(),
                   " ms; query.workers says how many there are");
    }
    ++leased_;
    while (!idle_.empty() && worker == nullptr) {
      worker = std::move(idle_.back());
      idle_.pop_back();
      if (!worker->IsWaiting()) worker.reset();
    }
  }
  if (worker != nullptr) return Lease(*this, std::move(worker));
  auto started = WorkerProcess::Start(options_.worker);
  if (!started.ok()) {
    GiveBack(nullptr, false);
    return started.status();
  }
  return Lease(*this, *std::move(started));
}

void WorkerPool::GiveBack(std::unique_ptr<WorkerProcess> worker, bool reusable) {
  // Ended before another one may be started: there are never more than the bound.
  if (!reusable) worker.reset();
  {
    std::lock_guard lock(mutex_);
    --leased_;
    if (worker != nullptr) idle_.push_back(std::move(worker));
  }
  freed_.notify_one();
}

}  // namespace arka::query
