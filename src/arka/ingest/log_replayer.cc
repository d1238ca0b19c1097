#include "arka/ingest/log_replayer.h"

#include <algorithm>
#include <utility>

#include <arrow/ipc/reader.h>

#include "arka/ingest/ipc_message_view.h"
#include "arka/lake/chunk_merger.h"
#include "arka/wal/log_object.h"

namespace arka::ingest {
namespace {

// Shows the writes of one object that are wanted.
class Filter : public wal::ReplayVisitor {
 public:
  Filter(const TableRegistry& tables, Lsn after, Lsn through, const Table* only,
         const LogReplayer::Sink& sink)
      : tables_(tables), after_(after), through_(through), only_(only), sink_(sink) {}

  Status OnDefinition(const wal::Definition&) override { return Status::OK(); }

  Status OnWrite(wal::WriteRecord record) override {
    if (record.lsn <= after_ || record.lsn > through_) return Status::OK();
    const auto opened = tables_.OfDefinition(record.definition);
    if (opened == nullptr || (only_ != nullptr && opened->table != only_)) return Status::OK();
    Table& table = *opened->table;
    if (table.is_settled(record.lsn)) return Status::OK();
    auto write = DecodeLogged(record, *opened->schema);
    if (!write.ok()) return WithContext(write.status(), table.identifier.ToString());
    const int64_t bytes = write->size_bytes();
    return sink_(table, {record.lsn, std::move(write->stored), bytes, opened->schema.get()});
  }

 private:
  const TableRegistry& tables_;
  const Lsn after_;
  const Lsn through_;
  const Table* const only_;
  const LogReplayer::Sink& sink_;
};

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

Result<Lsn> LogReplayer::Read(Lsn after, Lsn through, int64_t max_bytes, const Table* only,
                              const Sink& sink) const {
  if (after >= through) return after;
  ARROW_ASSIGN_OR_RAISE(const wal::LogObject object, log_.ReadObject(after, max_bytes));
  if (object.parts.empty()) return after;
  Filter filter(tables_, after, through, only, sink);
  ARROW_RETURN_NOT_OK(wal::ReadLogObject(object.parts, filter));
  return std::min(object.last_lsn, through);
}

}  // namespace arka::ingest
