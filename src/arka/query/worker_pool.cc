#include "arka/query/worker_pool.h"

#include <pthread.h>

namespace arka::query {

WorkerPool::WorkerPool(WorkerPoolOptions options)
    : options_(std::move(options)),
      awaits_ends_([this](const std::stop_token& stop) { AwaitEnds(stop); }) {}

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
  if (worker != nullptr && !reusable) {
    worker->Kill();
    {
      std::lock_guard lock(mutex_);
      ending_.push_back(std::move(worker));
    }
    to_end_.notify_one();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    --leased_;
    if (worker != nullptr) idle_.push_back(std::move(worker));
  }
  freed_.notify_one();
}

void WorkerPool::AwaitEnds(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "arka-sql-ends");
  std::unique_lock lock(mutex_);
  while (to_end_.wait(lock, stop, [&] { return !ending_.empty(); })) {
    auto worker = std::move(ending_.back());
    ending_.pop_back();
    lock.unlock();
    worker.reset();  // before another one may be started: there are never more than the bound
    lock.lock();
    --leased_;
    freed_.notify_one();
  }
}

}  // namespace arka::query
