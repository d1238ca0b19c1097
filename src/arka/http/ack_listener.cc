#include "arka/http/ack_listener.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "arka/acks/engine_lookups.h"

namespace arka::http {
namespace {

constexpr std::chrono::seconds kLag{1};

struct GivenRun {
  Lsn first;
  Lsn last;
  const ingest::Table* table;
};

}  // namespace

AckListener::AckListener(const ingest::Engine& engine, const acks::SessionRegistry& sessions,
                         const Clock& clock, std::string principal, std::string session,
                         AckPosition told)
    : engine_(engine),
      sessions_(sessions),
      clock_(clock),
      principal_(std::move(principal)),
      session_(std::move(session)),
      told_before_(told),
      last_(*std::ranges::max_element(told)) {
  positions_.emplace_back(clock.Now(), told);
}

Status AckListener::Look() {
  ARROW_ASSIGN_OR_RAISE(const auto streams, sessions_.WritesOf(principal_, session_));
  std::vector<GivenRun> given;
  for (const acks::SessionWrites& stream : streams) {
    forgotten_through_ = std::max(forgotten_through_, stream.forgotten_through);
    for (const acks::LsnRun& run : stream.runs)
      given.push_back({run.first, run.last, stream.table});
  }
  std::ranges::sort(given, {}, &GivenRun::first);
  std::map<const ingest::Table*, acks::SessionWrites> fresh;
  // What is below was told to the end, in this life or the one before.
  Lsn seen = told_before_[IndexOf(Tier::kCommitted)];
  const auto known = known_.UpTo(given.empty() ? kNoLsn : given.back().last);
  auto next_known = known.begin();
  const auto add = [&](const GivenRun& run, Lsn first, Lsn last) {
    if (first > last) return;
    acks::SessionWrites& writes = fresh[run.table];
    writes.table = run.table;
    writes.runs.push_back({first, last});
    last_ = std::max(last_, last);
  };
  // Both are in order: what lies between the known ranges is new.
  for (const GivenRun& run : given) {
    Lsn at = std::max(run.first, seen.next());
    seen = std::max(seen, run.last);
    while (next_known != known.end() && next_known->last < at) ++next_known;
    for (auto range = next_known; range != known.end() && range->first <= run.last; ++range) {
      add(run, at, Lsn{range->first.value - 1});
      at = std::max(at, range->last.next());
    }
    add(run, at, run.last);
  }
  for (auto& [table, writes] : fresh) {
    for (const acks::LsnRun& run : writes.runs) known_.Add({run.first, run.last});
    open_.emplace_back(std::vector{std::move(writes)}, kNoLsn, acks::TimesOf(engine_));
  }
  return Status::OK();
}

std::vector<protocol::AckRun> AckListener::Take(int64_t max_events) {
  const auto reached = acks::ReachedOf(engine_.progress());
  std::vector<protocol::AckRun> due;
  for (auto& events : open_) {
    while (max_events > 0) {
      auto runs = events.Take(reached, max_events);
      if (runs.empty()) break;
      for (const auto& run : runs) max_events -= run.rows();
      LeaveOutTold(runs);
      due.insert(due.end(), runs.begin(), runs.end());
    }
  }
  std::erase_if(open_, [](const auto& events) { return events.AllTakenThrough(Tier::kCommitted); });
  return due;
}

void AckListener::LeaveOutTold(std::vector<protocol::AckRun>& runs) const {
  for (auto& run : runs) run.first = std::max(run.first, told_before_[IndexOf(run.tier)].next());
  std::erase_if(runs, [](const auto& run) { return run.first > run.last; });
}

AckPosition AckListener::PositionNow() const {
  AckPosition position;
  for (const Tier tier : kAllTiers) {
    Lsn& through = position[IndexOf(tier)];
    through = last_;
    for (const auto& events : open_) {
      for (const auto& pending : events.PendingAt(tier)) {
        through = std::min(through, Lsn{pending.lsn.value - 1});
      }
    }
    through = std::max(through, told_before_[IndexOf(tier)]);
  }
  return position;
}

AckPosition AckListener::position() {
  const SteadyTime now = clock_.Now();
  positions_.emplace_back(now, PositionNow());
  while (positions_.size() > 1 && positions_[1].first <= now - kLag) positions_.pop_front();
  return positions_.front().second;
}

}  // namespace arka::http
