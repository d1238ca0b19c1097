#include "arka/ingest/object_store_recovery.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/ingest/checkpoint_store.h"
#include "arka/ingest/uploader.h"
#include "arka/lake/table_committer.h"
#include "arka/wal/log_import.h"
#include "arka/wal/log_refill.h"
#include "arka/wal/log_repair.h"

namespace arka::ingest {
namespace {

// The highest LSN of the node that any table of the catalog holds.
Result<Lsn> LastCommitted(iceberg::Catalog& catalog, const std::string& node) {
  Lsn last = kNoLsn;
  ARROW_ASSIGN_OR_RAISE(const auto tables, catalog.ListTables());
  for (const auto& identifier : tables) {
    const auto table = catalog.LoadTable(identifier);
    if (!table.ok() && CodeOf(table.status()) == ErrorCode::kNotFound) continue;  // just dropped
    ARROW_RETURN_NOT_OK(WithContext(table.status(), "table " + identifier.ToString()));
    ARROW_ASSIGN_OR_RAISE(const Lsn committed, lake::CommittedLsnOf(*table->metadata, node));
    last = std::max(last, committed);
  }
  return last;
}

}  // namespace

Status CheckLogIsNotMissing(Fs& fs, const std::string& log_directory, ObjectStore& objects,
                            const std::string& node) {
  ARROW_ASSIGN_OR_RAISE(const bool holds_log, wal::LogImport::HoldsLog(fs, log_directory));
  if (holds_log) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const bool unfinished, wal::LogImport::IsUnfinished(fs, log_directory));
  std::deque<std::pair<Lsn, std::string>> found;
  ARROW_ASSIGN_OR_RAISE(const Lsn last, Uploader::FindUploaded(objects, node, &found));
  ARROW_ASSIGN_OR_RAISE(const Lsn checkpoint, CheckpointStore::NewestObject(objects, node));
  if (!unfinished && found.empty() && checkpoint == kNoLsn) return Status::OK();
  return Error(ErrorCode::kInvalidRequest, "there is no log in ", log_directory, ", but node '",
               node, "' has ", found.size(), " log object(s) in ", objects.Uri(""), ", up to LSN ",
               std::max(last, checkpoint),
               unfinished ? ", and a recovery was begun and not finished" : "",
               ". If the disk was lost, start with --recover-from-object-store; if this is "
               "another server, give it a server.node_id of its own");
}

Status RecoverLogFromObjectStore(Fs& fs, Clock& clock, ObjectStore& objects,
                                 iceberg::Catalog& catalog, const wal::LogOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const bool holds_log, wal::LogImport::HoldsLog(fs, options.directory));
  if (holds_log) {
    spdlog::info("recovery: {} holds a log; nothing is taken from the object store",
                 options.directory);
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(Lsn committed, LastCommitted(catalog, options.node));
  // A checkpoint may be of writes without rows that came after those that any table holds.
  ARROW_ASSIGN_OR_RAISE(const Lsn checkpoint, CheckpointStore::NewestObject(objects, options.node));
  committed = std::max(committed, checkpoint);
  std::deque<std::pair<Lsn, std::string>> found;  // in the order of their first LSNs
  ARROW_RETURN_NOT_OK(Uploader::FindUploaded(objects, options.node, &found).status());
  ARROW_ASSIGN_OR_RAISE(const auto import, wal::LogImport::Begin(fs, clock, options));
  size_t done = 0;
  for (const auto& [last, key] : found) {
    ARROW_ASSIGN_OR_RAISE(const auto object, objects.Get(key));
    ARROW_RETURN_NOT_OK(WithContext(import->Add(object), "log object " + key));
    spdlog::info("recovery: {} of {} log objects read, {} write(s) up to LSN {}", ++done,
                 found.size(), import->writes(), import->last_lsn().value);
  }
  const Lsn last = std::max(committed, import->last_lsn());
  ARROW_RETURN_NOT_OK(import->Finish(committed, Lsn{last.value + kRecoveredLsnGap}));
  spdlog::info("recovery: {} write(s) are back from {}; new LSNs begin above {}", import->writes(),
               objects.Uri(""), last.value + kRecoveredLsnGap);
  return Status::OK();
}

Status CompleteRepairedLog(Fs& fs, Clock& clock, ObjectStore& objects, iceberg::Catalog& catalog,
                           const wal::LogOptions& options) {
  // First of all: in the middle of an exchange the directory looks like one that has no log.
  ARROW_ASSIGN_OR_RAISE(const auto log, wal::FindIncompleteLog(fs, options.directory));
  ARROW_RETURN_NOT_OK(wal::CheckNoRepairPending(fs, options.directory));
  if (!log) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(Lsn given_through, LastCommitted(catalog, options.node));
  ARROW_ASSIGN_OR_RAISE(const auto checkpoint,
                        CheckpointStore(fs, objects, options.directory, options.node).Find(kNoLsn));
  ARROW_ASSIGN_OR_RAISE(const Lsn uploaded_checkpoint,
                        CheckpointStore::NewestObject(objects, options.node));
  std::deque<std::pair<Lsn, std::string>> found;  // in the order of their first LSNs
  ARROW_ASSIGN_OR_RAISE(const Lsn uploaded, Uploader::FindUploaded(objects, options.node, &found));
  given_through = std::max({given_through, checkpoint.lsn, uploaded_checkpoint, uploaded});
  std::erase_if(found, [&](const auto& object) {
    return object.first <= log->begins_after() ||
           log->HoldsAll(Uploader::FirstLsnOf(object.second), object.first);
  });
  const auto next_object = [&]() -> Result<std::shared_ptr<arrow::Buffer>> {
    if (found.empty()) return nullptr;
    const std::string key = found.front().second;
    found.pop_front();
    auto object = objects.Get(key);
    return object.ok() ? object : WithContext(object.status(), "log object " + key);
  };
  ARROW_ASSIGN_OR_RAISE(const int64_t taken,
                        wal::RefillLog(fs, clock, options, *log, next_object, given_through));
  spdlog::info(
      "recovery: the log was repaired; {} write(s) that it lost are back from {}, new LSNs begin "
      "above {} at least",
      taken, objects.Uri(""), given_through.value);
  return Status::OK();
}

}  // namespace arka::ingest
