#include "arka/flight/level_wait.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace arka::flight {
namespace {

// Nobody is woken when a table goes.
constexpr std::chrono::milliseconds kLookForGoneTables{500};

}  // namespace

LevelWait::LevelWait(acks::LoopContext& context, Tier level, std::function<void(Status)> ended)
    : context_(context),
      level_(level),
      ended_(std::move(ended)),
      id_(context.scheduler.Add(*this)),
      self_(std::make_shared<LevelWait*>(this)) {}

LevelWait::~LevelWait() { context_.scheduler.Remove(id_); }

// The last LSN is looked at first: what has one up to there has been noted by its table.
void LevelWait::BeginForAll() {
  lsn_ = context_.engine.progress().watermarks.last_lsn;
  Begin(context_.engine.UncommittedTables(), lsn_);
}

void LevelWait::BeginFor(const ingest::Table* table) {
  lsn_ = context_.engine.progress().watermarks.last_lsn;
  only_ = table;
  if (table == nullptr) return Begin({}, kNoLsn);
  Begin({table}, kNoLsn);
}

void LevelWait::Begin(const std::vector<const ingest::Table*>& tables, Lsn last) {
  begun_ = true;
  last_ = last;
  for (const ingest::Table* table : tables) {
    if (!table->has_uncommitted()) continue;
    tables_.push_back({table, table->last_write()});
    last_ = std::max(last_, tables_.back().last);
  }
  uncommitted_ = tables_;
  Look(context_.engine.progress());
}

void LevelWait::Look(const ingest::Progress& progress) {
  if (!begun_ || has_ended_) return;
  if (const auto end = Judge(progress)) End(*end);
}

std::optional<Status> LevelWait::Judge(const ingest::Progress& progress) {
  const auto& reached = progress.watermarks;
  if (reached.disk_lsn < last_) {
    if (progress.failed) return context_.engine.failure();
    context_.scheduler.Await(id_, Tier::kLocalDisk, last_, nullptr);
    return std::nullopt;
  }
  if (level_ <= Tier::kLocalDisk) return Status::OK();
  if (!std::exchange(asked_, true)) {
    context_.engine.UploadNow();
    if (level_ == Tier::kCommitted) context_.engine.CommitNow(only_);
  }
  if (reached.s3_lsn < last_) {
    if (progress.failed) return context_.engine.failure();
    context_.scheduler.Await(id_, Tier::kObjectStorage, last_, nullptr);
    return std::nullopt;
  }
  if (level_ == Tier::kObjectStorage) return Status::OK();
  auto end = JudgeCommits();
  if (!end && progress.failed) return context_.engine.failure();
  return end;
}

std::optional<Status> LevelWait::JudgeCommits() {
  std::erase_if(uncommitted_, [this](const TableWrites& writes) {
    if (writes.table->committed_through() >= writes.last) return true;
    const Status there = writes.table->CheckThere();
    if (!there.ok()) gone_ = there;
    return !there.ok();
  });
  if (uncommitted_.empty()) return gone_;
  for (const TableWrites& writes : uncommitted_) {
    context_.scheduler.Await(id_, Tier::kCommitted, writes.last, writes.table);
  }
  LookAgainLater();
  return std::nullopt;
}

void LevelWait::LookAgainLater() {
  if (std::exchange(look_is_due_, true)) return;
  context_.loop.PostAfter(kLookForGoneTables, [weak = std::weak_ptr(self_)] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    (*alive)->look_is_due_ = false;
    (*alive)->Look((*alive)->context_.engine.progress());
  });
}

void LevelWait::Shutdown() {
  if (has_ended_) return;
  End(Error(
      ErrorCode::kShuttingDown,
      "the server is shutting down; it commits what it can, and what was acknowledged is safe"));
}

void LevelWait::End(const Status& status) {
  has_ended_ = true;
  ended_(status);
}

}  // namespace arka::flight
