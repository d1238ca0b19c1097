#include "arka/ingest/committer.h"

#include <algorithm>
#include <iterator>
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
  pool_ = std::make_unique<TaskQueue>("arka-commit", options_.commit_threads);
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
  stop_.request_stop();
  if (thread_.joinable()) {
    thread_.request_stop();
    wake_.Notify();
    thread_.join();
  }
  pool_.reset();
}

SteadyTime Committer::Step() {
  const SteadyTime now = clock_.Now();
  SettleJobs();
  const bool due = commit_now_.exchange(false) || now >= next_commit_;
  if (due) next_commit_ = now + options_.interval;
  const Lsn s3_lsn = sequencer_.progress().watermarks.s3_lsn;
  const std::vector<Landing*> landings = Landings();
  for (Landing* landing : landings) {
    landing->commit_due |= due;
    StepTable(*landing, s3_lsn, now);
  }
  if (pool_ == nullptr) SettleJobs();
  if (budget_.is_tight()) MakeRoom(landings);
  return std::min(next_commit_, clock_.Now() + kMergeEvery);
}

void Committer::StepTable(Landing& landing, Lsn s3_lsn, SteadyTime now) {
  const Status merged = Merge(landing);
  if (!merged.ok()) return Settle(landing.table, landing.staging, merged);
  // Sealed once: rows that come while the commit waits for the upload stay for the next commit.
  const bool seal = landing.commit_due && !landing.sealed && !landing.job;
  if (seal || landing.buffer.size_bytes() >= options_.max_buffer_bytes) {
    if (now >= landing.staging.not_before && Stage(landing).ok()) landing.sealed |= seal;
  }
  if (!landing.sealed || landing.job || now < landing.committing.not_before) return;
  if (landing.staged_through > s3_lsn) return;
  landing.commit_due = landing.sealed = false;
  if (landing.staged_through != kNoLsn) StartCommit(landing);
}

// Notes how it went, and when to try again.
void Committer::Settle(const Table& table, Retry& retry, Status status) {
  if (status.ok()) {
    retry.backoff = milliseconds(0);
  } else {
    retry.backoff = std::clamp(retry.backoff * 2, kFirstBackoff, kMaxBackoff);
    retry.not_before = clock_.Now() + retry.backoff;
    status = WithContext(status, table.identifier.ToString());
    spdlog::warn("committer: {}; trying again in {} ms", status.message(), retry.backoff.count());
  }
  std::lock_guard lock(mutex_);
  retry.error = std::move(status);
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

Status Committer::Stage(Landing& landing) {
  const Status staged = StageAll(landing);
  Settle(landing.table, landing.staging, staged);
  return staged;
}

// Hands what is staged over to a job.
void Committer::StartCommit(Landing& landing) {
  landing.job.emplace();
  landing.job->files = std::exchange(landing.staged, {});
  landing.job->first_lsn = std::exchange(landing.first_staged, kNoLsn);
  landing.job->through = std::exchange(landing.staged_through, kNoLsn);
  landing.job->newest_lsn = sequencer_.progress().watermarks.last_lsn;
  ++commits_under_way_;
  if (pool_ == nullptr) return RunJob(landing);
  pool_->Post([this, &landing] {
    YieldToOtherThreads();
    RunJob(landing);
  });
}

void Committer::RunJob(Landing& landing) {
  Job& job = *landing.job;
  const Table& table = landing.table;
  if (!job.files.empty()) {
    job.outcome =
        tables_.Commit(table.identifier, table.uuid, job.files, job.newest_lsn, stop_.get_token());
  }
  {
    std::lock_guard lock(mutex_);
    ended_.push_back(&landing);
  }
  --commits_under_way_;
  wake_.Notify();
}

void Committer::SettleJobs() {
  std::vector<Landing*> ended;
  {
    std::lock_guard lock(mutex_);
    ended = std::exchange(ended_, {});
  }
  for (Landing* landing : ended) SettleJob(*landing);
}

void Committer::SettleJob(Landing& landing) {
  Job job = *std::exchange(landing.job, std::nullopt);
  if (job.outcome.ok() && !job.files.empty() && job.outcome->through < job.files.back().last_lsn) {
    job.outcome = Error(ErrorCode::kInternal, "the table is committed up to ", job.outcome->through,
                        ", which is within a data file");
  }
  Settle(landing.table, landing.committing, WithContext(job.outcome.status(), "commit"));
  if (!job.outcome.ok()) {
    // Before what was staged since; the same files again, alone or with later ones, are safe.
    std::move(landing.staged.begin(), landing.staged.end(), std::back_inserter(job.files));
    landing.staged = std::move(job.files);
    landing.first_staged = job.first_lsn;
    landing.staged_through = std::max(landing.staged_through, job.through);
    landing.commit_due = landing.sealed = true;
    return;
  }
  const CommitEvent event{job.through, job.outcome->snapshot_id,
                          clock_.WallNow().time_since_epoch().count()};
  if (!job.files.empty()) {
    spdlog::info("committer: {}: snapshot {} holds writes {} to {} in {} data file(s)",
                 landing.table.identifier.ToString(), event.snapshot_id, job.first_lsn.value,
                 event.through.value, job.files.size());
  }
  sequencer_.OnCommitted(landing.table, event, landing.first_held());
}

void Committer::MakeRoom(const std::vector<Landing*>& landings) {
  const auto largest =
      std::max_element(landings.begin(), landings.end(), [](const Landing* a, const Landing* b) {
        return a->buffer.size_bytes() < b->buffer.size_bytes();
      });
  if (largest == landings.end() || clock_.Now() < (*largest)->staging.not_before) return;
  (void)Stage(**largest);  // logged, and tried again
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
    if (!landing->staging.error.ok()) return landing->staging.error;
    if (!landing->committing.error.ok()) return landing->committing.error;
  }
  return Status::OK();
}

}  // namespace arka::ingest
