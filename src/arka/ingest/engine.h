// The write path behind the services: opens tables, takes writes, says how far they are.
//
// A facade over the log, the sequencer, the uploader and the committer, which it owns; it decides
// nothing that they decide. Built by the composition root; the seams must outlive it. Thread-safe.
// Shutdown order: stop calling Write, Drain, destroy.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/task_queue.h"
#include "arka/iceberg/catalog.h"
#include "arka/ingest/admission_turns.h"
#include "arka/ingest/checkpoint_store.h"
#include "arka/ingest/committer.h"
#include "arka/ingest/log_pins.h"
#include "arka/ingest/log_replayer.h"
#include "arka/ingest/memory_budget.h"
#include "arka/ingest/pressure_gate.h"
#include "arka/ingest/recovery_progress.h"
#include "arka/ingest/sequencer.h"
#include "arka/ingest/stream_decoder.h"
#include "arka/ingest/table_changes.h"
#include "arka/ingest/table_registry.h"
#include "arka/ingest/uploader.h"
#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/io/object_store.h"
#include "arka/io/process_memory.h"
#include "arka/io/random.h"
#include "arka/lake/table_committer.h"
#include "arka/protocol/server_status.h"
#include "arka/wal/log.h"

namespace arka::ingest {

struct EngineOptions {
  std::string node = "node-1";
  std::string version;
  wal::LogOptions log;
  std::chrono::milliseconds upload_interval{100};
  std::chrono::milliseconds commit_interval{60'000};
  int64_t max_buffer_bytes = 128 << 20;
  int64_t max_unflushed_bytes = 512 << 20;
  int64_t memory_limit_bytes = 0;  // of the whole process; 0: no bound
  bool auto_create = true;
  ProducerTableOptions producers;
  std::chrono::milliseconds acks_retention{300'000};
  /// Where the disk has no log: make it out of what the object store has.
  bool recover_from_object_store = false;
  /// UUIDs of tables: what the log holds for them is given up where the catalog has them no more.
  std::vector<std::string> give_up_writes_of;
  bool stepped = false;  // nothing runs by itself, but for Step: for simulations
  RecoveryProgress* recovery_progress = nullptr;  // told while Make runs
};

/// How far a write is.
struct LsnLevel {
  std::optional<Tier> tier;  // nothing: a crash took it before it was durable
  int64_t snapshot_id = 0;   // 0: not known from the LSN alone
};

/// What the log has of a table: writes from `first` on that are not committed; kNoLsn: none.
struct LogSpan {
  std::string table_uuid;
  Lsn first = kNoLsn;
};

/// The edges of the process.
struct EngineSeams {
  Fs& fs;
  Clock& clock;
  Random& random;
  ObjectStore& objects;    // for the log
  ObjectStore& warehouse;  // for the tables
  iceberg::Catalog& catalog;
  ProcessMemory* memory = nullptr;  // needed where there is a bound of it
};

class Engine {
 public:
  using OpenCallback = std::function<void(Result<std::shared_ptr<const OpenedTable>>)>;

  /// Opens the log and puts back what it holds; answers an engine whose loops do not run yet.
  static Result<std::unique_ptr<Engine>> Make(EngineSeams seams, EngineOptions options);
  ~Engine();

  /// Called after every move of a watermark; any thread, must be quick. Register before Start.
  void AddProgressListener(std::function<void()> listener);
  /// Where writes that were refused with kBackpressure for that `shortage` wait their turn: whoever
  /// has a ticket puts it into the write and tries again when told. A write without one is refused
  /// while others wait. Outlives the engine where it is kept; nobody is told anything then.
  const std::shared_ptr<AdmissionTurns>& turns(Shortage shortage = Shortage::kRoom) {
    return shortage == Shortage::kRoom ? turns_ : producer_turns_;
  }
  void Start();

  /// Where options.stepped: one round of a stage on the caller's thread, which is the only one.
  enum class Stage { kLog, kUploader, kCommitter };
  void Step(Stage stage);

  /// The table, where this name and schema were opened before; never blocks.
  std::shared_ptr<const OpenedTable> FindTable(const iceberg::TableIdentifier& identifier,
                                               const arrow::Schema& stream_schema) const;
  /// Opens it, creating it where that is allowed; `done` is called on a thread of the engine's.
  void OpenTable(iceberg::TableIdentifier identifier, std::shared_ptr<arrow::Schema> stream_schema,
                 OpenCallback done);

  /// Gives `write` its LSN and takes it over: it is in MEMORY now, and every tier follows by
  /// itself. kBackpressure where memory or disk is used up: `write` is untouched but for its
  /// shortage; wait in the turns of that one. Any other error is final for the server's life (the
  /// log's).
  Result<Lsn> Write(const OpenedTable& target, DecodedWrite& write);

  /// The handle for the writes of the producer `name` to that table under `epoch` (0: it has none);
  /// never blocks. kInvalidRequest for a name that cannot be one and an epoch that was never given,
  /// kFailedPrecondition where the producer was claimed under a higher one, kBackpressure where the
  /// server knows producers.max already.
  Result<std::shared_ptr<Producer>> OpenProducer(const OpenedTable& target, const std::string& name,
                                                 int64_t epoch = 0);

  /// As Write, once for every `seq`: the next seq of `producer` is written, one that it wrote
  /// before is answered with the LSN of the first time, takes no memory and leaves no trace.
  /// kInvalidRequest, naming the expected seq, for any other; kFailedPrecondition where the
  /// producer was claimed under an epoch above `epoch`, or the seq was written under one below.
  Result<Admission> Write(const OpenedTable& target, DecodedWrite& write, Producer& producer,
                          int64_t seq, int64_t epoch = 0);

  /// The table of that name, where it was opened since the start or the log has writes to it; else
  /// nullptr. Lives as long as the engine. Never blocks.
  const Table* FindKnownTable(const iceberg::TableIdentifier& identifier) const {
    return tables_.FindTable(identifier);
  }
  /// Whether there is such a table: kNotFound where the catalog has none. `done` is called on a
  /// thread of the engine's.
  void CheckTable(iceberg::TableIdentifier table, std::function<void(Status)> done);
  /// Makes an empty table; `done` is told its UUID, or why not (TableRegistry::Create), on a thread
  /// of the engine's.
  void CreateTable(iceberg::TableIdentifier table, std::shared_ptr<arrow::Schema> schema,
                   std::function<void(Result<std::string>)> done);
  /// Runs `task`, which may block, on the thread that opens tables: nothing is opened meanwhile.
  void ChangeTables(std::function<void(TableChanges&)> task);
  /// Tables with writes that are not committed. Never blocks.
  std::vector<const Table*> UncommittedTables() const { return tables_.Uncommitted(); }
  /// Uploads what is on disk by now without waiting for the interval. Never blocks.
  void UploadNow() { uploader_->Hurry(); }
  /// Commits what is on disk by now, of `table` or (nullptr) of all, once it is uploaded. Never
  /// blocks.
  void CommitNow(const Table* table) { committer_.CommitNow(table); }

  /// Where a producer is to go on. kNotFound where no stream has opened the table since the start;
  /// FindLastSeq asks the catalog then.
  Result<LastSeq> LastSeqOf(const iceberg::TableIdentifier& table, const std::string& producer);
  /// The same for any table of the catalog; `done` is called on a thread of the engine's.
  void FindLastSeq(iceberg::TableIdentifier table, std::string producer,
                   std::function<void(Result<LastSeq>)> done);
  /// Claims the producer for whoever asks (Sequencer::ClaimProducer), also where the catalog has no
  /// such table yet; `done` is called on a thread of the engine's.
  void ClaimProducer(iceberg::TableIdentifier table, std::string producer,
                     std::function<void(Result<ProducerClaim>)> done);

  /// The highest tier that `lsn` is known to have reached: COMMITTED is told once every write
  /// before it is committed too. kNotFound where this server never gave it.
  Result<LsnLevel> LevelOf(Lsn lsn) const;
  /// When `lsn` reached `tier` (microseconds since the epoch): within 10 ms for what is not older
  /// than acks_retention; some later time, never an earlier one, for older LSNs and those of former
  /// runs. Nothing where it has not. Not for COMMITTED: Table::CommitOf tells that.
  std::optional<int64_t> ReachedAt(Tier tier, Lsn lsn) const;

  /// For reads of a table (src/arka/query), in this order: keeps the log as it is, as far as
  /// writes leave room for that;
  std::shared_ptr<const LogPins::Pin> PinLog() { return pins_.Take(); }
  /// waits until every write of before the call is on disk, and answers the last LSN that is: the
  /// last that will be, where the log failed. kTimedOut after `patience`. Blocks;
  Result<Lsn> AwaitDisk(std::chrono::milliseconds patience);
  /// then, before the catalog is asked, what the log may have of the table that has this name and
  /// is not committed (LogSpan); nothing where no table of that name is known;
  std::optional<LogSpan> UncommittedOf(const iceberg::TableIdentifier& identifier) const;
  /// then, once the catalog has told of the table, the last LSN that it may have in the log; kNoLsn
  /// where there is none;
  Lsn LastWriteTo(const std::string& table_uuid) const;
  /// and a piece of its writes of after < LSN <= through,
  /// as LogReplayer::ReadAll. kUnavailable where the pin did not hold. Blocks.
  Result<Lsn> ReadLog(const LogPins::Pin& pin, const std::string& table_uuid, Lsn after,
                      Lsn through, const LogReplayer::Sink& sink);

  /// Runs what is too long for an event loop.
  void RunAside(std::function<void()> task) { aside_.Post(std::move(task)); }

  Progress progress() const { return sequencer_.progress(); }
  protocol::ServerStatus status() const;
  /// Why nothing is acknowledged any more; OK while the log works.
  Status failure() const { return sequencer_.failure(); }

  /// Calls of catalog and warehouse for commits that have not returned yet.
  int commits_under_way() const { return committer_.commits_under_way(); }

  /// Makes everything written so far durable, uploads and commits it. kTimedOut where that is not
  /// done by then: nothing is lost, the next start goes on.
  Status Drain(std::chrono::milliseconds patience);

 private:
  Engine(EngineSeams seams, EngineOptions options);
  Status TakeMemory(const DecodedWrite& write, bool had_turn);
  void TellAllTurns();
  void WakeAwaiting();

  const EngineOptions options_;
  Clock& clock_;
  const std::shared_ptr<AdmissionTurns> turns_ = std::make_shared<AdmissionTurns>();
  const std::shared_ptr<AdmissionTurns> producer_turns_ = std::make_shared<AdmissionTurns>();
  MemoryBudget budget_;
  PressureGate gate_;
  lake::TableCommitter table_committer_;
  Sequencer sequencer_;
  Committer committer_;
  TableRegistry tables_;
  TableChanges changes_;
  std::unique_ptr<wal::Log> log_;
  std::unique_ptr<LogReplayer> replayer_;
  CheckpointStore checkpoints_;
  std::unique_ptr<Uploader> uploader_;
  LogPins pins_;
  WakeSignal drained_;  // notified with every move of a watermark
  std::mutex moving_;
  std::condition_variable moved_;  // notified with every move of a watermark, where some wait
  std::atomic<int> awaiting_{0};   // threads in AwaitDisk
  bool started_ = false;
  TaskQueue opener_{"arka-opener", options_.stepped ? 0 : 1};
  TaskQueue aside_{"arka-aside", options_.stepped ? 0 : 1};
};

}  // namespace arka::ingest
