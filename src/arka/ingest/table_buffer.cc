#include "arka/ingest/table_buffer.h"

#include <utility>

#include "arka/base/check.h"

namespace arka::ingest {
namespace {
// What the buffer may hold beyond the values themselves: small batches not merged yet.
constexpr int64_t kSlackBytes = 1 << 20;
}  // namespace

TableBuffer::TableBuffer(std::shared_ptr<arrow::Schema> storage_schema)
    : merger_(std::move(storage_schema)) {}

Result<int64_t> TableBuffer::Add(BufferedWrite write) {
  ARKA_CHECK(write.lsn > last_lsn_);
  ARROW_RETURN_NOT_OK(merger_.Add(std::move(write.batch)));
  if (first_lsn_ == kNoLsn) first_lsn_ = write.lsn;
  last_lsn_ = write.lsn;
  charged_bytes_ += write.charged_bytes;
  const int64_t needed = merger_.size_bytes() + kSlackBytes;
  if (charged_bytes_ <= needed) return 0;
  const int64_t freed = charged_bytes_ - needed;
  charged_bytes_ = needed;
  return freed;
}

Result<Rows> TableBuffer::TakeAll() {
  Rows rows;
  rows.row_count = merger_.num_rows();
  ARROW_ASSIGN_OR_RAISE(rows.batches, merger_.Take());
  rows.first_lsn = std::exchange(first_lsn_, kNoLsn);
  rows.last_lsn = std::exchange(last_lsn_, kNoLsn);
  rows.charged_bytes = std::exchange(charged_bytes_, 0);
  return rows;
}

Status TableBuffer::PutBack(Rows rows) {
  ARKA_CHECK(empty());
  first_lsn_ = rows.first_lsn;
  last_lsn_ = rows.last_lsn;
  charged_bytes_ = rows.charged_bytes;
  for (auto& batch : rows.batches) ARROW_RETURN_NOT_OK(merger_.Add(std::move(batch)));
  return Status::OK();
}

}  // namespace arka::ingest
