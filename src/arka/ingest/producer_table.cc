#include "arka/ingest/producer_table.h"

#include <algorithm>

#include "arka/base/check.h"

namespace arka::ingest {
namespace {

// A full table is looked through for producers to forget at most this often.
constexpr auto kSweepEvery = std::chrono::seconds(1);

// A stream that holds it goes on with it: another entry beside it would judge anew.
bool IsHeld(const std::shared_ptr<Producer>& producer) { return producer.use_count() > 1; }

// Of `state`, what was there when `through` was the last LSN.
ProducerState StateAt(const ProducerState& state, Lsn through) {
  ProducerState at = state;
  while (!at.runs.empty() && at.runs.back().first_lsn > through) at.runs.pop_back();
  if (!at.runs.empty()) {
    SeqRun& last = at.runs.back();
    last.count = std::min(last.count, through.value - last.first_lsn.value + 1);
  }
  // The epoch may be that of a later write; the log above `through` then says from where on it is.
  at.before_epoch = std::min(at.before_epoch, at.last_seq());
  return at;
}

Status Superseded(const std::string& name, int64_t epoch, int64_t claimed) {
  return Error(ErrorCode::kFailedPrecondition, "producer '", name,
               "' was claimed by another program", " since (epoch ", claimed, ", this one's is ",
               epoch, epoch == 0 ? ": none" : "",
               "), so nothing more is written for this one; if it should be the one that writes, ",
               "have it ask claim_producer and go on at last_seq + 1");
}

}  // namespace

Producer::Producer(std::string name, std::string table_uuid) {
  state_.name = std::move(name);
  state_.table_uuid = std::move(table_uuid);
}

Result<std::shared_ptr<Producer>> ProducerTable::Open(const std::string& name,
                                                      const std::string& table_uuid,
                                                      RunningTime now, int64_t epoch) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    return Error(ErrorCode::kInvalidRequest, "a producer's name has 1 to ", kMaxNameBytes,
                 " bytes, not ", name.size());
  }
  const Key key{table_uuid, name};
  if (const auto found = producers_.find(key); found != producers_.end()) {
    Producer& known = *found->second;
    if (epoch < known.claimed_) return Superseded(name, epoch, known.claimed_);
    known.claimed_ = epoch;
    return found->second;
  }
  const auto limit = static_cast<size_t>(options_.max_producers);
  if (producers_.size() >= limit && (!swept_at_ || now - *swept_at_ >= kSweepEvery)) {
    swept_at_ = now;
    MakeRoomForProducers(now);
  }
  if (producers_.size() >= limit) {
    return Error(ErrorCode::kBackpressure, "producer '", name, "' is new, and the server knows ",
                 producers_.size(), " already (producers.max: ", limit,
                 "); room is made by forgetting one that has not written for "
                 "producers.expire_after, and there is none");
  }
  Add(key).claimed_ = epoch;
  return producers_.at(key);
}

const ProducerState* ProducerTable::Find(const std::string& name,
                                         const std::string& table_uuid) const {
  const auto found = producers_.find({table_uuid, name});
  return found == producers_.end() ? nullptr : &found->second->state_;
}

