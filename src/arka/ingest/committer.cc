#include "arka/ingest/committer.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <pthread.h>
#include <spdlog/spdlog.h>

#include "arka/base/check.h"
#include "arka/base/thread_priority.h"
#include "arka/lake/data_file_writer.h"

namespace arka::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMergeEvery{50};
constexpr milliseconds kFirstBackoff{200};
constexpr milliseconds kMaxBackoff{10'000};
constexpr int64_t kMaxPieceBytes = 4 << 20;  // of the log, read at a time

std::string DataFileKey(const Table& table, const Rows& rows, Random& random) {
  return table.data_prefix + std::to_string(rows.first_lsn.value) + "-" +
         std::to_string(rows.last_lsn.value) + "-" + MakeUuid(random) + ".parquet";
}

}  // namespace

Committer::Job::Job() = default;

Committer::Landing::Landing(Table& table)
    : table(table),
      buffer(table.file_schema == nullptr ? nullptr : table.file_schema->storage_schema()) {}

Lsn Committer::Landing::first_held() const {
  if (reread) return reread->after.next();
  if (first_staged != kNoLsn) return first_staged;
  if (!buffer.empty() || unmerged.empty()) return buffer.first_lsn();
  return unmerged.front().lsn;
}

Committer::Committer(Sequencer& sequencer, lake::TableCommitter& tables, ObjectStore& warehouse,
                     MemoryBudget& budget, Clock& clock, Random& random, CommitterOptions options,
                     std::function<Status(Table&)> look)
    : sequencer_(sequencer),
      tables_(tables),
      warehouse_(warehouse),
      budget_(budget),
      clock_(clock),
      random_(random),
      options_(options),
      look_(std::move(look)),
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

void Committer::CommitNow(const Table* table) {
  if (table == nullptr) {
    commit_now_ = true;
  } else {
    std::lock_guard lock(mutex_);
    asked_.insert(table);
  }
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
  // What is still to be read back belongs to what shall be committed now.
  const bool keep_asking = sequencer_.backlog().active();
  const bool all_at_once = keep_asking ? commit_now_.load() : commit_now_.exchange(false);
  std::set<const Table*> asked;
  {
    std::lock_guard lock(mutex_);
    asked = keep_asking ? asked_ : std::exchange(asked_, {});
  }
  const bool due = all_at_once || sequencer_.TakeCommitRequest() || now >= next_commit_;
  if (due) next_commit_ = now + options_.interval;
  const Lsn s3_lsn = sequencer_.progress().watermarks.s3_lsn;
  const std::vector<Landing*> landings = Landings();
  for (Landing* landing : landings) {
    const bool at_once = all_at_once || asked.contains(&landing->table);
    landing->due_again |= at_once && landing->sealed;
    landing->commit_due |= due || at_once;
    StepTable(*landing, s3_lsn, now);
  }
  if (pool_ == nullptr) SettleJobs();
  if (budget_.is_tight()) MakeRoom(landings);
  const Result<bool> read = ReadBacklog(now);
  Note(read.status());
  if (read.ok() && *read) return clock_.Now();
  return std::min(next_commit_, clock_.Now() + kMergeEvery);
}

// 1. What came before the backlog goes to the buffers first, all of it: it must be on disk.
// 2. Pieces of the log are read while there is room for their rows: an error leaves the rest.
// 3. Once little is left the backlog is closed, and that little read whether there is room or not:
//    writes that come meanwhile are kept in memory, and must not wait for each other.
Result<bool> Committer::ReadBacklog(SteadyTime now) {
  Backlog backlog = sequencer_.backlog();
  if (!backlog.active()) return false;
  const std::vector<Landing*> landings = Landings();
  if (backlog.open()) {
    const Lsn disk_lsn = sequencer_.progress().watermarks.disk_lsn;
    for (Landing* landing : landings) ARROW_RETURN_NOT_OK(Merge(*landing));
    if (disk_lsn < backlog.read_through()) return false;
  }
  bool moved = false;
  while (backlog.active()) {
    if (backlog.open()) {
      if (!HasRoom(landings, now)) break;
      if (backlog.bytes() <= budget_.limit_bytes() / 8) backlog = sequencer_.CloseBacklog();
      if (!backlog.active()) break;
    }
    const Lsn before = backlog.read_through();
    ARROW_ASSIGN_OR_RAISE(backlog, ReadPiece(backlog));
    if (backlog.read_through() == before) break;  // the rest is not durable yet
    moved = true;
  }
  return moved;
}

