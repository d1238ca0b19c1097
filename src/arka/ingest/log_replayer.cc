#include "arka/ingest/log_replayer.h"

#include <algorithm>
#include <utility>

#include <arrow/ipc/reader.h>

#include "arka/ingest/ipc_message_view.h"
#include "arka/lake/chunk_merger.h"
#include "arka/wal/log_object.h"

namespace arka::ingest {
namespace {

Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(
    const wal::WriteRecord& record, const std::shared_ptr<arrow::Schema>& schema) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::Message::Open(record.header, record.body));
  return arrow::ipc::ReadRecordBatch(*message, schema, /*dictionary_memo=*/nullptr, options);
}

}  // namespace

Result<DecodedWrite> DecodeLogged(const wal::WriteRecord& record, const lake::TableSchema& schema) {
  const auto stored = [&]() -> Result<DecodedWrite> {
    ARROW_ASSIGN_OR_RAISE(const IpcMessageView view, ViewIpcMessage(*record.header, *record.body));
    ARROW_ASSIGN_OR_RAISE(const auto batch, ReadBatch(record, schema.logged_schema()));
    DecodedWrite write;
    write.schema = &schema;
    write.header = record.header;
    write.body = record.body;
    ARROW_ASSIGN_OR_RAISE(write.stored, schema.ToStorage(batch));
    if (view.compressed || schema.needs_conversion()) {
      write.copied_bytes = lake::ReferencedBytes(*write.stored);
    }
    return write;
  }();
  if (stored.ok()) return stored;
  return Error(ErrorCode::kCorruption, "log: write ", record.lsn.value,
               " does not decode: ", stored.status().message());
}

// Shows the writes of one object that are wanted.
class LogReplayer::Filter : public wal::ReplayVisitor {
 public:
  Filter(const TableRegistry& tables, const Wanted& wanted, const Sink& sink)
      : tables_(tables), wanted_(wanted), sink_(sink) {}

  Status OnDefinition(const wal::Definition&) override { return Status::OK(); }

  Status OnWrite(wal::WriteRecord record) override {
    if (record.lsn <= wanted_.after || record.lsn > wanted_.through) return Status::OK();
    const auto opened = tables_.OfDefinition(record.definition);
    if (opened == nullptr) return Status::OK();
    Table& table = *opened->table;
    if (wanted_.only != nullptr && wanted_.only != &table) return Status::OK();
    if (table.is_given_up(record.lsn)) return Status::OK();
    if (!wanted_.committed_too && record.lsn <= table.committed_through()) return Status::OK();
    auto write = DecodeLogged(record, *opened->schema);
    if (!write.ok()) return WithContext(write.status(), table.identifier.ToString());
    const int64_t bytes = write->size_bytes();
    return sink_(table, {record.lsn, std::move(write->stored), bytes, opened->schema.get()});
  }

 private:
  const TableRegistry& tables_;
  const Wanted& wanted_;
  const Sink& sink_;
};

Result<Lsn> LogReplayer::Read(Lsn after, Lsn through, int64_t max_bytes, const Table* only,
                              const Sink& sink) const {
  return Read({after, through, only}, max_bytes, sink);
}

Result<Lsn> LogReplayer::ReadAll(Lsn after, Lsn through, int64_t max_bytes, const Table& table,
                                 const Sink& sink) const {
  return Read({after, through, &table, /*committed_too=*/true}, max_bytes, sink);
}

Result<Lsn> LogReplayer::Read(const Wanted& wanted, int64_t max_bytes, const Sink& sink) const {
  if (wanted.after >= wanted.through) return wanted.after;
  ARROW_ASSIGN_OR_RAISE(const wal::LogObject object, log_.ReadObject(wanted.after, max_bytes));
  if (object.parts.empty()) return wanted.after;
  Filter filter(tables_, wanted, sink);
  ARROW_RETURN_NOT_OK(wal::ReadLogObject(object.parts, filter));
  return std::min(object.last_lsn, wanted.through);
}

}  // namespace arka::ingest
