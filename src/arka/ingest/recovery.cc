#include "arka/ingest/recovery.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "arka/ingest/ipc_message_view.h"

namespace arka::ingest {
namespace {

constexpr std::chrono::seconds kLogInterval{1};

}  // namespace

Status Recovery::OnBegin(Lsn after) {
  ARROW_ASSIGN_OR_RAISE(ProducerCheckpoint checkpoint, checkpoints_.Find(after));
  checkpoint_lsn_ = last_ = checkpoint.lsn;
  given_up_.RestoreLost(checkpoint.lost);
  sequencer_.RestoreCheckpoint(std::move(checkpoint));
  return Status::OK();
}

Status Recovery::OnDefinition(const wal::Definition& definition) {
  if (uuids_.contains(definition.id)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const TableDefinition table, DecodeTableDefinition(*definition.bytes));
  uuids_[definition.id] = table.table_uuid;
  ARROW_ASSIGN_OR_RAISE(const bool given_up, given_up_.Includes(table));
  if (given_up) {
    tables_.Skip(definition.id);
    skipped_.insert(definition.id);
    return Status::OK();
  }
  const auto restored = tables_.Restore(definition.id, table);
  if (!restored.ok()) {
    return WithContext(restored.status(), "recovery of " + table.identifier.ToString());
  }
  if ((*restored)->is_gone()) {
    gone_[definition.id] = *restored;
    return Status::OK();
  }
  opened_[definition.id] = tables_.OfDefinition(definition.id);
  return Status::OK();
}

Status Recovery::NoteWrite(const wal::WriteRecord& record) {
  if (record.lsn <= checkpoint_lsn_) return Status::OK();
  sequencer_.RestoreLost({last_.next(), record.lsn.previous()});
  last_ = record.lsn;
  const auto uuid = uuids_.find(record.definition);
  if (record.seq == 0 || uuid == uuids_.end()) return Status::OK();
  return WithContext(
      sequencer_.RestoreSeq(record.producer, uuid->second, record.seq, record.lsn, record.epoch),
      "log");
}

Status Recovery::OnWrite(wal::WriteRecord record) {
  ARROW_RETURN_NOT_OK(NoteWrite(record));
  if (skipped_.contains(record.definition)) {
    given_up_.Add(uuids_.at(record.definition), record.lsn);
    return Status::OK();
  }
  if (const auto gone = gone_.find(record.definition); gone != gone_.end()) {
    Table& table = *gone->second;
    if (given_up_.WasGivenUp(record.lsn)) {
      table.given_up_through = record.lsn;
      return Status::OK();
    }
    if (table.first_held == kNoLsn) spdlog::error("recovery: {}", table.CheckThere().message());
    sequencer_.Hold(table, record.lsn, record.header->size() + record.body->size());
    ++held_writes_;
    return Status::OK();
  }
  const auto opened = opened_.find(record.definition);
  if (opened == opened_.end()) {
    return Error(ErrorCode::kCorruption, "log: write ", record.lsn.value, " names definition ",
                 record.definition.value, ", which the log does not hold");
  }
  Table& table = *opened->second->table;
  if (record.lsn <= table.committed_at_open) return Status::OK();
  if (given_up_.WasGivenUp(record.lsn)) {
    table.given_up_through = record.lsn;
    return Status::OK();
  }
  // What has no rows needs no snapshot, and no property tells that it was committed before.
  ARROW_ASSIGN_OR_RAISE(const IpcMessageView view, ViewIpcMessage(*record.header, *record.body));
  if (view.row_count == 0) return Status::OK();
  sequencer_.Restore(table, record.lsn, record.header->size() + record.body->size());
  ++restored_writes_;
  return Status::OK();
}

void Recovery::OnProgress(int64_t bytes_done, int64_t bytes_total) {
  if (progress_ != nullptr) {
    progress_->bytes_total = bytes_total;
    progress_->bytes_done = bytes_done;
  }
  const SteadyTime now = clock_.Now();
  if (bytes_done < bytes_total && now - logged_ < kLogInterval) return;
  logged_ = now;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double megabytes = static_cast<double>(bytes_done) / (1 << 20);
  spdlog::info("recovery: {:.0f} of {} MB of the log read ({} %, {:.0f} MB/s)", megabytes,
               bytes_total >> 20, bytes_total > 0 ? bytes_done * 100 / bytes_total : 100,
               seconds > 0 ? megabytes / seconds : 0.0);
}

}  // namespace arka::ingest