Result<ProducerTable::Judgement> ProducerTable::Judge(const Producer& producer, int64_t seq,
                                                      int64_t epoch) {
  if (seq < 1) {
    return Error(ErrorCode::kInvalidRequest, "seq ", seq, " of producer '", producer.name(),
                 "': the first is 1, and each is one more than the one before");
  }
  ARROW_RETURN_NOT_OK(CheckEpoch(producer, seq, epoch));
  const ProducerState& state = producer.state_;
  const int64_t last = state.last_seq();
  if (seq > last) {
    if (seq != last + 1) return Gap(producer, seq);
    // Whether the write will lengthen the last run shows only when it has its LSN.
    if (run_count_ >= options_.max_runs) MakeRoomForRuns();
    if (run_count_ >= 2 * options_.max_runs) {
      // Once more: the commit that was asked for at half may have come before writes were on disk.
      commit_wanted_ = true;
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

Status ProducerTable::CheckEpoch(const Producer& producer, int64_t seq, int64_t epoch) const {
  if (epoch < producer.claimed_) return Superseded(producer.name(), epoch, producer.claimed_);
  const ProducerState& state = producer.state_;
  const int64_t others = epoch > state.epoch ? state.last_seq() : state.before_epoch;
  if (seq > others) return Status::OK();
  return Error(ErrorCode::kFailedPrecondition, "seq ", seq, " of producer '", producer.name(),
               "' was written before epoch ", epoch,
               ", by an earlier program of that name (its last "
               "is ",
               others, "): it cannot be told whether this is the same batch; ask ",
               "claim_producer where to go on");
}

Status ProducerTable::Gap(const Producer& producer, int64_t seq) const {
  const int64_t last = producer.state_.last_seq();
  if (last > 0) {
    return Error(ErrorCode::kInvalidRequest, "seq ", seq, " of producer '", producer.name(),
                 "' leaves a gap: the last in this table is ", last, ", so seq ", last + 1,
                 " is expected");
  }
  std::string forgotten;
  if (forgotten_through_ > kNoLsn) {
    forgotten =
        ". It never wrote, or its last write was at LSN " +
        std::to_string(forgotten_through_.value) +
        " or below and it was forgotten to make room (producers.max, "
        "producers.expire_after); then what was acknowledged at LOCAL_DISK is committed and "
        "is not to be sent again";
  }
  return Error(ErrorCode::kInvalidRequest, "seq ", seq, " of producer '", producer.name(),
               "': nothing is known of it in this table, so seq 1 is expected", forgotten);
}

void ProducerTable::Record(Producer& producer, int64_t seq, Lsn lsn, RunningTime now,
                           int64_t epoch) {
  ARKA_CHECK(seq == producer.state_.last_seq() + 1 && lsn > producer.state_.last_lsn());
  ARKA_CHECK(epoch >= producer.claimed_);
  Append(producer, seq, lsn, now, epoch);
  TrimRuns(producer);
}

void ProducerTable::Append(Producer& producer, int64_t seq, Lsn lsn, RunningTime now,
                           int64_t epoch) {
  ProducerState& state = producer.state_;
  if (epoch > state.epoch) {
    state.epoch = epoch;
    state.before_epoch = state.last_seq();
  } else if (epoch < state.epoch) {
    state.before_epoch = seq;  // only a replay from a checkpoint that knew a later write's
  }
  producer.claimed_ = std::max(producer.claimed_, epoch);
  state.last_write = now;
  producer.last_seq_.store(seq, std::memory_order_relaxed);
  if (!state.runs.empty() && state.last_seq() + 1 == seq && state.last_lsn().next() == lsn) {
    ++state.runs.back().count;
    return;
  }
  state.runs.push_back({seq, lsn, 1});
  ++run_count_;
}

std::vector<ProducerState> ProducerTable::Snapshot(Lsn through, std::optional<Key>* after,
                                                   size_t count, RunningTime now) {
  ARKA_CHECK(!snapshot_ || *snapshot_ == through);
  snapshot_ = through;
  std::vector<ProducerState> states;
  auto next = *after ? producers_.upper_bound(**after) : producers_.begin();
  for (; next != producers_.end() && count > 0; --count) {
    *after = next->first;
    Producer& producer = *next->second;
    if (producer.state_.last_seq() == 0 && !IsHeld(next->second)) {
      next = producers_.erase(next);
      continue;
    }
    if (IsExpired(producer.state_, now)) ForgetRuns(producer, producer.state_.runs.size());
    ProducerState state = StateAt(producer.state_, through);
    if (state.last_seq() > 0) states.push_back(std::move(state));
    ++next;
  }
  if (next == producers_.end()) after->reset();
  return states;
}

// An eighth of them at once, the oldest first, so that not every new one has to look.
void ProducerTable::MakeRoomForProducers(RunningTime now) {
  std::vector<std::map<Key, std::shared_ptr<Producer>>::iterator> expired;
  for (auto at = producers_.begin(); at != producers_.end(); ++at) {
    const ProducerState& state = at->second->state_;
    const bool unneeded = state.last_seq() == 0 || IsExpired(state, now);
    if (unneeded && !IsHeld(at->second)) expired.push_back(at);
  }
  std::sort(expired.begin(), expired.end(), [](const auto& a, const auto& b) {
    return a->second->state_.last_lsn() < b->second->state_.last_lsn();
  });
  expired.resize(std::min(expired.size(), producers_.size() / 8 + 1));
  for (const auto& at : expired) {
    forgotten_through_ = std::max(forgotten_through_, at->second->state_.last_lsn());
    run_count_ -= at->second->state_.runs.size();
    producers_.erase(at);
  }
}

void ProducerTable::Restore(ProducerState state, RunningTime now) {
  Producer& producer = Add({state.table_uuid, state.name});
  run_count_ += state.runs.size();
  state.last_write = std::min(state.last_write, now);
  producer.claimed_ = state.epoch;
  producer.state_ = std::move(state);
  producer.last_seq_ = producer.state_.last_seq();
}

Status ProducerTable::Replay(const std::string& name, const std::string& table_uuid, int64_t seq,
                             Lsn lsn, RunningTime now, Lsn last_lost, int64_t epoch) {
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
  Append(producer, seq, lsn, now, epoch);
  return Status::OK();
}

int64_t ProducerTable::max_epoch() const {
  int64_t highest = 0;
  for (const auto& [key, producer] : producers_) highest = std::max(highest, producer->claimed_);
  return highest;
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
  producer.claimed_ = 0;
  producer.last_seq_ = 0;
}

// What is not committed is needed however old it is.
bool ProducerTable::IsExpired(const ProducerState& state, RunningTime now) const {
  return now - state.last_write > options_.expire_after && state.last_seq() > 0 &&
         state.last_lsn() <= forgettable();
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
