#include "arka/ingest/table_buffer.h"

#include <utility>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::ingest {
namespace {

const std::shared_ptr<arrow::Schema>& IdSchema() {
  static const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
  return schema;
}

BufferedWrite WriteOf(Lsn lsn, int64_t rows, int64_t charged_bytes) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_THAT(builder.Append(lsn.value), IsOk());
  return {lsn, arrow::RecordBatch::Make(IdSchema(), rows, {builder.Finish().ValueOrDie()}),
          charged_bytes};
}

int64_t CountRows(const Rows& rows) {
  int64_t count = 0;
  for (const auto& batch : rows.batches) count += batch->num_rows();
  return count;
}

TEST(TableBuffer, GivesBackEveryRowInOrder) {
  TableBuffer buffer(IdSchema());
  EXPECT_TRUE(buffer.empty());
  for (int64_t i = 0; i < 100; ++i)
    ASSERT_THAT(buffer.Add(WriteOf(Lsn{1000 + 2 * i}, 3, 10)), IsOk());
  EXPECT_FALSE(buffer.empty());
  EXPECT_EQ(buffer.first_lsn(), Lsn{1000});
  const Rows rows = buffer.TakeAll().ValueOrDie();
  EXPECT_EQ(rows.first_lsn, Lsn{1000});
  EXPECT_EQ(rows.last_lsn, Lsn{1198});
  EXPECT_EQ(rows.row_count, 300);
  EXPECT_EQ(rows.charged_bytes, 1000);
  ASSERT_EQ(CountRows(rows), 300);
  int64_t previous = 0;
  for (const auto& batch : rows.batches) {
    const auto& ids = static_cast<const arrow::Int64Array&>(*batch->column(0));
    for (int64_t i = 0; i < ids.length(); ++i) {
      EXPECT_GE(ids.Value(i), previous);
      previous = ids.Value(i);
    }
  }
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.size_bytes(), 0);
}

TEST(TableBuffer, LetsGoOfWhatMergingFreed) {
  TableBuffer buffer(IdSchema());
  constexpr int64_t kCharged = 100'000;  // what one row kept alive before it was merged
  int64_t freed = 0;
  for (int64_t i = 0; i < 100; ++i) {
    freed += buffer.Add(WriteOf(Lsn{1000 + i}, 1, kCharged)).ValueOrDie();
  }
  EXPECT_GT(freed, 80 * kCharged);
  const Rows rows = buffer.TakeAll().ValueOrDie();
  EXPECT_EQ(freed + rows.charged_bytes, 100 * kCharged) << "every byte is given back once";
}

TEST(TableBuffer, TakesBackWhatCouldNotBeWritten) {
  TableBuffer buffer(IdSchema());
  ASSERT_THAT(buffer.Add(WriteOf(Lsn{1000}, 5, 50)), IsOk());
  ASSERT_THAT(buffer.Add(WriteOf(Lsn{1001}, 5, 50)), IsOk());
  Rows rows = buffer.TakeAll().ValueOrDie();
  ASSERT_THAT(buffer.PutBack(std::move(rows)), IsOk());
  ASSERT_THAT(buffer.Add(WriteOf(Lsn{1002}, 5, 50)), IsOk());
  const Rows again = buffer.TakeAll().ValueOrDie();
  EXPECT_EQ(again.first_lsn, Lsn{1000});
  EXPECT_EQ(again.last_lsn, Lsn{1002});
  EXPECT_EQ(again.row_count, 15);
  EXPECT_EQ(again.charged_bytes, 150);
  EXPECT_EQ(CountRows(again), 15);
}

TEST(TableBuffer, HoldsWritesWithoutRows) {
  TableBuffer buffer(IdSchema());
  ASSERT_THAT(buffer.Add(WriteOf(Lsn{1000}, 0, 50)), IsOk());
  EXPECT_FALSE(buffer.empty());
  const Rows rows = buffer.TakeAll().ValueOrDie();
  EXPECT_EQ(rows.last_lsn, Lsn{1000});
  EXPECT_EQ(rows.row_count, 0);
  EXPECT_EQ(CountRows(rows), 0);
}

}  // namespace
}  // namespace arka::ingest
