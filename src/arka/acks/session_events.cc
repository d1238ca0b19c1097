#include "arka/acks/session_events.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "arka/acks/engine_lookups.h"

namespace arka::acks {
namespace {

constexpr std::chrono::seconds kSlack{10};  // what was on its way when a stream ended may be lost
constexpr int64_t kBlock = 256;             // LSNs whose events share their times

// Of rising runs, none touching another: retries of the same stream are told once.
std::vector<LsnRun> Merged(std::vector<LsnRun> runs) {
  std::sort(runs.begin(), runs.end(),
            [](const LsnRun& a, const LsnRun& b) { return a.first < b.first; });
  std::vector<LsnRun> merged;
  for (const LsnRun& run : runs) {
    if (!merged.empty() && run.first <= merged.back().last.next()) {
      merged.back().last = std::max(merged.back().last, run.last);
    } else {
      merged.push_back(run);
    }
  }
  return merged;
}

// The last LSN of `runs`, no higher than `limit`, that reached the tier before `since_us`: times
// rise with LSNs.
template <typename TimeOf>
Lsn LastBefore(const std::vector<LsnRun>& runs, Lsn limit, int64_t since_us,
               const TimeOf& time_of) {
  const auto before = [&](Lsn lsn) {
    const std::optional<int64_t> at_us = time_of(lsn);
    return at_us && *at_us < since_us;
  };
  Lsn low = kNoLsn;
  Lsn high = limit;
  if (!runs.empty()) high = std::min(high, runs.back().last);
  while (low < high) {
    const Lsn middle{low.value + (high.value - low.value + 1) / 2};
    if (before(middle)) {
      low = middle;
    } else {
      high = middle.previous();
    }
  }
  return low;
}

}  // namespace

SessionEvents::SessionEvents(const std::vector<SessionWrites>& writes, Lsn after_lsn,
                             TimeLookup times)
    : times_(std::move(times)) {
  for (const SessionWrites& of_stream : writes) {
    forgotten_through_ = std::max(forgotten_through_, of_stream.forgotten_through);
    if (of_stream.runs.empty()) continue;
    const std::vector<LsnRun> runs = Merged(of_stream.runs);
    Part part{of_stream.table, AckCursor({true, true, true, true})};
    for (const LsnRun& run : runs) part.cursor.Add(run.first, run.last);
    for (Tier tier : kAllTiers) {
      Lsn through = after_lsn;
      if (of_stream.ended_at) {
        const int64_t since_us = (*of_stream.ended_at - kSlack).time_since_epoch().count();
        const auto time_of = [&](Lsn lsn) -> std::optional<int64_t> {
          if (tier != Tier::kCommitted) return times_(tier, lsn);
          const auto commit = part.table->CommitOf(lsn);
          if (!commit) return std::nullopt;
          return commit->timestamp_us;
        };
        through = LastBefore(runs, after_lsn, since_us, time_of);
      }
      part.cursor.SkipThrough(tier, through);
    }
    parts_.push_back(std::move(part));
  }
}

std::vector<protocol::AckRun> SessionEvents::Take(const ReachedTiers& reached, int64_t max_events) {
  std::vector<protocol::AckRun> events;
  for (Part& part : parts_) {
    while (max_events > 0) {
      const auto block = TakeBlock(part, reached, max_events);
      if (block.empty()) break;
      for (const auto& run : block) max_events -= run.rows();
      events.insert(events.end(), block.begin(), block.end());
    }
  }
  return events;
}

std::vector<protocol::AckRun> SessionEvents::TakeBlock(Part& part, const ReachedTiers& reached,
                                                       int64_t max_events) const {
  const CommitLookup commits = CommitsOf(*part.table);
  Lsn first = kNoLsn;  // of what is due
  for (Tier tier : kAllTiers) {
    const Lsn next = part.cursor.FirstPending(tier);
    if (next == kNoLsn) continue;
    const bool due = tier == Tier::kCommitted ? next <= reached.lsn[2] && commits(next).has_value()
                                              : next <= reached.lsn[IndexOf(tier)];
    if (due && (first == kNoLsn || next < first)) first = next;
  }
  if (first == kNoLsn) return {};
  const Lsn through{first.value + kBlock - 1};
  ReachedTiers of_block = reached;
  for (Tier tier : {Tier::kMemory, Tier::kLocalDisk, Tier::kObjectStorage}) {
    const size_t i = IndexOf(tier);
    of_block.lsn[i] = std::min(reached.lsn[i], through);
    const auto at_us = times_(tier, std::min(of_block.lsn[i], part.cursor.last()));
    if (at_us) of_block.moved_at_us[i] = std::min(of_block.moved_at_us[i], *at_us);
  }
  return part.cursor.Take(of_block.lsn, of_block.moved_at_us, commits, max_events);
}

bool SessionEvents::AllTakenThrough(Tier tier) const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [tier](const Part& part) { return part.cursor.AllTakenThrough(tier); });
}

std::vector<SessionEvents::Pending> SessionEvents::PendingAt(Tier tier) const {
  std::vector<Pending> pending;
  for (const Part& part : parts_) {
    const Lsn lsn = part.cursor.FirstPending(tier);
    if (lsn == kNoLsn) continue;
    const auto known = std::find_if(pending.begin(), pending.end(),
                                    [&](const Pending& each) { return each.table == part.table; });
    if (known == pending.end()) {
      pending.push_back({part.table, lsn});
    } else {
      known->lsn = std::min(known->lsn, lsn);
    }
  }
  return pending;
}

}  // namespace arka::acks
