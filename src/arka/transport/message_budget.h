// The bound on the memory of all messages being received, over all connections of a server.
//
// Only bytes that have arrived are charged: a length prefix costs nothing. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>

namespace arka::transport {

class MessageBudget {
 public:
  explicit MessageBudget(size_t limit_bytes) : limit_(limit_bytes) {}

  /// Takes `bytes`, or takes nothing and answers false where the limit would be passed.
  bool Charge(size_t bytes) {
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  void Release(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }

 private:
  const size_t limit_;
  std::atomic<size_t> used_{0};
};

}  // namespace arka::transport