Result<Backlog> Committer::ReadPiece(const Backlog& backlog) {
  Lsn delivered = backlog.read_through();
  int64_t bytes = 0, freed = 0;
  const int64_t piece = std::min(kMaxPieceBytes, budget_.limit_bytes() / 16);
  const auto read = replayer_->Read(
      delivered, backlog.last(), piece, nullptr, [&](Table& table, BufferedWrite write) -> Status {
        const Lsn lsn = write.lsn;
        const int64_t charged = write.charged_bytes;
        Landing* landing = nullptr;
        {
          std::lock_guard lock(mutex_);
          landing = landings_.at(table.id).get();
        }
        // What a table held that was gone at the start is staged by a job.
        if (lsn <= table.last_held) return Status::OK();
        budget_.Take(charged);
        landing->unmerged.push_back(std::move(write));
        delivered = lsn;
        bytes += charged;
        ARROW_ASSIGN_OR_RAISE(const int64_t saved, MergeUnmerged(*landing));
        freed += saved;
        return Status::OK();
      });
  if (freed > 0) budget_.GiveBack(freed);
  // What was delivered before an error is not delivered again.
  const Backlog left = sequencer_.OnReadBack(read.ok() ? *read : delivered, bytes);
  if (!read.ok()) return WithContext(read.status(), "reading the backlog");
  return left;
}

bool Committer::HasRoom(const std::vector<Landing*>& landings, SteadyTime now) const {
  // With nothing in the buffers that could make room there is room for a piece: what fills the
  // budget then waits for the disk, and perhaps for the log to be released.
  const bool empty = std::ranges::all_of(landings, [](const Landing* landing) {
    return landing->buffer.empty() && landing->unmerged.empty();
  });
  if (budget_.is_tight() && !empty) return false;
  return std::none_of(landings.begin(), landings.end(), [&](const Landing* landing) {
    const bool full =
        landing->buffer.size_bytes() >= options_.max_buffer_bytes || !landing->unmerged.empty();
    return full && now >= landing->staging.not_before;
  });
}

void Committer::Note(const Status& backlog_error) {
  if (!backlog_error.ok()) spdlog::warn("committer: {}; trying again", backlog_error.message());
  std::lock_guard lock(mutex_);
  backlog_error_ = backlog_error;
}

void Committer::StepTable(Landing& landing, Lsn s3_lsn, SteadyTime now) {
  if (!std::exchange(landing.begun, true) && landing.table.last_held != kNoLsn) {
    landing.reread = {landing.table.first_held.previous(), landing.table.last_held};
    landing.gone = true;
  }
  const Status merged = Merge(landing);
  if (!merged.ok()) return Settle(landing.table, landing.staging, merged);
  // Sealed once: rows that come while the commit waits for the upload stay for the next commit.
  const bool seal = landing.commit_due && !landing.sealed && !landing.job;
  if (seal || landing.buffer.size_bytes() >= options_.max_buffer_bytes) {
    if (now >= landing.staging.not_before && Stage(landing).ok()) landing.sealed |= seal;
  }
  if (!landing.sealed || landing.job || now < landing.committing.not_before) return;
  if (landing.staged_through > s3_lsn) return;
  if (landing.reread && landing.reread->through > s3_lsn) return;
  landing.sealed = false;
  landing.commit_due = std::exchange(landing.due_again, false);
  if (landing.staged_through != kNoLsn || landing.reread) StartCommit(landing);
}

