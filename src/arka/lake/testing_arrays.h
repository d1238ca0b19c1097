// Arrow arrays and schemas for the lake's own tests, written as JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "arka/lake/table_schema.h"

namespace arka::lake {

inline std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                              const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

/// A batch of one column "c".
inline std::shared_ptr<arrow::RecordBatch> OneColumn(const std::shared_ptr<arrow::Array>& array,
                                                     bool nullable = true) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("c", array->type(), nullable)}),
                                  array->length(), {array});
}

/// The path of a batch through the lake, as a new table's.
inline Result<std::shared_ptr<arrow::RecordBatch>> Stored(
    const std::shared_ptr<arrow::RecordBatch>& streamed, int64_t max_bytes = 1 << 20) {
  ARROW_ASSIGN_OR_RAISE(const auto schema, TableSchema::FromArrow(*streamed->schema()));
  ARROW_RETURN_NOT_OK(streamed->ValidateFull());
  ARROW_ASSIGN_OR_RAISE(const auto logged, schema->ToLogged(streamed, max_bytes));
  ARROW_RETURN_NOT_OK(logged->ValidateFull());
  ARROW_ASSIGN_OR_RAISE(auto stored, schema->ToStorage(logged));
  ARROW_RETURN_NOT_OK(stored->ValidateFull());
  for (int i = 0; i < stored->num_columns(); ++i) {
    EXPECT_TRUE(stored->column(i)->type()->Equals(*schema->storage_schema()->field(i)->type()));
  }
  return stored;
}

inline Result<std::shared_ptr<arrow::Array>> StoredColumn(
    const std::shared_ptr<arrow::Array>& array, bool nullable = true) {
  ARROW_ASSIGN_OR_RAISE(const auto stored, Stored(OneColumn(array, nullable)));
  return stored->column(0);
}

}  // namespace arka::lake
