// Who is to be woken when a watermark moves, on one event loop.
//
// A stream waits, per tier, for its first LSN that has not reached it; a watermark that moves wakes
// exactly the streams it concerns, so thousands of idle streams cost nothing. Everything here
// happens on the loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arka/base/lsn.h"
#include "arka/base/tier.h"
#include "arka/ingest/sequencer.h"
#include "arka/ingest/table.h"

namespace arka::acks {

/// A stream that can be woken.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  /// A tier that the sleeper awaited has been reached, or the log has failed.
  virtual void Wake(const ingest::Progress& progress) = 0;
  /// The server stops.
  virtual void Shutdown() = 0;
  /// Comes by every now and then: time to end if nothing moved for too long.
  virtual void EndIfIdle() {}
};

class AckScheduler {
 public:
  using SleeperId = uint64_t;

  SleeperId Add(Sleeper& sleeper);
  void Remove(SleeperId id);

  /// Wakes the sleeper once `lsn` has reached `tier`; COMMITTED means committed in `table`. One
  /// wait a tier (and table): another one for an LSN that is not lower is ignored until then.
  void Await(SleeperId id, Tier tier, Lsn lsn, const ingest::Table* table);

  /// Wakes whom this concerns. A sleeper that is woken may call anything here.
  void OnProgress(const ingest::Progress& progress);

  /// The sleeper of that name, nullptr where it is gone.
  Sleeper* Find(SleeperId id);

  /// Every sleeper, awake or not.
  void ForEach(const std::function<void(Sleeper&)>& visit);

 private:
  struct Wait {
    Lsn lsn;
    SleeperId id;
    bool operator>(const Wait& other) const { return lsn > other.lsn; }
  };
  using Waits = std::priority_queue<Wait, std::vector<Wait>, std::greater<>>;
  struct Entry {
    Sleeper* sleeper;
    std::array<Lsn, 3> waiting = {};  // kNotWaiting, or the lowest LSN that is waited for
    std::vector<std::pair<const ingest::Table*, Lsn>> waiting_for_commits = {};
  };
  static constexpr Lsn kNotWaiting{0};

  static Lsn& WaitingFor(Entry& entry, Tier tier, const ingest::Table* table);
  void Collect(Waits& waits, Tier tier, const ingest::Table* table, Lsn reached,
               std::vector<SleeperId>* woken);

  SleeperId last_id_ = 0;
  std::unordered_map<SleeperId, Entry> sleepers_;
  std::array<Waits, 3> waits_;  // MEMORY is never waited for
  std::map<const ingest::Table*, Waits> commit_waits_;
  int64_t commits_seen_ = 0;
};

}  // namespace arka::acks
