#include "arka/ingest/table_buffer.h"

#include <utility>

#include "arka/base/check.h"

namespace arka::ingest {
namespace {
// What the buffer may hold beyond the values themselves: small batches not merged yet.
constexpr int64_t kSlackBytes = 1 << 20;
}  // namespace

TableBuffer::TableBuffer(std::shared_ptr<arrow::Schema> storage_schema)
    : storage_schema_(std::move(storage_schema)) {}

bool TableBuffer::Takes(const BufferedWrite& write) const {
  if (empty() || write.schema == schema_) return true;
  if (write.schema == nullptr || schema_ == nullptr) return false;
  return write.schema->iceberg_schema().schema_id == schema_->iceberg_schema().schema_id;
}

void TableBuffer::StartWith(const lake::TableSchema* schema) {
  if (merger_ && schema == schema_) return;
  schema_ = schema;
  merger_.emplace(schema != nullptr ? schema->storage_schema() : storage_schema_);
}

Result<int64_t> TableBuffer::Add(BufferedWrite write) {
  ARKA_CHECK(write.lsn > last_lsn_ && Takes(write));
  if (empty()) StartWith(write.schema);
  ARROW_RETURN_NOT_OK(merger_->Add(std::move(write.batch)));
  if (first_lsn_ == kNoLsn) first_lsn_ = write.lsn;
  last_lsn_ = write.lsn;
  charged_bytes_ += write.charged_bytes;
  ++write_count_;
  write_bytes_ += write.charged_bytes;
  const int64_t needed = merger_->size_bytes() + kSlackBytes;
  if (charged_bytes_ <= needed) return 0;
  const int64_t freed = charged_bytes_ - needed;
  charged_bytes_ = needed;
  return freed;
}

Result<Rows> TableBuffer::TakeAll() {
  Rows rows;
  if (!merger_) return rows;
  rows.schema = schema_;
  rows.row_count = merger_->num_rows();
  ARROW_ASSIGN_OR_RAISE(rows.batches, merger_->Take());
  rows.first_lsn = std::exchange(first_lsn_, kNoLsn);
  rows.last_lsn = std::exchange(last_lsn_, kNoLsn);
  rows.charged_bytes = std::exchange(charged_bytes_, 0);
  rows.write_count = std::exchange(write_count_, 0);
  rows.write_bytes = std::exchange(write_bytes_, 0);
  return rows;
}

Status TableBuffer::PutBack(Rows rows) {
  ARKA_CHECK(empty());
  StartWith(rows.schema);
  first_lsn_ = rows.first_lsn;
  last_lsn_ = rows.last_lsn;
  charged_bytes_ = rows.charged_bytes;
  write_count_ = rows.write_count;
  write_bytes_ = rows.write_bytes;
  for (auto& batch : rows.batches) ARROW_RETURN_NOT_OK(merger_->Add(std::move(batch)));
  return Status::OK();
}

}  // namespace arka::ingest
