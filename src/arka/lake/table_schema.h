// The schema of one stream into one table: what is logged, what is stored, what Iceberg calls it.
//
// Made once per stream, when its schema arrives; then every batch goes through ToLogged (before
// the log) and ToStorage (before the table's buffer). Immutable and thread-safe. What it accepts
// can be written: nothing that passed here fails later in the Parquet writer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/iceberg/schema.h"

namespace arka::lake {

inline constexpr int kMaxColumns = 2000;
/// Columns and everything nested in them.
inline constexpr int kMaxFields = 10000;

/// Table property: what becomes of nanoseconds in a table that stores microseconds.
inline constexpr char kTimestampNsProperty[] = "arka.timestamp-ns";

enum class NanosecondPolicy : uint8_t {
  kTruncate,  // property value "truncate": cut to the microsecond at or before
  kRefuse,    // the table says nothing: streams with nanosecond columns are refused
};

/// The policy that a table's properties ask for.
NanosecondPolicy NanosecondPolicyOf(const std::map<std::string, std::string>& table_properties);

class TableSchema {
 public:
  /// The schema for a new table made from a stream: fresh field ids, required columns where the
  /// stream's are not nullable. kInvalidRequest, naming the column, for what Iceberg cannot hold.
  static Result<std::shared_ptr<const TableSchema>> FromArrow(const arrow::Schema& stream_schema);

  /// The schema for a stream into the table that is there. Columns must agree in number, order,
  /// name and Iceberg type, and a required column wants one that is not nullable: else
  /// kSchemaMismatch, with both schemas and the first difference. kInvalidRequest as above.
  static Result<std::shared_ptr<const TableSchema>> ForTable(
      const iceberg::Schema& table, const arrow::Schema& stream_schema,
      NanosecondPolicy nanoseconds = NanosecondPolicy::kTruncate);

  /// The properties that Arka gives to a table it creates.
  static std::map<std::string, std::string> NewTableProperties();

  const std::shared_ptr<arrow::Schema>& stream_schema() const { return stream_schema_; }
  /// The stream's schema with dictionary and run-end encoded types replaced by their value types.
  const std::shared_ptr<arrow::Schema>& logged_schema() const { return logged_schema_; }
  /// What goes to the Parquet writer: with field ids at every depth.
  const std::shared_ptr<arrow::Schema>& storage_schema() const { return storage_schema_; }
  const iceberg::Schema& iceberg_schema() const { return iceberg_schema_; }

  /// Whether ToLogged changes batches, that is, whether the stream has encoded columns.
  bool needs_decoding() const { return needs_decoding_; }
  /// Whether ToStorage may change batches; else it only looks for nulls in required columns.
  bool needs_conversion() const { return needs_conversion_; }

  /// The batch as it is logged: dictionaries and run ends decoded, everything else as it is, and
  /// the batch itself where there is nothing to decode. `streamed` has stream_schema() and passed
  /// ValidateFull. kTooLarge where decoding would make more than `max_bytes`.
  Result<std::shared_ptr<arrow::RecordBatch>> ToLogged(
      const std::shared_ptr<arrow::RecordBatch>& streamed, int64_t max_bytes) const;

  /// The batch as it is stored: widened, rescaled, renamed; zero-copy where layouts agree, and the
  /// batch itself where nothing changes (its types are then those of storage_schema()). Every
  /// stream of a table gives the same types, so that their batches can be merged. Values are
  /// checked, so that nothing fails later; kInvalidRequest names column and row. `logged` has
  /// logged_schema() and passed ValidateFull.
  Result<std::shared_ptr<arrow::RecordBatch>> ToStorage(
      const std::shared_ptr<arrow::RecordBatch>& logged) const;

 private:
  TableSchema() = default;
  static Result<std::shared_ptr<TableSchema>> Map(const arrow::Schema& stream_schema);
  void Bind(const iceberg::Schema& table);

  std::shared_ptr<arrow::Schema> stream_schema_;
  std::shared_ptr<arrow::Schema> logged_schema_;
  std::shared_ptr<arrow::Schema> storage_schema_;
  iceberg::Schema iceberg_schema_;
  struct Column {
    bool converts = false;
    bool checks_nulls = false;
  };
  std::vector<Column> columns_;
  bool needs_decoding_ = false;
  bool needs_conversion_ = false;
  bool cuts_nanoseconds_ = false;
};

}  // namespace arka::lake
