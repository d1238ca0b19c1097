// What the server and a query worker tell each other, as the texts of frames.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/sql/statement_check.h"

namespace arka::sql {

/// A column of a table as DuckDB is to see it.
struct WorkerColumn {
  int field_id = 0;
  std::string name;
  std::string type;  // as SQL spells it

  bool operator==(const WorkerColumn&) const = default;
};

/// The record batches between two places of a file of messages of Arrow's IPC stream format, which
/// begins with their schema.
struct RowsRange {
  int64_t begin = 0;
  int64_t end = 0;

  bool operator==(const RowsRange&) const = default;
};

/// A table: Parquet files whose columns are found by field id, and rows in files of Arrow's, of the
/// same columns in the same order.
struct WorkerTable {
  std::string namespace_name = {};
  std::string name = {};
  std::vector<WorkerColumn> columns = {};
  std::vector<std::string> files = {};  // local paths
  std::vector<RowsRange> rows = {};     // of the next of the frame's files, one each

  bool operator==(const WorkerTable&) const = default;
};

struct RunRequest {
  std::string sql;
  std::vector<WorkerTable> tables = {};

  bool operator==(const RunRequest&) const = default;
};

std::string ToJson(const RunRequest& request);
Result<RunRequest> ParseRunRequest(std::string_view text);

std::string ToJson(const std::vector<TableReference>& tables);
Result<std::vector<TableReference>> ParseTableReferences(std::string_view text);

/// The text of a FrameKind::kError.
std::string ErrorToJson(const Status& status);
/// The failed status that it tells of; kInternal where `text` is none.
Status ParseError(std::string_view text);

}  // namespace arka::sql
