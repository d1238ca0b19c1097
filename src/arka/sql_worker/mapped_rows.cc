#include "arka/sql_worker/mapped_rows.h"

#include <cerrno>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
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

Result<MappedRows> MapRows(const FileDescriptor& file) {
  ARROW_ASSIGN_OR_RAISE(auto bytes, Map(file));
  MappedRows rows;
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        arrow::ipc::RecordBatchStreamReader::Open(
                            std::make_shared<arrow::io::BufferReader>(std::move(bytes))));
  rows.schema = reader->schema();
  ARROW_ASSIGN_OR_RAISE(rows.batches, reader->ToRecordBatches());
  for (const auto& batch : rows.batches) rows.rows += batch->num_rows();
  return rows;
}

}  // namespace arka::sql_worker
