#include "arka/ingest/engine.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/base/check.h"
#include "arka/ingest/object_store_recovery.h"
#include "arka/ingest/recovery.h"
#include "arka/wal/log_refill.h"

namespace arka::ingest {
namespace {
constexpr size_t kMaxTablesInStatus = 100;
constexpr int64_t kReadBytes = 4 << 20;  // of the log, for a read of a table, at a time
}  // namespace

Engine::Engine(EngineSeams seams, EngineOptions options)
    : options_(std::move(options)),
      clock_(seams.clock),
      budget_(options_.max_unflushed_bytes, [this] { turns_->OnRoom(); }),
      gate_({options_.log.max_bytes, options_.log.segment_bytes, options_.memory_limit_bytes},
            seams.memory, budget_, seams.clock, [this] { TellAllTurns(); }),
      table_committer_(seams.catalog, seams.warehouse, seams.clock, seams.random, options_.node),
      sequencer_(seams.clock, budget_, {options_.producers, options_.acks_retention}),
      committer_(sequencer_, table_committer_, seams.warehouse, budget_, seams.clock, seams.random,
                 {options_.commit_interval, options_.max_buffer_bytes},
                 [this](Table& table) { return tables_.Look(table); }),
      tables_(seams.catalog, seams.warehouse, {options_.node, options_.auto_create},
              [this](Table& table) { committer_.AddTable(table); }),
      changes_(seams.catalog, tables_, sequencer_),
      checkpoints_(seams.fs, seams.objects, options_.log.directory, options_.node) {}

Result<std::unique_ptr<Engine>> Engine::Make(EngineSeams seams, EngineOptions options) {
  std::unique_ptr<Engine> engine(new Engine(seams, std::move(options)));
  const auto& log_options = engine->options_.log;
  ARROW_RETURN_NOT_OK(
      CompleteRepairedLog(seams.fs, seams.clock, seams.objects, seams.catalog, log_options));
  if (engine->options_.recover_from_object_store) {
    ARROW_RETURN_NOT_OK(RecoverLogFromObjectStore(seams.fs, seams.clock, seams.objects,
                                                  seams.catalog, log_options));
  }
  ARROW_RETURN_NOT_OK(
      CheckLogIsNotMissing(seams.fs, log_options.directory, seams.objects, engine->options_.node));
  std::deque<std::pair<Lsn, std::string>> objects;
  ARROW_ASSIGN_OR_RAISE(const Lsn s3_lsn,
                        Uploader::FindUploaded(seams.objects, engine->options_.node, &objects));
  GivenUpWrites given_up(seams.catalog, engine->options_.give_up_writes_of);
  Recovery recovery(engine->tables_, engine->sequencer_, engine->checkpoints_, given_up,
                    seams.clock, engine->options_.recovery_progress);
  ARROW_ASSIGN_OR_RAISE(engine->log_, wal::Log::Open(seams.fs, seams.clock, log_options, recovery));
  const Lsn uploaded = std::max(s3_lsn, recovery.checkpoint_lsn());
  if (const Lsn last = std::max(engine->log_->last_lsn(), kNoLsn); uploaded > last) {
    if (!engine->options_.recover_from_object_store) {
      return Error(ErrorCode::kCorruption, "the object store has writes up to LSN ", uploaded,
                   ", but the log in ", log_options.directory, " ends at ", last,
                   ": it lost its end, or is an older copy, and going on would leave them behind. "
                   "Put the right log back, or start with --recover-from-object-store, which takes "
                   "them from there");
    }
    spdlog::warn("recovery: the log ends at LSN {}, the object store has writes up to {}",
                 last.value, uploaded.value);
    ARROW_RETURN_NOT_OK(wal::MarkIncomplete(seams.fs, log_options.directory, uploaded));
    options = engine->options_;
    engine.reset();
    return Make(seams, std::move(options));
  }
  if (recovery.restored_writes() + recovery.held_writes() > 0) {
    spdlog::info("recovery: {} write(s) go to their tables again, {} are held for missing tables",
                 recovery.restored_writes(), recovery.held_writes());
  }
  given_up.Report();
  for (const LsnRange& range : given_up.ranges()) engine->sequencer_.RestoreGivenUp(range);
  engine->replayer_ = std::make_unique<LogReplayer>(*engine->log_, engine->tables_);
  engine->committer_.ReadFrom(*engine->replayer_);
  engine->uploader_ = std::make_unique<Uploader>(
      *engine->log_, engine->pins_, seams.objects, engine->checkpoints_, seams.clock,
      engine->sequencer_,
      UploaderOptions{.node = engine->options_.node,
                      .interval = engine->options_.upload_interval,
                      .max_pinned_log_bytes = log_options.max_bytes / 2});
  engine->uploader_->Adopt(std::move(objects));
  engine->sequencer_.AddListener([raw = engine.get()] {
    raw->uploader_->Notify();
    raw->drained_.Notify();
    raw->WakeAwaiting();
    if (raw->producer_turns_->any_waiting()) raw->producer_turns_->OnRoom();
  });
  engine->sequencer_.Begin(*engine->log_, s3_lsn);
  if (!given_up.ranges().empty()) {
    // Before anybody is told: what was told to be lost once must not land after another start.
    const Lsn through = engine->progress().watermarks.s3_lsn;
    ARROW_RETURN_NOT_OK(
        WithContext(engine->checkpoints_.Publish(engine->sequencer_.CheckpointAt(through)),
                    "making it durable that writes are given up"));
  }
  return engine;
}

Engine::~Engine() {
  turns_->Close();
  producer_turns_->Close();
  gate_.Stop();
  if (uploader_ != nullptr) uploader_->Stop();
  committer_.Stop();
  if (log_ != nullptr && started_) {
    const Status closed = log_->Close();
    if (!closed.ok()) spdlog::error("log: {}", closed.message());
  }
}

void Engine::AddProgressListener(std::function<void()> listener) {
  ARKA_CHECK(!started_);
  sequencer_.AddListener(std::move(listener));
}

void Engine::Start() {
  started_ = true;
  gate_.Watch(*log_);
  if (options_.stepped) return;
  log_->Start(sequencer_);
  gate_.Start();
  uploader_->Start();
  committer_.Start();
}

void Engine::Step(Stage stage) {
  ARKA_CHECK(started_ && options_.stepped);
  switch (stage) {
    case Stage::kLog:
      (void)log_->Step(sequencer_);  // the sequencer has heard of an error
      break;
    case Stage::kUploader:
      uploader_->Step();
      break;
    case Stage::kCommitter:
      committer_.Step();
      break;
  }
}

std::shared_ptr<const OpenedTable> Engine::FindTable(const iceberg::TableIdentifier& identifier,
                                                     const arrow::Schema& stream_schema) const {
  return tables_.Find(identifier, stream_schema);
}

void Engine::OpenTable(iceberg::TableIdentifier identifier,
                       std::shared_ptr<arrow::Schema> stream_schema, OpenCallback done) {
  opener_.Post([this, identifier = std::move(identifier), schema = std::move(stream_schema),
                done = std::move(done)] { done(tables_.Open(identifier, *schema, *log_)); });
}

Result<Lsn> Engine::Write(const OpenedTable& target, DecodedWrite& write) {
  ARROW_RETURN_NOT_OK(target.table->CheckThere());
  const int64_t bytes = write.size_bytes();
  ARROW_RETURN_NOT_OK(TakeMemory(write, /*had_turn=*/write.ticket != 0));
  auto lsn = sequencer_.Sequence(*target.table, target.definition, write, bytes);
  if (lsn.ok()) return lsn;
  budget_.GiveBack(bytes);
  if (CodeOf(lsn.status()) == ErrorCode::kBackpressure) gate_.OnRefusedByLog();
  return lsn;
}

Result<std::shared_ptr<Producer>> Engine::OpenProducer(const OpenedTable& target,
                                                       const std::string& name, int64_t epoch) {
  return sequencer_.OpenProducer(name, target.table->uuid, epoch);
}

Result<Admission> Engine::Write(const OpenedTable& target, DecodedWrite& write, Producer& producer,
                                int64_t seq, int64_t epoch) {
  // A retry must not wait for memory. The look is only a hint: SequenceOnce decides.
  if (seq != producer.last_seq() + 1) {
    ARROW_ASSIGN_OR_RAISE(const auto retry, sequencer_.FindRetry(producer, seq, epoch));
    if (retry) return *retry;
  }
  ARROW_RETURN_NOT_OK(target.table->CheckThere());
  const int64_t bytes = write.size_bytes();
  const Shortage waited_for = std::exchange(write.shortage, Shortage::kRoom);
  const bool had_turn = write.ticket != 0 && waited_for == Shortage::kRoom;
  ARROW_RETURN_NOT_OK(TakeMemory(write, had_turn));
  auto admission =
      sequencer_.SequenceOnce(*target.table, target.definition, write, bytes, producer, seq, epoch);
  if (admission.ok() && !admission->is_retry) return admission;
  budget_.GiveBack(bytes);
  if (!admission.ok() && CodeOf(admission.status()) == ErrorCode::kBackpressure) {
    // Not in the queue for room, where it would hold up writes that need no place.
    write.shortage = Shortage::kProducers;
    gate_.OnRefusedByLog();
  }
  return admission;
}

Status Engine::TakeMemory(const DecodedWrite& write, bool had_turn) {
  if (!had_turn && turns_->any_waiting()) {
    return Error(ErrorCode::kBackpressure, turns_->waiting(),
                 " writes wait for room, and this one after them");
  }
  ARROW_RETURN_NOT_OK(gate_.Check());
  if (budget_.TryTake(write.size_bytes())) return Status::OK();
  return Error(ErrorCode::kBackpressure, "the server holds ", budget_.taken_bytes(),
               " bytes of writes in memory, and may hold ", budget_.limit_bytes(),
               " (write_buffer.max_unflushed_bytes); ", log_->pending_bytes(),
               " of them wait for the log's disk, which is slow or full where that is most of it");
}

void Engine::TellAllTurns() {
  turns_->OnRoom();
  producer_turns_->OnRoom();
}

Result<LastSeq> Engine::LastSeqOf(const iceberg::TableIdentifier& table,
                                  const std::string& producer) {
  const Table* found = tables_.FindTable(table);
  if (found == nullptr) {
    return Error(ErrorCode::kNotFound, "table ", table.ToString(),
                 " has not been opened since the server started");
  }
  return sequencer_.LastSeqOf(producer, found->uuid);
}

void Engine::FindLastSeq(iceberg::TableIdentifier table, std::string producer,
                         std::function<void(Result<LastSeq>)> done) {
  opener_.Post([this, table = std::move(table), producer = std::move(producer),
                done = std::move(done)] {
    const auto loaded = tables_.UuidOf(table);
    done(loaded.ok() ? Result<LastSeq>(sequencer_.LastSeqOf(producer, *loaded)) : loaded.status());
  });
}

void Engine::ClaimProducer(iceberg::TableIdentifier table, std::string producer,
                           std::function<void(Result<ProducerClaim>)> done) {
  opener_.Post(
      [this, table = std::move(table), producer = std::move(producer), done = std::move(done)] {
        auto uuid = tables_.UuidOf(table);
        if (!uuid.ok() && CodeOf(uuid.status()) == ErrorCode::kNotFound) uuid = "";
        done(uuid.ok() ? sequencer_.ClaimProducer(producer, *uuid) : uuid.status());
      });
}

void Engine::CheckTable(iceberg::TableIdentifier table, std::function<void(Status)> done) {
  opener_.Post([this, table = std::move(table), done = std::move(done)] {
    done(tables_.UuidOf(table).status());
  });
}

void Engine::WakeAwaiting() {
  if (awaiting_ == 0) return;
  // With the lock: nobody is between its look and its wait then.
  std::lock_guard lock(moving_);
  moved_.notify_all();
}

Result<Lsn> Engine::AwaitDisk(std::chrono::milliseconds patience) {
  ++awaiting_;
  const Lsn wanted = progress().watermarks.last_lsn;
  Progress now;
  bool done = false;
  {
    std::unique_lock lock(moving_);
    done = clock_.WaitUntil(lock, moved_, clock_.Now() + patience, [&] {
      now = progress();
      return now.failed || now.watermarks.disk_lsn >= wanted;
    });
  }
  --awaiting_;
  if (done) return now.watermarks.disk_lsn;
  return Error(ErrorCode::kTimedOut, "writes up to LSN ", wanted, " are not on disk after ",
               patience.count(), " ms; the log is at ", now.watermarks.disk_lsn,
               ": its disk is slow or full");
}

std::optional<LogSpan> Engine::UncommittedOf(const iceberg::TableIdentifier& identifier) const {
  const Table* const table = tables_.FindTable(identifier);
  if (table == nullptr) return std::nullopt;
  return LogSpan{table->uuid, sequencer_.FirstUncommitted(*table)};
}

Lsn Engine::LastWriteTo(const std::string& table_uuid) const {
  const Table* const table = tables_.FindByUuid(table_uuid);
  return table == nullptr ? kNoLsn : table->last_write();
}

Result<Lsn> Engine::ReadLog(const LogPins::Pin& pin, const std::string& table_uuid, Lsn after,
                            Lsn through, const LogReplayer::Sink& sink) {
  ARROW_ASSIGN_OR_RAISE(Table* const table, tables_.FindKnown(table_uuid));
  if (table == nullptr) return through;
  auto read = replayer_->ReadAll(after, through, kReadBytes, *table, sink);
  if (!pin.holds()) {
    return Error(ErrorCode::kUnavailable,
                 "the log needed the room of the writes that the read was to see; read again");
  }
  return read;
}

void Engine::CreateTable(iceberg::TableIdentifier table, std::shared_ptr<arrow::Schema> schema,
                         std::function<void(Result<std::string>)> done) {
  opener_.Post([this, table = std::move(table), schema = std::move(schema),
                done = std::move(done)] { done(tables_.Create(table, *schema)); });
}

void Engine::ChangeTables(std::function<void(TableChanges&)> task) {
  opener_.Post([this, task = std::move(task)] { task(changes_); });
}

Result<LsnLevel> Engine::LevelOf(Lsn lsn) const {
  ARROW_ASSIGN_OR_RAISE(const auto tier, sequencer_.LevelOf(lsn));
  return LsnLevel{tier};
}

std::optional<int64_t> Engine::ReachedAt(Tier tier, Lsn lsn) const {
  const auto reached = sequencer_.ReachedAt(tier, lsn);
  if (!reached) return std::nullopt;
  return reached->time_since_epoch().count();
}

protocol::ServerStatus Engine::status() const {
  protocol::ServerStatus status;
  status.watermarks = sequencer_.progress().watermarks;
  status.lag_seconds = sequencer_.lag_seconds();
  status.version = options_.version;
  status.node = options_.node;
  status.write_memory_bytes = budget_.taken_bytes();
  status.write_memory_limit_bytes = budget_.limit_bytes();
  status.log_bytes = log_->used_bytes();
  status.log_limit_bytes = options_.log.max_bytes;
  status.undurable_bytes = log_->pending_bytes();
  status.process_memory_bytes = gate_.resident_bytes();
  status.process_memory_limit_bytes = options_.memory_limit_bytes;
  for (const auto& turns : {turns_, producer_turns_}) {
    status.waiting_writes += turns->waiting();
    status.waited_writes += turns->total_waited();
    status.refused_writes += turns->total_refused();
  }
  const Backlog backlog = sequencer_.backlog();
  status.backlog_bytes = backlog.bytes();
  if (backlog.active() && !backlog.all_read()) {
    status.backlog_first_lsn = backlog.read_through().next();
    status.backlog_last_lsn = backlog.last();
  }
  const Status failure = sequencer_.failure();
  status.ready = failure.ok();
  for (const Status& problem : {failure, uploader_->last_error(), committer_.last_error()}) {
    if (problem.ok()) continue;
    status.problem = problem.message();
    break;
  }
  status.tables = committer_.tables(kMaxTablesInStatus);
  return status;
}

Status Engine::Drain(std::chrono::milliseconds patience) {
  const SteadyTime deadline = clock_.Now() + patience;
  ARROW_RETURN_NOT_OK(log_->Flush());
  committer_.CommitNow();
  uploader_->Hurry();
  while (true) {
    if (sequencer_.all_landed()) return Status::OK();
    if (clock_.Now() >= deadline) {
      const auto watermarks = sequencer_.progress().watermarks;
      return Error(ErrorCode::kTimedOut, "writes up to LSN ", watermarks.committed_lsn.value,
                   " of ", watermarks.last_lsn.value,
                   " are committed; the rest are in the log and go on at the next start");
    }
    drained_.WaitUntil(clock_, deadline);
    committer_.Notify();
  }
}

}  // namespace arka::ingest
