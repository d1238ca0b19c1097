#include "arka/ingest/sequencer.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/base/check.h"

namespace arka::ingest {
namespace {

constexpr auto kSampleEvery = std::chrono::milliseconds(10);
constexpr size_t kMaxSamples = 4096;
constexpr size_t kProducersAtOnce = 256;  // copied under the lock
constexpr int kClaimBits = 32;            // of an epoch; those above are the log's own epoch

int64_t Micros(WallTime time) { return time.time_since_epoch().count(); }

Lsn WatermarkOf(const protocol::Watermarks& watermarks, Tier tier) {
  switch (tier) {
    case Tier::kMemory:
      return watermarks.last_lsn;
    case Tier::kLocalDisk:
      return watermarks.disk_lsn;
    case Tier::kObjectStorage:
      return watermarks.s3_lsn;
    case Tier::kCommitted:
      return watermarks.committed_lsn;
  }
  return kNoLsn;
}

wal::WriteRecord RecordOf(wal::DefinitionId definition, const DecodedWrite& write, WallTime now) {
  wal::WriteRecord record;
  record.definition = definition;
  record.timestamp = now;
  record.header = write.header;
  record.body = write.body;
  return record;
}

}  // namespace

void Sequencer::Restore(Table& table, Lsn lsn, int64_t bytes) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(log_ == nullptr);
  restored_.try_emplace(table.id, lsn);
  table.NoteWrite(lsn, bytes);
  if (table.last_logged == kNoLsn) table.first_logged = lsn;
  table.last_logged = lsn;
  last_restored_ = lsn;
  restored_bytes_ += bytes;
}

void Sequencer::Hold(Table& table, Lsn lsn, int64_t bytes) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(log_ == nullptr);
  restored_.try_emplace(table.id, lsn);
  if (table.first_held == kNoLsn) table.first_held = lsn;
  table.last_held = lsn;
  table.NoteWrite(lsn, bytes);
  held_.insert(table.id);
}

void Sequencer::RestoreCheckpoint(ProducerCheckpoint checkpoint) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(log_ == nullptr);
  running_.Restore(checkpoint.running);
  producers_.RestoreForgotten(checkpoint.forgotten_through);
  for (ProducerState& state : checkpoint.producers) {
    producers_.Restore(std::move(state), checkpoint.running);
  }
  if (!checkpoint.lost.empty()) given_up_through_ = checkpoint.lost.back().first;
  lost_ = LsnRanges(std::move(checkpoint.lost));
}

Status Sequencer::RestoreSeq(const std::string& producer, const std::string& table_uuid,
                             int64_t seq, Lsn lsn, int64_t epoch) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(log_ == nullptr);
  return producers_.Replay(producer, table_uuid, seq, lsn, Running(), lost_.LastBelow(lsn), epoch);
}

void Sequencer::RestoreLost(LsnRange lost) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(log_ == nullptr);
  lost_.Add(lost);
}

void Sequencer::RestoreGivenUp(LsnRange given_up) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(log_ == nullptr);
  lost_.Add(given_up);
  given_up_through_ = std::max(given_up_through_, given_up.last);
}

void Sequencer::Begin(wal::Log& log, Lsn s3_lsn) {
  std::lock_guard lock(mutex_);
  const Lsn last = log.last_lsn();
  // What is committed is in the object store as data files, whether or not log objects remain.
  Lsn committed = last;
  for (const auto& [table, lsn] : restored_) committed = std::min(committed, lsn.previous());
  s3_lsn = std::clamp(s3_lsn, committed, last);
  Lsn first = last_restored_.next();
  for (const auto& [table, lsn] : restored_) {
    if (!held_.contains(table)) first = std::min(first, lsn);
  }
  if (first <= last_restored_) {
    backlog_ = Backlog(first.previous(), last_restored_, restored_bytes_);
  }
  tracker_ = DurabilityTracker(last, s3_lsn, std::exchange(restored_, {}));
  for (const TableId table : held_) tracker_.SetGone(table, true);
  producers_.OnCommitted(tracker_.watermarks().committed_lsn);
  // Claims are not in the log, but its epoch is: no claim of an earlier start reached this number.
  last_epoch_ = std::max(log.epoch() << kClaimBits, producers_.max_epoch());
  const WallTime now = clock_.WallNow();
  lost_.Add({last.next(), log.next_lsn().previous()});
  for (const Tier tier : kAllTiers) Moved(tier, now);
  if (s3_lsn < last) NoteTime(s3_lsn.next(), now);
  log_ = &log;
}