// Notes how it went, and when to try again.
void Committer::Settle(const Table& table, Retry& retry, Status status) {
  if (status.ok()) {
    retry.backoff = milliseconds(0);
  } else {
    retry.backoff = std::clamp(retry.backoff * 2, kFirstBackoff, kMaxBackoff);
    // Tables that failed together, or servers, do not come back together.
    const auto jitter = milliseconds(random_.Next() % (retry.backoff.count() / 4 + 1));
    retry.not_before = clock_.Now() + retry.backoff - jitter;
    status = WithContext(status, table.identifier.ToString());
    spdlog::warn("committer: {}; trying again in {} ms", status.message(), retry.backoff.count());
  }
  std::lock_guard lock(mutex_);
  if (retry.error.ok()) retry.since = clock_.WallNow();
  retry.error = std::move(status);
}

Status Committer::Merge(Landing& landing) {
  for (BufferedWrite& write : sequencer_.TakePending(landing.table)) {
    landing.unmerged.push_back(std::move(write));
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t freed, MergeUnmerged(landing));
  if (freed > 0) budget_.GiveBack(freed);
  return Status::OK();
}

// Answers how many charged bytes are free again.
Result<int64_t> Committer::MergeUnmerged(Landing& landing) {
  int64_t freed = 0;
  while (!landing.unmerged.empty()) {
    if (!landing.buffer.Takes(landing.unmerged.front())) {
      // The table was altered: what came before goes to a file of its own.
      if (clock_.Now() < landing.staging.not_before || !Stage(landing).ok()) break;
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t saved,
                          landing.buffer.Add(std::move(landing.unmerged.front())));
    landing.unmerged.pop_front();
    freed += saved;
  }
  return freed;
}

Result<lake::StagedFile> Committer::WriteFile(const Table& table, const Rows& rows) {
  const std::string key = DataFileKey(table, rows, random_);
  const lake::TableSchema& schema = rows.schema != nullptr ? *rows.schema : *table.file_schema;
  auto file = lake::WriteDataFile(warehouse_, key, schema, rows.batches);
  if (!file.ok()) return WithContext(file.status(), "data file " + key);
  return lake::StagedFile{std::move(*file), rows.first_lsn, rows.last_lsn};
}

