#include "arka/ingest/producer_table.h"

#include <algorithm>

#include "arka/base/check.h"

namespace arka::ingest {
namespace {

// A full table is looked through for producers to forget at most this often.
constexpr auto kSweepEvery = std::chrono::seconds(1);

int64_t Micros(WallTime time) { return time.time_since_epoch().count(); }

Status Gap(const Producer& producer, int64_t seq, int64_t last) {
  if (last == 0) {
    return Error(ErrorCode::kInvalidRequest, "seq ", seq, " of producer '", producer.name(),
                 "': nothing is known of it in this table (it never wrote, or not for longer than "
                 "producers.expire_after), so seq 1 is expected");
  }
  return Error(ErrorCode::kInvalidRequest, "seq ", seq, " of producer '", producer.name(),
               "' leaves a gap: the last in this table is ", last, ", so seq ", last + 1,
               " is expected");
}

// Of `state`, what was there when `through` was the last LSN.
ProducerState StateAt(const ProducerState& state, Lsn through) {
  ProducerState at = state;
  while (!at.runs.empty() && at.runs.back().first_lsn > through) at.runs.pop_back();
  if (!at.runs.empty()) {
    SeqRun& last = at.runs.back();
    last.count = std::min(last.count, through.value - last.first_lsn.value + 1);
  }
  return at;
}

}  // namespace

Producer::Producer(std::string name, std::string table_uuid) {
  state_.name = std::move(name);
  state_.table_uuid = std::move(table_uuid);
}

Result<std::shared_ptr<Producer>> ProducerTable::Open(const std::string& name,
                                                      const std::string& table_uuid, WallTime now) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    return Error(ErrorCode::kInvalidRequest, "a producer's name has 1 to ", kMaxNameBytes,
                 " bytes, not ", name.size());
  }
  const Key key{table_uuid, name};
  if (const auto found = producers_.find(key); found != producers_.end()) return found->second;
  const auto limit = static_cast<size_t>(options_.max_producers);
  // A clock that was set back must not put the next look off for as long.
  const bool swept = swept_at_ && now - *swept_at_ < kSweepEvery && now >= *swept_at_;
  if (producers_.size() >= limit && !swept) {
    swept_at_ = now;
    ForgetExpired(now);
  }
  if (producers_.size() >= limit) {
    return Error(ErrorCode::kBackpressure, "producer '", name, "' is new, and the server knows ",
                 producers_.size(), " already (producers.max: ", limit,
                 "); one is forgotten when it has not written for producers.expire_after");
  }
  Add(key);
  return producers_.at(key);
}

std::shared_ptr<Producer> ProducerTable::Find(const std::string& name,
                                              const std::string& table_uuid) const {
  const auto found = producers_.find({table_uuid, name});
  return found == producers_.end() ? nullptr : found->second;
}

const ProducerState& ProducerTable::StateOf(Producer& producer, WallTime now) {
  ResetIfExpired(producer, now);
  return producer.state_;
}

Result<ProducerTable::Judgement> ProducerTable::Judge(Producer& producer, int64_t seq,
                                                      WallTime now) {
  if (seq < 1) {
    return Error(ErrorCode::kInvalidRequest, "seq ", seq, " of producer '", producer.name(),
                 "': the first is 1, and each is one more than the one before");
  }
  ResetIfExpired(producer, now);
  const ProducerState& state = producer.state_;
  const int64_t last = state.last_seq();
  if (seq > last) {
    if (seq != last + 1) return Gap(producer, seq, last);
    // Whether the write will lengthen the last run shows only when it has its LSN.
    if (run_count_ >= options_.max_runs) MakeRoomForRuns();
    if (run_count_ >= 2 * options_.max_runs) {
      return Error(ErrorCode::kBackpressure, "the server remembers ", run_count_,
                   " runs of producers' writes that are not committed yet, and holds no more");
    }
    return Judgement{};
  }
  if (seq <= state.forgotten_seq) return Judgement{Verdict::kForgotten, state.forgotten_lsn};
  const auto behind =
      std::upper_bound(state.runs.begin(), state.runs.end(), seq,
                       [](int64_t wanted, const SeqRun& run) { return wanted < run.first_seq; });
  if (behind == state.runs.begin() || std::prev(behind)->last_seq() < seq) {
    return Error(ErrorCode::kNotFound, "seq ", seq, " of producer '", producer.name(),
                 "' was lost in a repair of the log, and later ones were not: it cannot be written "
                 "in its place again; the next seq is ",
                 last + 1);
  }
  const SeqRun& run = *std::prev(behind);
  return Judgement{Verdict::kRetry, Lsn{run.first_lsn.value + (seq - run.first_seq)}};
}

void ProducerTable::Record(Producer& producer, int64_t seq, Lsn lsn, WallTime now) {
  ARKA_CHECK(seq == producer.state_.last_seq() + 1 && lsn > producer.state_.last_lsn());
  Append(producer, seq, lsn, now);
  TrimRuns(producer);
}

void ProducerTable::Append(Producer& producer, int64_t seq, Lsn lsn, WallTime now) {
  ProducerState& state = producer.state_;
  state.last_write_us = Micros(now);
  producer.last_seq_.store(seq, std::memory_order_relaxed);
  if (!state.runs.empty() && state.last_seq() + 1 == seq && state.last_lsn().next() == lsn) {
    ++state.runs.back().count;
    return;
  }
  state.runs.push_back({seq, lsn, 1});
  ++run_count_;
}

