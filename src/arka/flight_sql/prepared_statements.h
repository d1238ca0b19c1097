// Statements that clients have prepared: their text, and the values bound to their parameters.
//
// A handle is a random name, good only for the principal whom it was given. A statement is
// forgotten when it is closed, an hour after its last use, or where too many are held, the oldest
// first. Thread-safe; no I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"

namespace arka::flight_sql {

struct PreparedStatement {
  std::string sql;
  std::shared_ptr<arrow::RecordBatch> parameters;  // null: none are bound
};

struct PreparedStatementLimits {
  std::chrono::milliseconds lifetime{3'600'000};  // since the last use
  size_t statements = 10'000;
};

class PreparedStatements {
 public:
  /// Both must outlive the statements.
  PreparedStatements(const Clock& clock, Random& random, PreparedStatementLimits limits = {})
      : clock_(clock), random_(random), limits_(limits) {}

  /// Keeps it; answers its handle.
  std::string Add(const std::string& principal, std::string sql);
  /// kNotFound where there is none of that handle for that principal, as the next.
  Result<PreparedStatement> Find(const std::string& principal, std::string_view handle);
  Status Bind(const std::string& principal, std::string_view handle,
              std::shared_ptr<arrow::RecordBatch> parameters);
  /// No error where there is none.
  void Close(const std::string& principal, std::string_view handle);

  /// Forgets what was not used for long.
  void Sweep();

 private:
  struct Held {
    std::string principal;
    PreparedStatement statement;
    SteadyTime last_used;
  };

  Result<Held*> FindLocked(const std::string& principal, std::string_view handle);

  const Clock& clock_;
  Random& random_;
  const PreparedStatementLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Held, std::less<>> held_;  // by handle; guarded by mutex_
};

}  // namespace arka::flight_sql