Status Committer::StageAll(Landing& landing) {
  if (landing.buffer.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(Rows rows, landing.buffer.TakeAll());
  if (rows.row_count > 0) {
    auto file = WriteFile(landing.table, rows);
    if (!file.ok()) {
      // The rows are gone from the buffer: they must not be lost to a store that is away.
      ARROW_RETURN_NOT_OK(landing.buffer.PutBack(std::move(rows)));
      return file.status();
    }
    landing.staged.push_back(*std::move(file));
  }
  if (landing.first_staged == kNoLsn) landing.first_staged = rows.first_lsn;
  landing.staged_through = rows.last_lsn;
  landing.staged_writes += rows.write_count;
  landing.staged_bytes += rows.write_bytes;
  budget_.GiveBack(rows.charged_bytes);
  return Status::OK();
}

Status Committer::Stage(Landing& landing) {
  const Status staged = StageAll(landing);
  Settle(landing.table, landing.staging, staged);
  return staged;
}

// Hands what is staged over to a job.
void Committer::StartCommit(Landing& landing) {
  Job& job = landing.job.emplace();
  job.first_lsn = landing.first_held();
  job.through = landing.staged_through;
  if (landing.reread) job.through = std::max(job.through, landing.reread->through);
  job.reread = std::exchange(landing.reread, std::nullopt);
  job.files = std::exchange(landing.staged, {});
  job.writes = std::exchange(landing.staged_writes, 0);
  job.bytes = std::exchange(landing.staged_bytes, 0);
  job.times_found = landing.table.times_found();
  job.newest_lsn = sequencer_.progress().watermarks.last_lsn;
  landing.first_staged = landing.staged_through = kNoLsn;
  ++commits_under_way_;
  if (pool_ == nullptr) return RunJob(landing);
  pool_->Post([this, &landing] {
    YieldToOtherThreads();
    RunJob(landing);
  });
}

void Committer::RunJob(Landing& landing) {
  Job& job = *landing.job;
  Table& table = landing.table;
  const Status read = job.reread ? Reread(table, job) : Status::OK();
  if (!read.ok()) {
    job.outcome = read;
  } else if (!job.files.empty()) {
    job.outcome =
        tables_.Commit(table.name(), table.uuid, job.files, job.newest_lsn, stop_.get_token());
  }
  {
    std::lock_guard lock(mutex_);
    ended_.push_back(&landing);
  }
  --commits_under_way_;
  wake_.Notify();
}

// Rows that no data file has, or only files that can never be committed: out of the log, into new
// ones. After an error all is read again; files that were written meanwhile stay behind.
Status Committer::Reread(Table& table, Job& job) {
  ARKA_CHECK(replayer_ != nullptr);
  if (table.is_gone()) ARROW_RETURN_NOT_OK(look_(table));
  const int64_t file_bytes = std::min(options_.max_buffer_bytes, budget_.limit_bytes() / 4);
  TableBuffer buffer(nullptr);
  std::vector<lake::StagedFile> files;
  const auto stage = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, buffer.TakeAll());
    budget_.GiveBack(rows.charged_bytes);
    job.writes += rows.write_count;
    job.bytes += rows.write_bytes;
    if (rows.row_count == 0) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto file, WriteFile(table, rows));
    files.push_back(std::move(file));
    return Status::OK();
  };
  const auto read_all = [&]() -> Status {
    Lsn after = job.reread->after;
    while (after < job.reread->through) {
      if (stop_.stop_requested()) return Error(ErrorCode::kShuttingDown, "stopped");
      ARROW_ASSIGN_OR_RAISE(const Lsn through,
                            replayer_->Read(after, job.reread->through, kMaxPieceBytes, &table,
                                            [&](Table&, BufferedWrite write) -> Status {
                                              if (!buffer.Takes(write))
                                                ARROW_RETURN_NOT_OK(stage());
                                              budget_.Take(write.charged_bytes);
                                              ARROW_ASSIGN_OR_RAISE(const int64_t freed,
                                                                    buffer.Add(std::move(write)));
                                              budget_.GiveBack(freed);
                                              return Status::OK();
                                            }));
      if (through == after) {
        return Error(ErrorCode::kInternal, "the log holds nothing after LSN ", after);
      }
      after = through;
      if (buffer.size_bytes() >= file_bytes) ARROW_RETURN_NOT_OK(stage());
    }
    return stage();
  };
  const Status read = read_all();
  if (!read.ok()) {
    budget_.GiveBack(buffer.charged_bytes());
    job.writes = job.bytes = 0;  // counted anew once the table is committed to the end
    return WithContext(read, "reading writes back from the log");
  }
  std::move(job.files.begin(), job.files.end(), std::back_inserter(files));
  job.files = std::move(files);
  job.reread.reset();
  return Status::OK();
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
  Table& table = landing.table;
  Settle(table, landing.committing, WithContext(job.outcome.status(), "commit"));
  if (!job.outcome.ok()) {
    if (CodeOf(job.outcome.status()) == ErrorCode::kNotFound &&
        table.NoteGone(job.outcome.status(), job.times_found)) {
      landing.gone = true;
      sequencer_.SetGone(table, true);
    }
    return GiveBack(landing, job);
  }
  const lake::CommitOutcome& outcome = *job.outcome;
  CommitEvent event{job.through, outcome.snapshot_id, clock_.WallNow().time_since_epoch().count()};
  if (std::exchange(landing.gone, false)) sequencer_.SetGone(table, false);
  if (!job.files.empty()) {
    table.NoteFound(outcome.name, outcome.schema_id);
    if (outcome.through < job.files.back().last_lsn) {
      event.through = outcome.through;
      KeepRest(landing, job);
    }
    spdlog::info("committer: {}: snapshot {} holds writes {} to {} in {} data file(s)",
                 outcome.name.ToString(), event.snapshot_id, job.first_lsn.value,
                 event.through.value, job.files.size());
  }
  table.NoteLanded(event.through, job.writes, job.bytes);
  sequencer_.OnCommitted(table, event, landing.first_held());
}

