#include "arka/ingest/committer.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <pthread.h>
#include <spdlog/spdlog.h>

#include "arka/base/thread_priority.h"
#include "arka/lake/data_file_writer.h"

namespace arka::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMergeEvery{50};
constexpr milliseconds kFirstBackoff{200};
constexpr milliseconds kMaxBackoff{10'000};

std::string DataFileKey(const Table& table, const Rows& rows, Random& random) {
  return table.data_prefix + std::to_string(rows.first_lsn.value) + "-" +
         std::to_string(rows.last_lsn.value) + "-" + MakeUuid(random) + ".parquet";
}

}  // namespace

Committer::Landing::Landing(Table& table)
    : table(table), buffer(table.file_schema->storage_schema()) {}

Committer::Committer(Sequencer& sequencer, lake::TableCommitter& tables, ObjectStore& warehouse,
                     MemoryBudget& budget, Clock& clock, Random& random, CommitterOptions options,
                     std::function<void()> on_room)
    : sequencer_(sequencer),
      tables_(tables),
      warehouse_(warehouse),
      budget_(budget),
      clock_(clock),
      random_(random),
      options_(options),
      on_room_(std::move(on_room)),
      next_commit_(clock.Now() + options.interval) {}

Committer::~Committer() { Stop(); }

void Committer::AddTable(Table& table) {
  std::lock_guard lock(mutex_);
  landings_.try_emplace(table.id, std::make_unique<Landing>(table));
}

void Committer::Start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    pthread_setname_np(pthread_self(), "arka-committer");
    YieldToOtherThreads();
    while (!stop.stop_requested()) wake_.WaitUntil(clock_, Step());
  });
}

void Committer::CommitNow() {
  commit_now_ = true;
  wake_.Notify();
}

void Committer::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake_.Notify();
  thread_.join();
}

SteadyTime Committer::Step() {
  const SteadyTime now = clock_.Now();
  const bool due = commit_now_.exchange(false) || now >= next_commit_;
  if (due) next_commit_ = now + options_.interval;
  const Lsn s3_lsn = sequencer_.progress().watermarks.s3_lsn;
  const std::vector<Landing*> landings = Landings();
  for (Landing* landing : landings) {
    landing->commit_due |= due;
    StepTable(*landing, s3_lsn, now);
  }
  if (budget_.is_tight()) MakeRoom(landings);
  return std::min(next_commit_, clock_.Now() + kMergeEvery);
}

void Committer::StepTable(Landing& landing, Lsn s3_lsn, SteadyTime now) {
  Status status = Merge(landing);
  if (status.ok() && now < landing.not_before) return;
  if (status.ok()) status = Land(landing, s3_lsn);
  Settle(landing, std::move(status));
}

// Notes how a table's round went, and when to try again.
void Committer::Settle(Landing& landing, Status status) {
  if (status.ok()) {
    landing.backoff = milliseconds(0);
  } else {
    landing.backoff = std::clamp(landing.backoff * 2, kFirstBackoff, kMaxBackoff);
    landing.not_before = clock_.Now() + landing.backoff;
    status = WithContext(status, landing.table.identifier.ToString());
    spdlog::warn("committer: {}; trying again in {} ms", status.message(), landing.backoff.count());
  }
  std::lock_guard lock(mutex_);
  landing.error = std::move(status);
}

Status Committer::Land(Landing& landing, Lsn s3_lsn) {
  if (landing.buffer.size_bytes() >= options_.max_buffer_bytes) {
    ARROW_RETURN_NOT_OK(StageAll(landing));
  }
  if (!landing.commit_due) return Status::OK();
  // Sealed once: rows that come while the commit waits for the upload stay for the next commit.
  if (!landing.sealed) {
    ARROW_RETURN_NOT_OK(StageAll(landing));
    landing.sealed = true;
  }
  if (landing.staged_through > s3_lsn) return Status::OK();
  if (landing.staged_through != kNoLsn) ARROW_RETURN_NOT_OK(Commit(landing));
  landing.commit_due = landing.sealed = false;
  return Status::OK();
}

Status Committer::Absorb(Table& table) {
  Landing* landing = nullptr;
  {
    std::lock_guard lock(mutex_);
    landing = landings_.at(table.id).get();
  }
  ARROW_RETURN_NOT_OK(Merge(*landing));
  if (landing->buffer.size_bytes() < options_.max_buffer_bytes) return Status::OK();
  return StageAll(*landing);
}

Status Committer::Merge(Landing& landing) {
  int64_t freed = 0;
  for (BufferedWrite& write : sequencer_.TakePending(landing.table)) {
    ARROW_ASSIGN_OR_RAISE(const int64_t saved, landing.buffer.Add(std::move(write)));
    freed += saved;
  }
  if (freed > 0) GiveBack(freed);
  return Status::OK();
}

Status Committer::StageAll(Landing& landing) {
  if (landing.buffer.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(Rows rows, landing.buffer.TakeAll());
  if (rows.row_count > 0) {
    const std::string key = DataFileKey(landing.table, rows, random_);
    // The rows are gone from the buffer: they must not be lost to a store that is away.
    auto file = lake::WriteDataFile(warehouse_, key, *landing.table.file_schema, rows.batches);
    if (!file.ok()) {
      ARROW_RETURN_NOT_OK(landing.buffer.PutBack(std::move(rows)));
      return WithContext(file.status(), "data file " + key);
    }
    landing.staged.push_back({std::move(*file), rows.first_lsn, rows.last_lsn});
  }
  if (landing.first_staged == kNoLsn) landing.first_staged = rows.first_lsn;
  landing.staged_through = rows.last_lsn;
  GiveBack(rows.charged_bytes);
  return Status::OK();
}

Status Committer::Commit(Landing& landing) {
  CommitEvent event{landing.staged_through, 0, 0};
  if (!landing.staged.empty()) {
    const auto committed =
        tables_.Commit(landing.table.identifier, landing.table.uuid, landing.staged,
                       sequencer_.progress().watermarks.last_lsn, thread_.get_stop_token());
    if (!committed.ok()) return WithContext(committed.status(), "commit");
    event.snapshot_id = *committed;
    spdlog::info("committer: {}: snapshot {} holds writes {} to {} in {} data file(s)",
                 landing.table.identifier.ToString(), event.snapshot_id, landing.first_staged.value,
                 event.through.value, landing.staged.size());
  }
  event.timestamp_us = clock_.WallNow().time_since_epoch().count();
  landing.staged.clear();
  landing.staged_through = landing.first_staged = kNoLsn;
  sequencer_.OnCommitted(landing.table, event, landing.buffer.first_lsn());
  return Status::OK();
}

void Committer::MakeRoom(const std::vector<Landing*>& landings) {
  const auto largest =
      std::max_element(landings.begin(), landings.end(), [](const Landing* a, const Landing* b) {
        return a->buffer.size_bytes() < b->buffer.size_bytes();
      });
  if (largest == landings.end() || clock_.Now() < (*largest)->not_before) return;
  Settle(**largest, StageAll(**largest));
}

void Committer::GiveBack(int64_t bytes) {
  if (budget_.GiveBack(bytes)) on_room_();
}

std::vector<Committer::Landing*> Committer::Landings() {
  std::lock_guard lock(mutex_);
  std::vector<Landing*> landings;
  for (const auto& [id, landing] : landings_) landings.push_back(landing.get());
  return landings;
}

Status Committer::last_error() const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, landing] : landings_) {
    if (!landing->error.ok()) return landing->error;
  }
  return Status::OK();
}

}  // namespace arka::ingest
