// The pure part of a stream: which writes are kept, which were sent, what the server has
// acknowledged of them, and what to send again after a connection was lost.
//
// No threads, no I/O, no clock. Its owner (Outbox) holds its lock around every call. Writes have
// numbers, 1 for the first of the stream; the producer's seq is the number and an offset. The
// server acknowledges the writes of a connection in the order in which they were sent, at every
// level, so how far each level has come is one number; whatever comes otherwise is an error.
//
// Invariant: kept are the writes on_disk + 1 to last, and reached(level) never falls but for
// MEMORY, at Begin().
#pragma once

#include "arka_client/ack.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/status.h>

#include "arka/base/lsn.h"
#include "arka/base/tier.h"
#include "arka/protocol/ack_batch.h"

namespace arka::client {

/// What a handle and its stream share of one write.
struct WriteRecord {
  int64_t number = 0;
  std::atomic<int64_t> seq = 0;  // another one where the server forgot the producer
  std::atomic<int64_t> lsn = 0;  // 0: not named yet; another one where a crash took the first
};

/// A write that is not on LOCAL_DISK, as far as is known.
struct KeptWrite {
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t bytes = 0;
  std::shared_ptr<WriteRecord> record;
};

/// What the server knows of a producer.
struct ProducerState {
  int64_t last_seq = 0;
  std::optional<Lsn> forgotten_through;  // producers whose last write was up to here are forgotten
};

class Ledger {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `last_seq` is what the producer had written before this stream, `lsn` of that.
  explicit Ledger(int64_t last_seq = 0, Lsn lsn = kNoLsn);

  // Writes

  std::shared_ptr<WriteRecord> Add(std::shared_ptr<arrow::RecordBatch> batch, int64_t bytes,
                                   Time now);
  const std::deque<KeptWrite>& kept() const { return kept_; }
  int64_t kept_bytes() const { return kept_bytes_; }
  int64_t last() const { return last_; }
  int64_t sent_ever() const { return sent_ever_; }
  int64_t reached(Tier level) const { return reached_[IndexOf(level)]; }
  Lsn reached_lsn(Tier level) const { return reached_lsn_[IndexOf(level)]; }
  int64_t SeqOf(int64_t number) const { return number + offset_; }
  /// The highest level of a write; nothing before MEMORY.
  std::optional<Tier> LevelOf(int64_t number) const;
  /// The write of this LSN; of one that a crash took from memory, a write that is not before the
  /// one that had it. last() where there is none.
  int64_t NumberOf(Lsn lsn) const;
  /// When the first write that has not reached `level` was handed over; nothing: all have.
  std::optional<Time> OldestBelow(Tier level) const;

  // Connections

  /// A new connection: every kept write is due on it. What was in MEMORY only may be gone, and come
  /// back under another LSN.
  void Begin();
  bool HasDue() const { return sent_ < last_; }
  /// The next write to send; it counts as sent from now on.
  const KeptWrite& Send();
  /// Counts a batch of acks. Levels that writes have reached are added to `told` unless it is null.
  /// A Violation leaves what came before it counted.
  arrow::Status Take(const protocol::AckBatchContents& acks, std::vector<Ack>* told);
  /// Holds what the server knows of the producer after a loss against what was sent: OK where the
  /// kept writes may be sent again. DATA_LOSS, FAILED_PRECONDITION otherwise.
  arrow::Status Resume(const ProducerState& server, const std::string& producer,
                       std::vector<Ack>* told);

 private:
  arrow::Status TakeRow(const protocol::AckRun& row, std::vector<Ack>* told);
  void TakeWatermark(Tier level, Lsn through, std::vector<Ack>* told);
  void Advance(Tier level, int64_t number, const protocol::AckRun* row, std::vector<Ack>* told);
  void Release();
  Lsn LsnOf(int64_t number) const { return lsns_[number - base_]; }

  int64_t offset_;         // seq - number
  Lsn lsn_before_;         // of the write before the stream's first
  int64_t last_ = 0;       // number of the last write
  int64_t sent_ever_ = 0;  // of the last that was ever sent
  std::deque<KeptWrite> kept_;
  int64_t kept_bytes_ = 0;
  std::array<int64_t, 4> reached_ = {};
  std::array<Lsn, 4> reached_lsn_ = {kNoLsn, kNoLsn, kNoLsn, kNoLsn};

  std::deque<Lsn> lsns_;         // of the writes from base_ on that have one
  std::deque<Time> written_at_;  // of the writes from base_ on
  int64_t base_ = 1;             // all below are committed
  int64_t unnamed_ = 0;          // the last write that had an LSN which a crash may have taken,
  Lsn unnamed_lsn_ = kNoLsn;     // and the highest of those

  // Of the present connection.
  int64_t first_ = 1;                          // its first write
  int64_t first_new_ = 1;                      // its first that was never sent before
  int64_t sent_ = 0;                           // its last so far
  std::array<int64_t, 4> due_ = {1, 1, 1, 1};  // by level, the write whose ack is next
};

}  // namespace arka::client
