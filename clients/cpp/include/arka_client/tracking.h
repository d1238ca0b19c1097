// What is built upon acks: waiting for many writes by their LSNs, keeping data until its writes are
// safe. (How far behind the server is: Stream::lag.)
#pragma once

#include "arka_client/ack.h"
#include "arka_client/stream.h"

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/status.h>

namespace arka::client {

/// How far the writes of one stream have come, by LSN: call OnAck() from its on_ack. The writes of
/// a stream reach each level in the order of their LSNs, so this remembers four of them, however
/// many writes there are. An LSN that a crash took stands for the last write that lost its own in
/// it. Any thread may call any method.
class AckTracker {
 public:
  void OnAck(const Ack& ack);

  /// The highest level that the write of this LSN has reached; nothing: none yet.
  std::optional<Tier> LevelOf(Lsn lsn) const;
  /// Waits until every one of them has reached `level`; DEADLINE_EXCEEDED.
  arrow::Status WaitAll(const std::vector<Lsn>& lsns, Tier level,
                        std::chrono::milliseconds timeout);

 private:
  bool HasReached(Lsn lsn, Tier level) const;

  // LSNs above `on_disk` up to `last` were in memory only when a crash came; `seq` is of the last.
  struct Lost {
    Lsn on_disk;
    Lsn last;
    int64_t seq;
  };

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Lsn, 4> reached_ = {kNoLsn, kNoLsn, kNoLsn, kNoLsn};
  std::array<int64_t, 4> seqs_ = {};  // of the last ack of each level
  std::vector<Lost> lost_;            // whose writes are not all committed
};

/// Data that is kept until the write that carries it is safe: Put() it with its write, and Clean()
/// up by the server's watermarks, those of the stream or of Client::GetStatus(). Any thread may
/// call any method.
template <typename T>
class LocalCache {
 public:
  explicit LocalCache(Tier level = Tier::kObjectStorage) : level_(level) {}

  void Put(WriteHandle write, T data) {
    const std::lock_guard lock(mutex_);
    kept_.emplace_back(std::move(write), std::move(data));
  }

  /// Forgets what is safe by now, and returns it.
  std::vector<T> Clean(const Watermarks& watermarks) {
    const std::lock_guard lock(mutex_);
    std::vector<T> safe;
    std::vector<std::pair<WriteHandle, T>> unsafe;
    for (auto& [write, data] : kept_) {
      if (IsSafe(write, watermarks)) {
        safe.push_back(std::move(data));
      } else {
        unsafe.emplace_back(std::move(write), std::move(data));
      }
    }
    kept_ = std::move(unsafe);
    return safe;
  }

  size_t size() const {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }

 private:
  // An LSN is final from LOCAL_DISK on; before, the watermark may be of another write.
  bool IsSafe(const WriteHandle& write, const Watermarks& watermarks) const {
    const auto level = write.level();
    if (!level) return false;
    return *level >= level_ ||
           (*level >= Tier::kLocalDisk && *write.lsn() <= watermarks.At(level_));
  }

  const Tier level_;
  mutable std::mutex mutex_;
  std::vector<std::pair<WriteHandle, T>> kept_;
};

}  // namespace arka::client
