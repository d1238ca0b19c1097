// What a ticket stands for: rows that can be read, part by part, as often as somebody asks.
//
// Held by the ResultRegistry. Parts can be read in parallel and in any order; what they give
// together is the result. Thread-safe, but for a reader, which is used by one task at a time.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/ipc/writer.h>

#include "arka/base/error.h"

namespace arka::query {

/// One read of one part.
class ResultReader {
 public:
  virtual ~ResultReader() = default;

  /// The schema, as the IPC message that comes before all others.
  virtual Result<arrow::ipc::IpcPayload> Schema() = 0;
  /// The next messages, none empty and each of a few megabytes at most; no messages: there are no
  /// more rows. Blocks.
  virtual Result<std::vector<arrow::ipc::IpcPayload>> Next() = 0;

  /// Nobody wants more of it: a Next that waits returns soon. Any thread.
  virtual void Cancel() {}
};

class HeldResult {
 public:
  virtual ~HeldResult() = default;

  /// The tables whose rows it has, as far as that is known: whoever reads it must be allowed to
  /// read them.
  virtual std::vector<std::string> tables() const { return {}; }

  /// Begins a read of a part. Blocks.
  virtual Result<std::unique_ptr<ResultReader>> Read(size_t part) = 0;

  /// Where its reads run on threads of its own: runs `task`, which may block, on one of them.
  virtual bool runs_by_itself() const { return false; }
  virtual void Run(std::function<void()> task) { task(); }

  /// Ends the reads that are under way, as far as they come to look; any thread.
  virtual void Cancel() { cancelled_ = true; }
  bool is_cancelled() const { return cancelled_; }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace arka::query