Result<Lsn> Sequencer::Sequence(Table& table, wal::DefinitionId definition, DecodedWrite& write,
                                int64_t charged_bytes) {
  wal::WriteRecord record = RecordOf(definition, write, clock_.WallNow());
  std::lock_guard lock(mutex_);
  return Append(table, std::move(record), write, charged_bytes);
}

Result<std::shared_ptr<Producer>> Sequencer::OpenProducer(const std::string& name,
                                                          const std::string& table_uuid,
                                                          int64_t epoch) {
  std::lock_guard lock(mutex_);
  if (epoch > last_epoch_) {
    return Error(ErrorCode::kInvalidRequest, "epoch ", epoch, " of producer '", name,
                 "' was never given by this server; ask claim_producer for one");
  }
  return producers_.Open(name, table_uuid, Running(), epoch);
}

Result<ProducerClaim> Sequencer::ClaimProducer(const std::string& name,
                                               const std::string& table_uuid) {
  std::lock_guard lock(mutex_);
  const int64_t epoch = last_epoch_ + 1;
  if (!table_uuid.empty()) {
    ARROW_RETURN_NOT_OK(producers_.Open(name, table_uuid, Running(), epoch));
  }
  last_epoch_ = epoch;
  return ProducerClaim{epoch, LastSeqLocked(name, table_uuid)};
}

Result<Admission> Sequencer::SequenceOnce(Table& table, wal::DefinitionId definition,
                                          DecodedWrite& write, int64_t charged_bytes,
                                          Producer& producer, int64_t seq, int64_t epoch) {
  wal::WriteRecord record = RecordOf(definition, write, clock_.WallNow());
  record.producer = producer.name();
  record.seq = seq;
  record.epoch = epoch;
  std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(const auto retry, JudgeLocked(producer, seq, epoch));
  if (retry) return *retry;
  ARROW_ASSIGN_OR_RAISE(const Lsn lsn, Append(table, std::move(record), write, charged_bytes));
  producers_.Record(producer, seq, lsn, Running(), epoch);
  return Admission{lsn};
}

Result<std::optional<Admission>> Sequencer::FindRetry(Producer& producer, int64_t seq,
                                                      int64_t epoch) {
  std::lock_guard lock(mutex_);
  return JudgeLocked(producer, seq, epoch);
}

bool Sequencer::TakeCommitRequest() {
  std::lock_guard lock(mutex_);
  return producers_.TakeCommitRequest();
}

LastSeq Sequencer::LastSeqOf(const std::string& name, const std::string& table_uuid) {
  std::lock_guard lock(mutex_);
  return LastSeqLocked(name, table_uuid);
}

LastSeq Sequencer::LastSeqLocked(const std::string& name, const std::string& table_uuid) const {
  const ProducerState* state = producers_.Find(name, table_uuid);
  if (state == nullptr || state->last_seq() == 0) {
    return {0, kNoLsn, producers_.forgotten_through()};
  }
  return {state->last_seq(), state->last_lsn(), kNoLsn};
}

void Sequencer::PassTime() {
  std::lock_guard lock(mutex_);
  (void)Running();
}

RunningTime Sequencer::Running() { return running_.At(clock_.Now()); }

bool Sequencer::needs_checkpoint() const {
  std::lock_guard lock(mutex_);
  return !producers_.empty() || producers_.forgotten_through() > kNoLsn || !lost_.empty();
}

ProducerCheckpoint Sequencer::CheckpointAt(Lsn through) {
  ProducerCheckpoint checkpoint;
  checkpoint.lsn = through;
  std::optional<ProducerTable::Key> after;
  do {
    std::lock_guard lock(mutex_);
    const RunningTime now = Running();
    for (ProducerState& state : producers_.Snapshot(through, &after, kProducersAtOnce, now)) {
      checkpoint.producers.push_back(std::move(state));
    }
    if (after) continue;
    producers_.EndSnapshot();
    // That writes were given up is nowhere else, so also of those above `through`.
    checkpoint.lost = lost_.UpTo(std::max(through, given_up_through_));
    checkpoint.running = now;
    checkpoint.forgotten_through = producers_.forgotten_through();
  } while (after);
  return checkpoint;
}

Result<std::optional<Admission>> Sequencer::JudgeLocked(const Producer& producer, int64_t seq,
                                                        int64_t epoch) {
  using Verdict = ProducerTable::Verdict;
  ARROW_ASSIGN_OR_RAISE(const auto judged, producers_.Judge(producer, seq, epoch));
  if (judged.verdict == Verdict::kNew) return std::nullopt;
  if (lost_.Contains(judged.lsn)) {
    return Error(ErrorCode::kNotFound, "seq ", seq, " of producer '", producer.name(),
                 "' was written, as LSN ", judged.lsn,
                 " or before, and the writes of that table were given up since "
                 "(--give-up-writes-of): it is not written in its place again; the next seq is ",
                 producer.last_seq() + 1);
  }
  return Admission{judged.lsn, true, judged.verdict == Verdict::kForgotten};
}

