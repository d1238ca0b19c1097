// A bound on the bytes of writes that are in memory: taken at admission, given back when they are
// in a data file, or durable where their rows are not kept (ingest/backlog.h). Thread-safe,
// lock-free but when somebody waits for room.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace arka::ingest {

class MemoryBudget {
 public:
  /// `on_room` is called by GiveBack, on its thread, when somebody had been refused.
  explicit MemoryBudget(
      int64_t limit_bytes, std::function<void()> on_room = [] {})
      : limit_bytes_(limit_bytes), on_room_(std::move(on_room)) {}

  /// Takes `bytes` where they fit. So that none waits for ever for room that rows take, one that
  /// does not fit beside as many rows as are kept passes where no more than those are taken, and
  /// any passes alone. A refusal is remembered until room is made.
  bool TryTake(int64_t bytes);

  /// Takes `bytes` whether they fit or not: for replay, which must not be refused.
  void Take(int64_t bytes) { taken_.fetch_add(bytes, std::memory_order_relaxed); }

  /// Gives `bytes` back. Answers whether somebody was refused since the last call that answered
  /// true: they have been told to try again.
  bool GiveBack(int64_t bytes);

  /// Whether files should be written before their time: somebody was refused, or there is no room
  /// for writes that are read back.
  bool is_tight() const {
    return refused_.load() || pressed_.load() || taken_bytes() > limit_bytes_ / 2;
  }
  /// Whether the rows of new writes should not be kept: the rest is for what is not durable yet.
  bool is_nearly_full() const { return pressed_.load() || taken_bytes() > rows_bytes(); }

  /// While the rows of all new writes are kept (ingest/backlog.h), no more of them are taken than
  /// there is room for rows.
  void KeepAll(bool keep_all);

  /// The process as a whole uses too much memory: makes the budget tight and nearly full, however
  /// much of it is taken.
  void Press(bool pressed) { pressed_ = pressed; }

  int64_t taken_bytes() const { return taken_.load(std::memory_order_relaxed); }
  int64_t limit_bytes() const { return limit_bytes_; }

 private:
  // Of rows at most; the rest is for writes on their way to the disk.
  int64_t rows_bytes() const { return limit_bytes_ / 8 * 5; }
  bool TellOfRoom();

  const int64_t limit_bytes_;
  const std::function<void()> on_room_;
  std::atomic<int64_t> taken_{0};
  std::atomic<bool> refused_{false};
  std::atomic<bool> pressed_{false};
  std::atomic<bool> keeps_all_{false};
};

}  // namespace arka::ingest
