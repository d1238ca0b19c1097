// One POST of rows: the course from its body to its answer.
//
// 1. Aside: the body becomes an Arrow IPC stream where it is text, and is cut into messages.
// 2. The table is opened, as for a Flight stream with that schema.
// 3. Aside: every batch is decoded and checked. Nothing has been written so far, so a bad body
//    writes nothing.
// 4. The batches are written in order, each with an LSN of its own; one for which there is no room
//    waits its turn among all streams of the server.
// 5. Once all have reached the level that the request names, the answer goes out; where a batch was
//    refused, an error that says which were written before it.
// A client that goes away ends the course before its next batch; what was written goes on to
// COMMITTED like any write. On its loop; owned by TableWrites.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "arka/acks/loop_contexts.h"
#include "arka/acks/session_registry.h"
#include "arka/acks/write_admission.h"
#include "arka/http/stream_body.h"
#include "arka/http/write_request.h"
#include "arka/ingest/engine.h"
#include "arka/query/table_reads.h"
#include "arka/transport/http.h"

namespace arka::http {

struct WriteOptions {
  ingest::DecodeLimits limits;
  std::chrono::milliseconds admission_timeout{30'000};
  size_t max_body_bytes = 64 << 20;
};

/// What writing needs; all must outlive who writes.
struct WriteContext {
  ingest::Engine& engine;
  query::TableReads& reads;  // for its threads, and the schemas of tables
  acks::LoopContexts& contexts;
  acks::SessionRegistry& sessions;
  const Clock& clock;
  WriteOptions options;
};

class TableWrite : public acks::Sleeper {
 public:
  /// `ended` is called last, and may destroy the write.
  TableWrite(const WriteContext& context, WriteRequest request, transport::HttpRequest http,
             transport::HttpResponder respond, std::function<void()> ended);
  ~TableWrite() override;

  void Begin();

  void Wake(const ingest::Progress& progress) override { Look(progress); }
  void Shutdown() override;
  void EndIfIdle() override;

 private:
  struct Written {
    ingest::Admission admission;
    int64_t rows;
  };

  void OnCut(Result<std::shared_ptr<StreamBody>> stream);
  void OnOpened(Result<std::shared_ptr<const ingest::OpenedTable>> opened);
  Status Prepare();
  void OnDecoded(Result<std::shared_ptr<std::vector<ingest::DecodedWrite>>> writes);
  void WriteNext();
  void OnWritten(const ingest::Admission& admission);
  void OnSettled(const Result<ingest::Admission>& admission);
  void WaitForLevel();
  void Look(const ingest::Progress& progress);
  bool HasReached(const ingest::Progress& progress) const;
  void LookAgainLater();
  bool IsOver();
  void Answer();
  void Fail(const Status& status);
  void End();

  /// Runs `work` on a thread for reads, then `done` with what it made on the loop, if this is still
  /// there.
  template <typename Made>
  void Aside(std::function<Made()> work, void (TableWrite::*done)(Made));

  const WriteContext& context_;
  acks::LoopContext& loop_;
  const WriteRequest request_;
  transport::HttpRequest http_;
  const transport::HttpResponder respond_;
  const std::function<void()> ended_;
  const std::shared_ptr<TableWrite*> self_;  // expires with the write
  const acks::AckScheduler::SleeperId id_;
  acks::WriteAdmission admission_;
  std::unique_ptr<acks::SessionRegistry::Membership> session_;

  std::shared_ptr<StreamBody> stream_;
  std::shared_ptr<const ingest::OpenedTable> target_;
  std::shared_ptr<std::vector<ingest::DecodedWrite>> writes_;
  int64_t rows_ = 0;  // of the batch that is being written
  std::vector<Written> written_;
  Lsn last_lsn_ = kNoLsn;     // the highest
  Lsn awaited_lsn_ = kNoLsn;  // the highest that may not be committed yet
  bool all_written_ = false;
  bool look_is_due_ = false;
  bool stopping_ = false;
  bool over_ = false;
};

}  // namespace arka::http
