#include "arka/simulation/row_content.h"

#include <optional>
#include <string>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include "arka/base/check.h"

namespace arka::simulation {
namespace {

std::optional<std::string> TextOf(int64_t id) {
  const uint64_t bits = static_cast<uint64_t>(id) * 0x9e3779b97f4a7c15 >> 32;
  if (bits % 5 == 0) return std::nullopt;
  std::string text = "row " + std::to_string(id) + " ";
  for (uint64_t i = 0; i < bits % 97; ++i) text += static_cast<char>('a' + (bits + i * 7) % 26);
  return text;
}

}  // namespace

std::shared_ptr<arrow::Schema> RowSchema() {
  return arrow::schema({arrow::field("id", arrow::int64(), /*nullable=*/false),
                        arrow::field("text", arrow::utf8(), /*nullable=*/true)});
}

std::shared_ptr<arrow::RecordBatch> RowsFrom(int64_t first_id, int64_t rows) {
  arrow::Int64Builder ids;
  arrow::StringBuilder texts;
  for (int64_t id = first_id; id < first_id + rows; ++id) {
    ARKA_CHECK(ids.Append(id).ok());
    const auto text = TextOf(id);
    ARKA_CHECK((text ? texts.Append(*text) : texts.AppendNull()).ok());
  }
  return arrow::RecordBatch::Make(RowSchema(), rows,
                                  {ids.Finish().ValueOrDie(), texts.Finish().ValueOrDie()});
}

Result<std::vector<int64_t>> CheckedIds(const arrow::Table& table) {
  ARROW_ASSIGN_OR_RAISE(const auto whole, table.CombineChunksToBatch());
  if (whole->num_columns() != 2) {
    return Error(ErrorCode::kCorruption, whole->num_columns(), " columns, 2 were written");
  }
  const auto& ids = static_cast<const arrow::Int64Array&>(*whole->column(0));
  const auto& texts = static_cast<const arrow::StringArray&>(*whole->column(1));
  std::vector<int64_t> found;
  for (int64_t row = 0; row < whole->num_rows(); ++row) {
    const int64_t id = ids.Value(row);
    const auto wanted = TextOf(id);
    const bool same =
        wanted ? texts.IsValid(row) && texts.GetView(row) == *wanted : texts.IsNull(row);
    if (!same)
      return Error(ErrorCode::kCorruption, "row ", id, " has another text than was written");
    found.push_back(id);
  }
  return found;
}

}  // namespace arka::simulation
