// Who did what: one line of JSON for each thing that a call was let do or was refused.
//
// A line names the principal and by what he proved to be him, the address, the call, the right and
// the table where one was asked for, and the outcome as a gRPC code's name; never a secret nor what
// was sent. Written by a thread of its own, in order; the file is opened for every write, so that
// it may be moved away at any time. Where it cannot be written, that is logged, and calls go on.
// Owned by the composition root; thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "arka/auth/right.h"
#include "arka/base/error.h"
#include "arka/base/task_queue.h"
#include "arka/io/clock.h"

namespace arka::auth {

struct AuditEntry {
  std::string principal = {};  // "": nobody who is known
  std::string proof = {};      // "password", "token", "jwt", "certificate"; "" with no principal
  std::string peer = {};
  std::string call = {};    // "DoPut", "DoAction flush", "GET /api/v1/status"
  std::string right = {};   // "read", …; "" where none was asked for
  std::string table = {};   // the same
  std::string result = {};  // "OK", "UNAUTHENTICATED", "PERMISSION_DENIED", …
};

/// The name that the outcome of a call has there.
std::string AuditResultOf(const Status& status);

class AuditLog {
 public:
  /// `clock` must outlive it. kInvalidRequest where the file cannot be written to.
  static Result<std::unique_ptr<AuditLog>> Open(const Clock& clock, std::string path);

  void Add(AuditEntry entry);

 private:
  AuditLog(const Clock& clock, std::string path) : clock_(clock), path_(std::move(path)) {}

  void Write(const std::string& line);

  const Clock& clock_;
  const std::string path_;
  std::atomic<int64_t> waiting_{0};
  std::atomic<int64_t> dropped_{0};
  bool failing_ = false;               // the thread's
  TaskQueue thread_{"arka-audit", 1};  // last: its tasks use the rest
};

}  // namespace arka::auth