// Puts a job's files before what was staged since; committing the same files again, alone or with
// later ones, is safe.
void Committer::GiveBack(Landing& landing, Job& job) {
  std::move(landing.staged.begin(), landing.staged.end(), std::back_inserter(job.files));
  landing.staged = std::move(job.files);
  landing.reread = job.reread;
  landing.first_staged = job.first_lsn;
  landing.staged_through = std::max(landing.staged_through, job.through);
  landing.staged_writes += job.writes;
  landing.staged_bytes += job.bytes;
  landing.due_again |= landing.commit_due;  // while the job ran: of what has not been staged
  landing.commit_due = landing.sealed = true;
}

// An attempt of before a restart has landed late, with other file boundaries. The file that it
// overlaps cannot be committed; it stays where it is, and its writes that have not landed are read
// back from the log.
void Committer::KeepRest(Landing& landing, Job& job) {
  const Lsn through = job.outcome->through;
  Job rest = job;
  rest.files.clear();
  rest.first_lsn = through.next();
  rest.writes = rest.bytes = 0;
  for (const lake::StagedFile& file : job.files) {
    if (file.last_lsn <= through) continue;
    if (file.first_lsn > through) {
      rest.files.push_back(file);
      continue;
    }
    spdlog::warn(
        "committer: {}: writes up to {} were committed by an earlier run, late; those up "
        "to {} are staged anew, and {} is left behind",
        landing.table.name().ToString(), through.value, file.last_lsn.value, file.file.file_path);
    rest.reread = {through, file.last_lsn};
  }
  GiveBack(landing, rest);
}

void Committer::MakeRoom(const std::vector<Landing*>& landings) {
  const auto largest =
      std::max_element(landings.begin(), landings.end(), [](const Landing* a, const Landing* b) {
        return a->buffer.size_bytes() < b->buffer.size_bytes();
      });
  if (largest == landings.end() || clock_.Now() < (*largest)->staging.not_before) return;
  (void)Stage(**largest);  // logged, and tried again
}

std::vector<Committer::Landing*> Committer::Landings() {
  std::lock_guard lock(mutex_);
  std::vector<Landing*> landings;
  for (const auto& [id, landing] : landings_) landings.push_back(landing.get());
  return landings;
}

std::vector<protocol::TableStatus> Committer::tables(size_t limit) const {
  std::vector<protocol::TableStatus> tables;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, landing] : landings_) {
      const Table& table = landing->table;
      protocol::TableStatus status;
      status.name = table.name().ToString();
      status.uuid = table.uuid;
      status.committed_lsn = table.committed_through();
      status.pending_writes = table.pending_writes();
      status.pending_bytes = table.pending_bytes();
      const auto last = table.last_commit();
      if (last) status.last_commit_us = last->timestamp_us;
      for (const Retry* retry : {&landing->staging, &landing->committing}) {
        if (retry->error.ok()) continue;
        status.problem = retry->error.message();
        status.problem_since_us = retry->since.time_since_epoch().count();
      }
      if (status.problem.empty() && table.is_gone() && status.pending_writes > 0)
        status.problem = table.CheckThere().message();
      tables.push_back(std::move(status));
    }
  }
  std::stable_partition(tables.begin(), tables.end(),
                        [](const auto& status) { return !status.problem.empty(); });
  if (tables.size() > limit) tables.resize(limit);
  return tables;
}

Status Committer::last_error() const {
  std::lock_guard lock(mutex_);
  if (!backlog_error_.ok()) return backlog_error_;
  for (const auto& [id, landing] : landings_) {
    if (!landing->staging.error.ok()) return landing->staging.error;
    if (!landing->committing.error.ok()) return landing->committing.error;
  }
  return Status::OK();
}

}  // namespace arka::ingest