Result<Lsn> Sequencer::Append(Table& table, wal::WriteRecord record, DecodedWrite& write,
                              int64_t charged_bytes) {
  ARROW_RETURN_NOT_OK(table.CheckTakesWrites());
  const WallTime now = record.timestamp;
  ARROW_ASSIGN_OR_RAISE(const Lsn lsn, log_->Append(std::move(record)));
  tracker_.OnWrite(table.id, lsn);
  table.NoteWrite(lsn, charged_bytes);
  Place(table, {lsn, std::move(write.stored), charged_bytes, write.schema});
  NoteTime(lsn, now);
  Moved(Tier::kMemory, now);
  return lsn;
}

std::vector<BufferedWrite> Sequencer::TakePending(Table& table) {
  std::lock_guard lock(mutex_);
  // While the backlog is open, what is pending came before it; once it is closed, after it.
  if (backlog_.active() && !backlog_.open()) return {};
  // A file that also held writes which the disk has no room for could not be committed, and so the
  // log not be released, which is what would make room.
  const Lsn disk_lsn = tracker_.watermarks().disk_lsn;
  const auto durable =
      std::partition_point(table.pending.begin(), table.pending.end(),
                           [&](const BufferedWrite& write) { return write.lsn <= disk_lsn; });
  std::vector<BufferedWrite> later(std::make_move_iterator(durable),
                                   std::make_move_iterator(table.pending.end()));
  table.pending.erase(durable, table.pending.end());
  return std::exchange(table.pending, std::move(later));
}

void Sequencer::Place(Table& table, BufferedWrite write) {
  if (!backlog_.active() && budget_.is_nearly_full()) backlog_.Open(write.lsn.previous());
  if (!backlog_.open()) return table.pending.push_back(std::move(write));
  if (!backlog_.Holds(table.last_logged)) table.first_logged = write.lsn;
  table.last_logged = write.lsn;
  backlog_.OnWrite(write.lsn, write.charged_bytes);
  undurable_.emplace_back(write.lsn, write.charged_bytes);
}

Lsn Sequencer::FirstHeld(const Table& table) const {
  const Lsn pending = table.pending.empty() ? kNoLsn : table.pending.front().lsn;
  if (!backlog_.Holds(table.last_logged)) return pending;
  const Lsn logged = std::max(table.first_logged, backlog_.read_through().next());
  return pending == kNoLsn ? logged : std::min(pending, logged);
}

Backlog Sequencer::backlog() const {
  std::lock_guard lock(mutex_);
  return backlog_;
}

Backlog Sequencer::OnReadBack(Lsn through, int64_t bytes) {
  std::lock_guard lock(mutex_);
  backlog_.OnRead(through, bytes);
  if (!backlog_.active()) budget_.KeepAll(false);
  return backlog_;
}

Backlog Sequencer::CloseBacklog() {
  std::lock_guard lock(mutex_);
  backlog_.Close();
  // They wait until the rest is read, and could not be let go of meanwhile.
  budget_.KeepAll(backlog_.active());
  return backlog_;
}

void Sequencer::OnDurable(Lsn disk_lsn) {
  int64_t durable_bytes = 0;
  {
    std::lock_guard lock(mutex_);
    tracker_.OnDisk(disk_lsn);
    for (; !undurable_.empty() && undurable_.front().first <= disk_lsn; undurable_.pop_front()) {
      durable_bytes += undurable_.front().second;
    }
    Moved(Tier::kLocalDisk, clock_.WallNow());
    if (std::exchange(no_room_, false)) spdlog::info("log: there is room again, writes go on");
  }
  if (durable_bytes > 0) budget_.GiveBack(durable_bytes);
  Tell();
}

void Sequencer::OnNoRoom(const Status& reason) {
  spdlog::warn("log: writes wait: {}", reason.message());
  std::lock_guard lock(mutex_);
  no_room_ = true;
}

void Sequencer::OnPoisoned(const Status& error) {
  {
    std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = error;
  }
  Tell();
}

