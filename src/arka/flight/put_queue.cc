#include "arka/flight/put_queue.h"

namespace arka::flight {

void PutQueue::Add(Lsn lsn) {
  if (!runs_.empty()) {
    Run& last = runs_.back();
    if (!last.long_ago && last.first.value + last.count == lsn.value) {
      ++last.count;
      return;
    }
  }
  Push({lsn, 1, false});
}

void PutQueue::AddCommittedLongAgo(Lsn lsn) {
  if (!runs_.empty() && runs_.back().long_ago && runs_.back().first == lsn) {
    ++runs_.back().count;
    return;
  }
  Push({lsn, 1, true});
}

void PutQueue::Push(Run run) {
  runs_.push_back(run);
  if (runs_.size() > kMaxRuns) runs_.pop_front();
}

std::optional<Lsn> PutQueue::Take(Lsn reached) {
  if (runs_.empty()) return std::nullopt;
  Run& run = runs_.front();
  const Lsn lsn = run.first;
  if (!run.long_ago) {
    if (lsn > reached) return std::nullopt;
    run.first = lsn.next();
  }
  if (--run.count == 0) runs_.pop_front();
  return lsn;
}

Lsn PutQueue::awaited() const {
  return runs_.empty() || runs_.front().long_ago ? kNoLsn : runs_.front().first;
}

}  // namespace arka::flight
