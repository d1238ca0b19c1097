// Rows for a query worker: a file in memory that both processes see, of Arrow's IPC stream format.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "arka/base/error.h"
#include "arka/io/file_descriptor.h"
#include "arka/query/table_scan.h"

namespace arka::query {

/// How many bytes of such files there may be at a time, over all queries. Thread-safe.
class FreshRowsBudget {
 public:
  explicit FreshRowsBudget(int64_t bytes) : limit_bytes_(bytes) {}

  /// Whether there is room for `bytes` more, which are then taken.
  bool Take(int64_t bytes);
  void GiveBack(int64_t bytes) { taken_ -= bytes; }

  int64_t limit_bytes() const { return limit_bytes_; }
  int64_t taken_bytes() const { return taken_; }

 private:
  const int64_t limit_bytes_;
  std::atomic<int64_t> taken_{0};
};

class FreshRowsFile {
 public:
  /// All rows of `scan`; nothing where there are none. `budget` must outlive the file. Blocks.
  /// kBackpressure where it has no room; errors of the scan.
  static Result<std::unique_ptr<FreshRowsFile>> Write(TableScan& scan, FreshRowsBudget& budget);

  ~FreshRowsFile() { budget_.GiveBack(bytes_); }

  int number() const { return file_.number(); }
  int64_t size_bytes() const { return bytes_; }

 private:
  FreshRowsFile(FileDescriptor file, FreshRowsBudget& budget)
      : file_(std::move(file)), budget_(budget) {}
  Status Take(int64_t bytes);

  FileDescriptor file_;
  FreshRowsBudget& budget_;
  int64_t bytes_ = 0;
};

}  // namespace arka::query