std::vector<ProducerState> ProducerTable::Snapshot(Lsn through, std::optional<Key>* after,
                                                   size_t count, WallTime now) {
  ARKA_CHECK(!snapshot_ || *snapshot_ == through);
  snapshot_ = through;
  std::vector<ProducerState> states;
  auto next = *after ? producers_.upper_bound(**after) : producers_.begin();
  for (; next != producers_.end() && count > 0; --count) {
    *after = next->first;
    ResetIfExpired(*next->second, now);
    if (IsUnused(next->second)) {
      next = producers_.erase(next);
      continue;
    }
    ProducerState state = StateAt(next->second->state_, through);
    if (state.last_seq() > 0) states.push_back(std::move(state));
    ++next;
  }
  if (next == producers_.end()) after->reset();
  return states;
}

void ProducerTable::ForgetExpired(WallTime now) {
  std::erase_if(producers_, [&](const auto& entry) {
    ResetIfExpired(*entry.second, now);
    return IsUnused(entry.second);
  });
}

// A stream that still holds it goes on with it: another entry beside it would judge anew.
bool ProducerTable::IsUnused(const std::shared_ptr<Producer>& producer) {
  return producer->state_.last_seq() == 0 && producer.use_count() == 1;
}

void ProducerTable::Restore(ProducerState state) {
  Producer& producer = Add({state.table_uuid, state.name});
  run_count_ += state.runs.size();
  producer.state_ = std::move(state);
  producer.last_seq_ = producer.state_.last_seq();
}

Status ProducerTable::Replay(const std::string& name, const std::string& table_uuid, int64_t seq,
                             Lsn lsn, WallTime at, Lsn last_lost) {
  const auto found = producers_.find({table_uuid, name});
  Producer& producer = found == producers_.end() ? Add({table_uuid, name}) : *found->second;
  const int64_t last = producer.state_.last_seq();
  // Seq 1 again: the producer had been forgotten by then.
  if (seq == 1 && last > 0) Reset(producer);
  const bool may_leave_out = seq > last && producer.state_.last_lsn() < last_lost;
  if (seq != 1 && seq != last + 1 && !may_leave_out) {
    return Error(ErrorCode::kCorruption, "write ", lsn.value, " is seq ", seq, " of producer '",
                 name, "', but its last one before was ", last,
                 ": the checkpoint that held it is missing or old");
  }
  Append(producer, seq, lsn, at);
  return Status::OK();
}

Producer& ProducerTable::Add(const Key& key) {
  auto& producer = producers_[key];
  producer = std::make_shared<Producer>(key.second, key.first);
  return *producer;
}

void ProducerTable::Reset(Producer& producer) {
  run_count_ -= producer.state_.runs.size();
  ProducerState nothing;
  nothing.name = std::move(producer.state_.name);
  nothing.table_uuid = std::move(producer.state_.table_uuid);
  producer.state_ = std::move(nothing);
  producer.last_seq_ = 0;
}

void ProducerTable::ResetIfExpired(Producer& producer, WallTime now) {
  if (IsExpired(producer, now)) Reset(producer);
}

// What is not committed is needed whatever the clock says.
bool ProducerTable::IsExpired(const Producer& producer, WallTime now) const {
  const ProducerState& state = producer.state_;
  const auto age = std::chrono::microseconds(Micros(now) - state.last_write_us);
  return age > options_.expire_after && state.last_seq() > 0 && state.last_lsn() <= forgettable();
}

void ProducerTable::ForgetRuns(Producer& producer, size_t count) {
  ProducerState& state = producer.state_;
  if (count == 0) return;
  const SeqRun& newest = state.runs[count - 1];
  state.forgotten_seq = newest.last_seq();
  state.forgotten_lsn = newest.last_lsn();
  state.runs.erase(state.runs.begin(), state.runs.begin() + static_cast<ptrdiff_t>(count));
  run_count_ -= count;
}

// Not one by one: so many that moving the rest to the front costs nothing to speak of.
void ProducerTable::TrimRuns(Producer& producer) {
  const std::vector<SeqRun>& runs = producer.state_.runs;
  if (runs.size() < 2 * options_.runs_kept) return;
  const size_t wanted = std::max(runs.size() / 4, options_.runs_kept);
  if (runs[wanted - 1].last_lsn() <= forgettable()) ForgetRuns(producer, wanted);
}

// Forgets committed runs, of the producers that have not written for longest first, until an eighth
// of the room is free again; asks for a commit where there is none.
void ProducerTable::MakeRoomForRuns() {
  const Lsn through = forgettable();
  if (no_room_at_ == through) return;
  std::vector<Producer*> oldest_first;
  for (const auto& [key, producer] : producers_) {
    if (!producer->state_.runs.empty()) oldest_first.push_back(producer.get());
  }
  std::sort(oldest_first.begin(), oldest_first.end(), [](const Producer* a, const Producer* b) {
    return a->state_.last_lsn() < b->state_.last_lsn();
  });
  for (Producer* producer : oldest_first) {
    if (run_count_ <= options_.max_runs / 8 * 7) break;
    const std::vector<SeqRun>& runs = producer->state_.runs;
    const auto kept = std::partition_point(
        runs.begin(), runs.end(), [&](const SeqRun& run) { return run.last_lsn() <= through; });
    ForgetRuns(*producer, static_cast<size_t>(kept - runs.begin()));
  }
  if (run_count_ < options_.max_runs) return;
  no_room_at_ = through;
  commit_wanted_ = true;
}

}  // namespace arka::ingest
