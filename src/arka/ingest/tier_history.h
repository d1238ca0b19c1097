// When one tier's watermark was where: answers when an LSN reached the tier.
//
// Samples at least 10 ms apart are kept for as long as acks are; what falls between two of them is
// told the later one's time, so that no answer is ever too early. Pure; owned by the Sequencer,
// under its lock, one for each tier that moves for the whole log.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

#include "arka/base/lsn.h"
#include "arka/io/clock.h"

namespace arka::ingest {

class TierHistory {
 public:
  explicit TierHistory(std::chrono::milliseconds retention = std::chrono::minutes(5))
      : retention_(retention) {}

  /// Every LSN up to `watermark` has reached the tier. Nothing where that was known already.
  void OnMoved(Lsn watermark, WallTime now);

  /// When `lsn` reached the tier, or a moment after; nothing where it has not.
  std::optional<WallTime> ReachedAt(Lsn lsn) const;

  static constexpr auto kStep = std::chrono::milliseconds(10);
  static constexpr size_t kMaxSamples = 65'536;

 private:
  struct Sample {
    Lsn lsn;      // the watermark
    WallTime at;  // when it came to be there
  };
  void Thin();

  std::chrono::milliseconds retention_;
  std::deque<Sample> samples_;  // by rising LSN
  WallTime step_began_{};       // of the last sample, which grows until the step is over
};

}  // namespace arka::ingest
