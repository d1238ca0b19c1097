#include "arka/query/fresh_rows_file.h"

#include <cerrno>
#include <utility>

#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arka/io/errno_status.h"

namespace arka::query {

bool FreshRowsBudget::Take(int64_t bytes) {
  if (taken_.fetch_add(bytes) + bytes <= limit_bytes_) return true;
  taken_ -= bytes;
  return false;
}

Status FreshRowsFile::Take(int64_t bytes) {
  if (!budget_.Take(bytes)) {
    return Error(ErrorCode::kBackpressure,
                 "the rows that are not committed yet need more memory than is left of "
                 "query.fresh_rows_memory (",
                 budget_.limit_bytes(), " bytes, ", budget_.taken_bytes(),
                 " in use): try again once more of them is committed, or other queries are done");
  }
  bytes_ += bytes;
  return Status::OK();
}

Result<std::unique_ptr<FreshRowsFile>> FreshRowsFile::Write(TableScan& scan,
                                                            FreshRowsBudget& budget) {
  ARROW_ASSIGN_OR_RAISE(auto batch, scan.Next());
  if (batch == nullptr) return nullptr;
  FileDescriptor file(memfd_create("arka-fresh-rows", MFD_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, "make", "a file in memory");
  std::unique_ptr<FreshRowsFile> rows(new FreshRowsFile(std::move(file), budget));
  // Of its own, since Arrow closes what it writes to.
  const int written = fcntl(rows->number(), F_DUPFD_CLOEXEC, 0);
  if (written < 0) return ErrnoStatus(errno, "duplicate", "a file in memory");
  const auto opened = arrow::io::FileOutputStream::Open(written);
  if (!opened.ok()) {
    close(written);
    return opened.status();
  }
  const auto& out = *opened;
  ARROW_ASSIGN_OR_RAISE(const auto writer, arrow::ipc::MakeStreamWriter(out, batch->schema()));
  while (batch != nullptr) {
    int64_t bytes = 0;
    ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchSize(*batch, &bytes));
    ARROW_RETURN_NOT_OK(rows->Take(bytes));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
    ARROW_ASSIGN_OR_RAISE(batch, scan.Next());
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_RETURN_NOT_OK(out->Close());
  return rows;
}

}  // namespace arka::query
