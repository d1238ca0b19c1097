#include "arka/ingest/recovery.h"

#include <limits>
#include <utility>

#include <arrow/ipc/writer.h>
#include <spdlog/spdlog.h>

namespace arka::ingest {
namespace {

// Replayed bytes are merged, and files written, at least this often.
constexpr int64_t kAbsorbBytes = 8 << 20;

constexpr std::chrono::seconds kLogInterval{1};

// What was taken once is taken again, whatever the limits are today.
constexpr DecodeLimits kNoLimits{std::numeric_limits<int64_t>::max(),
                                 std::numeric_limits<int64_t>::max(),
                                 std::numeric_limits<int64_t>::max()};

// The schema message's metadata, as a stream would have sent it.
Result<std::shared_ptr<arrow::Buffer>> SchemaHeader(const arrow::Schema& schema) {
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(schema);
  ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(schema, arrow::ipc::IpcWriteOptions::Defaults(),
                                                   mapper, &payload));
  return payload.metadata;
}

}  // namespace

Status Recovery::OnBegin(Lsn after) {
  ARROW_ASSIGN_OR_RAISE(ProducerCheckpoint checkpoint, checkpoints_.Find(after));
  checkpoint_lsn_ = last_ = checkpoint.lsn;
  sequencer_.RestoreCheckpoint(std::move(checkpoint));
  return Status::OK();
}

Status Recovery::OnDefinition(const wal::Definition& definition) {
  if (sources_.contains(definition.id) || gone_.contains(definition.id)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const TableDefinition table, DecodeTableDefinition(*definition.bytes));
  uuids_[definition.id] = table.table_uuid;
  const auto restored = tables_.Restore(definition.id, table);
  if (!restored.ok()) {
    return WithContext(restored.status(), "recovery of " + table.identifier.ToString());
  }
  if ((*restored)->is_gone()) {
    spdlog::error("recovery: {}", (*restored)->CheckThere().message());
    gone_[definition.id] = *restored;
    return Status::OK();
  }
  Source source;
  source.opened = tables_.OfDefinition(definition.id);
  ARROW_ASSIGN_OR_RAISE(auto header, SchemaHeader(*source.opened->schema->stream_schema()));
  ARROW_ASSIGN_OR_RAISE(source.decoder,
                        StreamDecoder::Make(header, source.opened->schema, kNoLimits));
  sources_[definition.id] = std::move(source);
  return Status::OK();
}

Status Recovery::NoteWrite(const wal::WriteRecord& record) {
  if (record.lsn <= checkpoint_lsn_) return Status::OK();
  sequencer_.RestoreLost({last_.next(), record.lsn.previous()});
  last_ = record.lsn;
  const auto uuid = uuids_.find(record.definition);
  if (record.seq == 0 || uuid == uuids_.end()) return Status::OK();
  return WithContext(sequencer_.RestoreSeq(record.producer, uuid->second, record.seq, record.lsn),
                     "log");
}

Status Recovery::OnWrite(wal::WriteRecord record) {
  ARROW_RETURN_NOT_OK(NoteWrite(record));
  if (const auto gone = gone_.find(record.definition); gone != gone_.end()) {
    sequencer_.Hold(*gone->second, record.lsn, record.header->size() + record.body->size());
    ++held_writes_;
    return Status::OK();
  }
  const auto source = sources_.find(record.definition);
  if (source == sources_.end()) {
    return Error(ErrorCode::kCorruption, "log: write ", record.lsn.value, " names definition ",
                 record.definition.value, ", which the log does not hold");
  }
  Table& table = *source->second.opened->table;
  if (record.lsn <= table.committed_at_open) return Status::OK();
  auto decoded = source->second.decoder->Decode(record.header, record.body);
  if (!decoded.ok() || !decoded->has_value()) {
    return Error(ErrorCode::kCorruption, "log: write ", record.lsn.value, " to ",
                 table.identifier.ToString(), " does not decode: ",
                 decoded.ok() ? "not a record batch" : decoded.status().message());
  }
  // What has no rows needs no snapshot, and no property tells that it was committed before.
  if ((*decoded)->stored->num_rows() == 0) return Status::OK();
  const int64_t bytes = (*decoded)->size_bytes();
  budget_.Take(bytes);
  sequencer_.Restore(table, {record.lsn, std::move((*decoded)->stored), bytes, (*decoded)->schema});
  ++restored_writes_;
  unabsorbed_bytes_ += bytes;
  if (unabsorbed_bytes_ < kAbsorbBytes) return Status::OK();
  unabsorbed_bytes_ = 0;
  for (const auto& [id, other] : sources_) {
    ARROW_RETURN_NOT_OK(committer_.Absorb(*other.opened->table));
  }
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
