#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/status.h>

namespace arka::bench {

// Checks one stream's acks as they arrive and counts them: the client's half of the contract that
// every write is acknowledged exactly once at each level asked for. Reads the first two columns
// (lsn, durability_level), which the echo and Arka have in common. Used by the thread that reads.
//
// Invariant: at each level the k-th ack is that of the stream's k-th write, and the LSN it carries
// is the one the earlier level gave that write.
class AckLedger {
 public:
  using Clock = std::chrono::steady_clock;
  // Called for every ack with the index of its level and of its write.
  using OnAck = std::function<void(size_t level, int64_t write, Clock::time_point now)>;

  explicit AckLedger(std::vector<std::string> levels) : levels_(std::move(levels)) {
    counts_.resize(levels_.size());
  }
  void set_on_ack(OnAck on_ack) { on_ack_ = std::move(on_ack); }

  // Takes one ack batch. An error names the first ack that breaks the contract.
  arrow::Status Observe(const arrow::RecordBatch& acks, Clock::time_point now);

  // After the stream's end: OK when each of `writes` writes was acknowledged at every level.
  arrow::Status CheckComplete(int64_t writes) const;

  int64_t count(size_t level) const { return counts_[level]; }
  int64_t total() const;
  int64_t messages() const { return messages_; }
  Clock::time_point last_ack() const { return last_ack_; }

 private:
  arrow::Status ObserveOne(int64_t lsn, std::string_view level, Clock::time_point now);

  const std::vector<std::string> levels_;
  OnAck on_ack_;
  std::vector<int64_t> lsns_;    // by write
  std::vector<int64_t> counts_;  // by level
  size_t last_level_ = 0;        // acks of one level come together: look here first
  int64_t messages_ = 0;
  Clock::time_point last_ack_;
};

}  // namespace arka::bench