void Sequencer::OnObjectStorage(Lsn s3_lsn) {
  {
    std::lock_guard lock(mutex_);
    // What can be read from the log is on disk, also where the log has not come to say so yet.
    const Lsn reported = tracker_.watermarks().disk_lsn;
    tracker_.OnDisk(std::max(s3_lsn, log_->disk_lsn()));
    if (tracker_.watermarks().disk_lsn != reported) Moved(Tier::kLocalDisk, clock_.WallNow());
    tracker_.OnObjectStorage(s3_lsn);
    if (s3_lsn == tracker_.watermarks().last_lsn) {
      not_uploaded_.clear();
    } else {
      while (not_uploaded_.size() > 1 && not_uploaded_[1].lsn <= s3_lsn.next()) {
        not_uploaded_.pop_front();
      }
    }
    producers_.OnCommitted(tracker_.watermarks().committed_lsn);
    Moved(Tier::kObjectStorage, clock_.WallNow());
  }
  Tell();
}

void Sequencer::OnCommitted(Table& table, const CommitEvent& event, Lsn next_held) {
  table.AddCommit(event);
  {
    std::lock_guard lock(mutex_);
    if (next_held == kNoLsn) next_held = FirstHeld(table);
    tracker_.OnCommitted(table.id, event.through, next_held);
    producers_.OnCommitted(tracker_.watermarks().committed_lsn);
    Moved(Tier::kCommitted, clock_.WallNow());
    ++commits_;
  }
  Tell();
}

Lsn Sequencer::Settle(const Table& table) const {
  std::lock_guard lock(mutex_);
  return table.last_write();
}

Lsn Sequencer::FirstUncommitted(const Table& table) const {
  std::lock_guard lock(mutex_);
  return tracker_.first_uncommitted(table.id);
}

void Sequencer::SetGone(const Table& table, bool gone) {
  {
    std::lock_guard lock(mutex_);
    tracker_.SetGone(table.id, gone);
  }
  Tell();
}

Progress Sequencer::progress() const {
  std::lock_guard lock(mutex_);
  return {tracker_.watermarks(), moved_at_us_, commits_, !failure_.ok()};
}

bool Sequencer::all_landed() const {
  std::lock_guard lock(mutex_);
  return tracker_.all_landed();
}

double Sequencer::lag_seconds() const {
  std::lock_guard lock(mutex_);
  const auto& watermarks = tracker_.watermarks();
  if (not_uploaded_.empty() || watermarks.s3_lsn == watermarks.last_lsn) return 0;
  const auto age = clock_.WallNow() - not_uploaded_.front().at;
  return std::max(0.0, std::chrono::duration<double>(age).count());
}

Result<std::optional<Tier>> Sequencer::LevelOf(Lsn lsn) const {
  std::lock_guard lock(mutex_);
  if (lost_.Contains(lsn)) return std::nullopt;
  const protocol::Watermarks& watermarks = tracker_.watermarks();
  if (lsn < kFirstLsn || lsn > watermarks.last_lsn) {
    return Error(ErrorCode::kNotFound, "LSN ", lsn,
                 " was never given by this server, whose last is ", watermarks.last_lsn);
  }
  Tier reached = Tier::kMemory;
  for (const Tier tier : kAllTiers) {
    if (lsn <= WatermarkOf(watermarks, tier)) reached = tier;
  }
  return reached;
}

std::optional<WallTime> Sequencer::ReachedAt(Tier tier, Lsn lsn) const {
  ARKA_CHECK(tier != Tier::kCommitted);
  std::lock_guard lock(mutex_);
  if (lost_.Contains(lsn)) return std::nullopt;
  return histories_[IndexOf(tier)].ReachedAt(lsn);
}

Status Sequencer::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

// Samples rather than every write: one in 10 ms, and fewer where the store has been away for long.
// A sample stands for the writes from it up to the next one, so an age is never told too small.
void Sequencer::NoteTime(Lsn lsn, WallTime now) {
  if (!not_uploaded_.empty() && now - not_uploaded_.back().at < kSampleEvery) return;
  not_uploaded_.push_back({lsn, now});
  if (not_uploaded_.size() <= kMaxSamples) return;
  std::deque<Sample> thinned;
  for (size_t i = 0; i < not_uploaded_.size(); i += 2) thinned.push_back(not_uploaded_[i]);
  not_uploaded_ = std::move(thinned);
}

void Sequencer::Moved(Tier tier, WallTime now) {
  moved_at_us_[IndexOf(tier)] = Micros(now);
  if (tier == Tier::kCommitted) return;  // table by table: Table::CommitOf
  histories_[IndexOf(tier)].OnMoved(WatermarkOf(tracker_.watermarks(), tier), now);
}

void Sequencer::Tell() {
  for (const auto& listener : listeners_) listener();
}

}  // namespace arka::ingest
