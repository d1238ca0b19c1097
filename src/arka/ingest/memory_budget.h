// A bound on the bytes of writes that are in memory: taken at admission, given back when they are
// in a data file. Thread-safe, lock-free but when somebody waits for room.
#pragma once

#include <atomic>
#include <cstdint>

namespace arka::ingest {

class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Takes `bytes` where they fit, or where nothing at all is taken (so that one write larger than
  /// the limit can pass). A refusal is remembered until room is made.
  bool TryTake(int64_t bytes);

  /// Takes `bytes` whether they fit or not: for replay, which must not be refused.
  void Take(int64_t bytes) { taken_.fetch_add(bytes, std::memory_order_relaxed); }

  /// Gives `bytes` back. Answers whether somebody was refused since the last call that answered
  /// true: they should be told to try again.
  bool GiveBack(int64_t bytes);

  /// Whether files should be written before their time: somebody was refused, or will be soon.
  bool is_tight() const { return refused_.load() || taken_bytes() > limit_bytes_ / 4 * 3; }

  int64_t taken_bytes() const { return taken_.load(std::memory_order_relaxed); }
  int64_t limit_bytes() const { return limit_bytes_; }

 private:
  const int64_t limit_bytes_;
  std::atomic<int64_t> taken_{0};
  std::atomic<bool> refused_{false};
};

}  // namespace arka::ingest
