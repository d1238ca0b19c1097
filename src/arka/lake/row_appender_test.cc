#include "arka/lake/row_appender.h"

#include <random>
#include <vector>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/lake/testing_arrays.h"
#include "arka/testing/matchers.h"

namespace arka::lake {
namespace {

/// Every flat layout, with nulls here and there, twelve rows.
std::shared_ptr<arrow::RecordBatch> TwelveRows() {
  using namespace arrow;  // NOLINT: the names of the types
  const auto twelve = [](const std::shared_ptr<DataType>& type, const std::string& four) {
    return FromJson(type, "[" + four + "," + four + "," + four + "]");
  };
  const ArrayVector columns = {
      twelve(int64(), "1, 2, 3, 4"),
      twelve(int32(), "1, null, 3, null"),
      twelve(boolean(), "true, false, null, true"),
      twelve(boolean(), "true, true, false, true"),
      twelve(utf8(), R"("a", null, "", "dddd")"),
      twelve(utf8(), R"("", "", "", "")"),
      twelve(binary(), R"("x", "yy", "", "zzz")"),
      twelve(large_utf8(), R"("x", null, "", "zzz")"),
      twelve(float64(), "null, null, null, null"),
      twelve(decimal128(20, 2), R"("1.00", null, "-2.50", "3.25")"),
      twelve(timestamp(TimeUnit::MICRO, "UTC"), "1, 2, 3, 4"),
      std::make_shared<ExtensionArray>(extension::uuid(),
                                       twelve(fixed_size_binary(16), R"("0123456789abcdef", null,
                                    "fedcba9876543210", "0000000000000000")"))};
  FieldVector fields;
  for (const auto& column : columns) {
    fields.push_back(field("c" + std::to_string(fields.size()), column->type()));
  }
  return RecordBatch::Make(schema(fields), 12, columns);
}

TEST(RowAppender, GivesTheRowsBackHoweverTheyCame) {
  const auto rows = TwelveRows();
  ASSERT_TRUE(RowAppender::Takes(*rows->schema()));
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    RowAppender appender(rows->schema());
    arrow::RecordBatchVector slices;
    int64_t count = 0;
    for (uint32_t pieces = 1 + random() % 40; pieces > 0; --pieces) {
      const int64_t first = random() % 12;
      slices.push_back(rows->Slice(first, 1 + random() % (12 - first)));
      ASSERT_THAT(appender.Append(*slices.back()), IsOk());
      count += slices.back()->num_rows();
    }
    EXPECT_EQ(appender.num_rows(), count);
    const auto batch = appender.Finish();
    ASSERT_THAT(batch, IsOk());
    ASSERT_THAT((*batch)->ValidateFull(), IsOk());
    EXPECT_TRUE(
        (*batch)->Equals(**(*arrow::Table::FromRecordBatches(slices))->CombineChunksToBatch()));
  }
}

TEST(RowAppender, BeginsAnewAfterFinish) {
  const auto rows = TwelveRows();
  RowAppender appender(rows->schema());
  ASSERT_THAT(appender.Append(*rows), IsOk());
  const auto first = appender.Finish().ValueOrDie();
  EXPECT_EQ(appender.num_rows(), 0);
  ASSERT_THAT(appender.Append(*rows->Slice(3, 2)), IsOk());
  EXPECT_TRUE(appender.Finish().ValueOrDie()->Equals(*rows->Slice(3, 2)));
  EXPECT_TRUE(first->Equals(*rows));
}

TEST(RowAppender, ANullCountThatNobodyCountedIsCounted) {
  const auto column = FromJson(arrow::int32(), "[1, null, 3, null]");
  column->data()->SetNullCount(arrow::kUnknownNullCount);
  const auto rows = OneColumn(column);
  RowAppender appender(rows->schema());
  ASSERT_THAT(appender.Append(*rows->Slice(0, 1)), IsOk());
  ASSERT_THAT(appender.Append(*rows->Slice(1, 3)), IsOk());
  const auto batch = appender.Finish().ValueOrDie();
  EXPECT_EQ(batch->column(0)->null_count(), 2);
  EXPECT_TRUE(batch->Equals(*rows));
}

TEST(RowAppender, KeepsLittleMoreThanTheRows) {
  const auto rows = TwelveRows()->SelectColumns({0, 4}).ValueOrDie();
  const int64_t before = arrow::default_memory_pool()->bytes_allocated();
  RowAppender appender(rows->schema());
  for (int i = 0; i < 30'000; ++i) ASSERT_THAT(appender.Append(*rows->Slice(i % 12, 1)), IsOk());
  const auto batch = appender.Finish().ValueOrDie();
  const int64_t bytes = 30'000 * (8 + 4 + 5 / 4);
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated() - before, bytes + bytes / 8);
}

TEST(RowAppender, TakesNoColumnsWithChildren) {
  using namespace arrow;  // NOLINT: the names of the types
  for (const auto& type : {list(int32()), struct_({field("x", int32())}), map(utf8(), int32()),
                           dictionary(int32(), utf8())}) {
    EXPECT_FALSE(RowAppender::Takes(*schema({field("a", int32()), field("b", type)})));
  }
}

}  // namespace
}  // namespace arka::lake
