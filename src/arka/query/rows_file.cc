#include "arka/query/rows_file.h"

#include <cerrno>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arka/io/errno_status.h"

namespace arka::query {

Status RowsBudget::Take(int64_t bytes) {
  while (taken_.fetch_add(bytes) + bytes > limit_bytes_) {
    taken_ -= bytes;
    if (free_some_ && free_some_()) continue;
    return Error(ErrorCode::kBackpressure,
                 "the rows that are not committed yet need more memory than is left of "
                 "query.fresh_rows_memory (",
                 limit_bytes_, " bytes, ", taken_bytes(),
                 " in use): try again once more of them is committed, or other queries are done");
  }
  return Status::OK();
}

Result<std::shared_ptr<RowsFile>> RowsFile::Make(const arrow::Schema& schema, RowsBudget& budget) {
  FileDescriptor file(memfd_create("arka-rows", MFD_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, "make", "a file in memory");
  const std::string path = "/proc/self/fd/" + std::to_string(file.number());
  FileDescriptor readable(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!readable.valid()) return ErrnoStatus(errno, "open", path);
  // Of its own, since Arrow closes what it writes to.
  const int written = fcntl(file.number(), F_DUPFD_CLOEXEC, 0);
  if (written < 0) return ErrnoStatus(errno, "duplicate", "a file in memory");
  auto out = arrow::io::FileOutputStream::Open(written);
  if (!out.ok()) {
    close(written);
    return out.status();
  }
  std::shared_ptr<RowsFile> rows(new RowsFile(*std::move(out), std::move(readable), budget));
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::SerializeSchema(schema));
  ARROW_RETURN_NOT_OK(rows->out_->Write(message));
  rows->size_bytes_ = message->size();
  return rows;
}

Status RowsFile::Append(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchSize(batch, &bytes));
  ARROW_RETURN_NOT_OK(budget_.Take(bytes));
  charged_bytes_ += bytes;
  int32_t metadata_bytes = 0;
  int64_t body_bytes = 0;
  ARROW_RETURN_NOT_OK(arrow::ipc::WriteRecordBatch(
      batch, 0, out_.get(), &metadata_bytes, &body_bytes, arrow::ipc::IpcWriteOptions::Defaults()));
  return out_->Tell().Value(&size_bytes_);
}

}  // namespace arka::query
