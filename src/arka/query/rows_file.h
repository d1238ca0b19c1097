// Rows for query workers: a file in memory that both processes see.
//
// It holds messages of Arrow's IPC stream format: the schema, then record batches, which are only
// ever added. So what was there once can be read by any number of workers while more is added.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/io/file_descriptor.h"

namespace arka::query {

/// How many bytes of such files there may be at a time. Thread-safe.
class RowsBudget {
 public:
  /// `free_some` is asked where there is no room: whether it gave anything up.
  explicit RowsBudget(int64_t bytes, std::function<bool()> free_some = {})
      : limit_bytes_(bytes), free_some_(std::move(free_some)) {}

  /// kBackpressure where there is no room for `bytes` more.
  Status Take(int64_t bytes);
  void GiveBack(int64_t bytes) { taken_ -= bytes; }

  int64_t taken_bytes() const { return taken_; }

 private:
  const int64_t limit_bytes_;
  const std::function<bool()> free_some_;
  std::atomic<int64_t> taken_{0};
};

/// One thread at a time may append.
class RowsFile {
 public:
  /// One without rows. `budget` must outlive it.
  static Result<std::shared_ptr<RowsFile>> Make(const arrow::Schema& schema, RowsBudget& budget);

  ~RowsFile() { budget_.GiveBack(charged_bytes_); }

  /// Adds rows of the file's schema. After an error the file is to be given up.
  Status Append(const arrow::RecordBatch& batch);

  /// A descriptor that cannot be written to: for workers.
  int number() const { return readable_.number(); }
  /// Where the next batch will begin.
  int64_t size_bytes() const { return size_bytes_; }

 private:
  RowsFile(std::shared_ptr<arrow::io::OutputStream> out, FileDescriptor readable,
           RowsBudget& budget)
      : out_(std::move(out)), readable_(std::move(readable)), budget_(budget) {}

  const std::shared_ptr<arrow::io::OutputStream> out_;
  const FileDescriptor readable_;
  RowsBudget& budget_;
  int64_t size_bytes_ = 0;
  int64_t charged_bytes_ = 0;
};

/// The batches between two places of a file.
struct RowsPart {
  std::shared_ptr<const RowsFile> file;
  int64_t begin = 0;
  int64_t end = 0;
};

}  // namespace arka::query
