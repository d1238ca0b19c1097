#include "arka/sql_worker/mapped_rows.h"

#include <cerrno>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arka/io/errno_status.h"

namespace arka::sql_worker {
namespace {

class Mapping : public arrow::Buffer {
 public:
  Mapping(const uint8_t* data, int64_t bytes) : Buffer(data, bytes) {}
  ~Mapping() override { munmap(const_cast<uint8_t*>(data()), static_cast<size_t>(size())); }
};

Result<std::shared_ptr<arrow::Buffer>> Map(const FileDescriptor& file) {
  struct stat status {};
  if (fstat(file.number(), &status) != 0) return ErrnoStatus(errno, "stat", "the rows' file");
  const auto bytes = static_cast<size_t>(status.st_size);
  void* const data = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.number(), 0);
  if (data == MAP_FAILED) return ErrnoStatus(errno, "map", "the rows' file");
  return std::make_shared<Mapping>(static_cast<const uint8_t*>(data), static_cast<int64_t>(bytes));
}

}  // namespace

Status MapRows(const FileDescriptor& file, const sql::RowsRange& range, MappedRows& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, Map(file));
  if (range.begin < 0 || range.begin > range.end || range.end > bytes->size()) {
    return Error(ErrorCode::kInternal, "rows were promised at ", range.begin, " to ", range.end,
                 " of a file of ", bytes->size(), " bytes");
  }
  arrow::ipc::DictionaryMemo no_dictionaries;
  arrow::io::BufferReader start(bytes);
  ARROW_ASSIGN_OR_RAISE(rows.schema, arrow::ipc::ReadSchema(&start, &no_dictionaries));
  arrow::io::BufferReader batches(arrow::SliceBuffer(bytes, range.begin, range.end - range.begin));
  const auto options = arrow::ipc::IpcReadOptions::Defaults();
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::ReadMessage(&batches));
    if (message == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(
        auto batch, arrow::ipc::ReadRecordBatch(*message, rows.schema, &no_dictionaries, options));
    rows.rows += batch->num_rows();
    rows.batches.push_back(std::move(batch));
  }
}

}  // namespace arka::sql_worker
