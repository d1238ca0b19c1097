// Rows that become batches, and rows that do not fit.
#include "row_buffer.h"

#include "arka_client/error.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace arka::client {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

std::shared_ptr<arrow::Schema> Readings() {
  return arrow::schema({
      arrow::field("sensor", arrow::utf8(), /*nullable=*/false),
      arrow::field("celsius", arrow::float64()),
      arrow::field("count", arrow::int8()),
      arrow::field("at", arrow::timestamp(arrow::TimeUnit::MILLI, "UTC")),
      arrow::field("ok", arrow::boolean()),
      arrow::field("tags", arrow::list(arrow::int32())),
  });
}

class RowBufferTest : public ::testing::Test {
 protected:
  arrow::Status Add(std::vector<Cell> row) { return rows_->Add(row); }
  arrow::Status AddNamed(std::vector<std::pair<std::string_view, Cell>> row) {
    return rows_->AddNamed(row);
  }

  void ExpectRefused(const arrow::Status& status, std::string_view column) {
    EXPECT_EQ(CodeOf(status), Code::kInvalidArgument) << status;
    EXPECT_NE(status.message().find(column), std::string::npos) << status;
    EXPECT_EQ(rows_->rows(), 0);
  }

  std::unique_ptr<RowBuffer> rows_ = RowBuffer::Make(Readings()).ValueOrDie();
};

TEST_F(RowBufferTest, MakesABatchOfItsRows) {
  const auto day = sys_days(year(2026) / 2 / 3) + std::chrono::milliseconds(5);
  arrow::Int32Builder builder;
  ASSERT_TRUE(builder.AppendValues({1, 2}).ok());
  const std::shared_ptr<arrow::Scalar> tags =
      std::make_shared<arrow::ListScalar>(builder.Finish().ValueOrDie());
  ASSERT_TRUE(Add({"attic", 21.5, 7, day, true, tags}).ok());
  ASSERT_TRUE(Add({std::string("cellar"), 12, -128, std::nullopt, false, std::nullopt}).ok());
  const auto batch = rows_->Take().ValueOrDie();
  ASSERT_TRUE(batch->ValidateFull().ok());
  EXPECT_EQ(batch->num_rows(), 2);
  EXPECT_EQ(batch->column(0)->ToString(), "[\n  \"attic\",\n  \"cellar\"\n]");
  const auto cell = [&](int column, int row) {
    return batch->column(column)->GetScalar(row).ValueOrDie()->ToString();
  };
  EXPECT_EQ(cell(1, 1), "12");
  EXPECT_EQ(cell(2, 1), "-128");
  EXPECT_EQ(cell(3, 0), "2026-02-03 00:00:00.005Z");
  EXPECT_EQ(cell(3, 1), "null");
  EXPECT_EQ(cell(4, 0), "true");
  EXPECT_TRUE(tags->Equals(*batch->column(5)->GetScalar(0).ValueOrDie()));
  EXPECT_EQ(rows_->rows(), 0);
}

TEST_F(RowBufferTest, TakesRowsByTheColumnsNames) {
  ASSERT_TRUE(AddNamed({{"count", 3}, {"sensor", "attic"}}).ok());
  const auto batch = rows_->Take().ValueOrDie();
  EXPECT_EQ(batch->column(0)->GetScalar(0).ValueOrDie()->ToString(), "attic");
  EXPECT_EQ(batch->column(2)->GetScalar(0).ValueOrDie()->ToString(), "3");
  EXPECT_TRUE(batch->column(1)->IsNull(0));
}

TEST_F(RowBufferTest, RefusesAColumnThatThereIsNot) {
  ExpectRefused(AddNamed({{"sensor", "attic"}, {"kelvin", 3}}), "kelvin");
}

TEST_F(RowBufferTest, RefusesARowWithoutARequiredValue) {
  ExpectRefused(AddNamed({{"count", 3}}), "sensor");
}

TEST_F(RowBufferTest, RefusesARowOfAnotherLength) { ExpectRefused(Add({"attic"}), "6 columns"); }

TEST_F(RowBufferTest, TakesNothingOfARowWithAValueThatDoesNotFit) {
  const auto null = std::nullopt;
  ExpectRefused(Add({7, 1.0, 1, null, true, null}), "sensor");
  ExpectRefused(Add({"a\xff", 1.0, 1, null, true, null}), "sensor");
  ExpectRefused(Add({"attic", "warm", 1, null, true, null}), "celsius");
  ExpectRefused(Add({"attic", 1.0, 128, null, true, null}), "count");
  ExpectRefused(Add({"attic", 1.0, 1.5, null, true, null}), "count");
  ExpectRefused(Add({"attic", 1.0, ~uint64_t{0}, null, true, null}), "count");
  ExpectRefused(Add({"attic", 1.0, 1, 5, true, null}), "at");
  ExpectRefused(Add({"attic", 1.0, 1, null, 1, null}), "ok");
  ExpectRefused(Add({"attic", 1.0, 1, null, true, arrow::MakeScalar(5)}), "tags");
  ASSERT_TRUE(Add({"attic", 1.0, 1, null, true, null}).ok());
  EXPECT_TRUE(rows_->Take().ValueOrDie()->ValidateFull().ok());
}

TEST_F(RowBufferTest, TakesPointsInTimeThatNanosecondsCannotSay) {
  rows_ =
      RowBuffer::Make(arrow::schema({arrow::field("day", arrow::date32()),
                                     arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO))}))
          .ValueOrDie();
  const sys_days never = year(9999) / 12 / 31, long_ago = year(1) / 1 / 1;
  ASSERT_TRUE(Add({never, never}).ok());
  ASSERT_TRUE(Add({long_ago, long_ago + std::chrono::microseconds(5)}).ok());
  const auto batch = rows_->Take().ValueOrDie();
  const auto cell = [&](int column, int row) {
    return batch->column(column)->GetScalar(row).ValueOrDie()->ToString();
  };
  EXPECT_EQ(cell(0, 0), "9999-12-31");
  EXPECT_EQ(cell(1, 0), "9999-12-31 00:00:00.000000");
  EXPECT_EQ(cell(0, 1), "0001-01-01");
  EXPECT_EQ(cell(1, 1), "0001-01-01 00:00:00.000005");
}

TEST_F(RowBufferTest, RefusesAPointInTimeThatTheColumnCannotHold) {
  const sys_days never = year(9999) / 12 / 31;
  rows_ =
      RowBuffer::Make(arrow::schema({arrow::field("at", arrow::timestamp(arrow::TimeUnit::NANO))}))
          .ValueOrDie();
  ExpectRefused(Add({never}), "at");
  ASSERT_TRUE(Add({sys_days(year(1960) / 1 / 1) + std::chrono::nanoseconds(7)}).ok());
  EXPECT_EQ(rows_->Take().ValueOrDie()->column(0)->GetScalar(0).ValueOrDie()->ToString(),
            "1960-01-01 00:00:00.000000007");
}

TEST_F(RowBufferTest, RefusesColumnsThatAreEncodedAsDictionaries) {
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8());
  for (const auto& type : {words, arrow::list(words)}) {
    const auto made = RowBuffer::Make(arrow::schema({arrow::field("word", type)}));
    EXPECT_EQ(CodeOf(made.status()), Code::kInvalidArgument) << made.status();
  }
}

TEST_F(RowBufferTest, RefusesAScalarThatIsNotWhatItSays) {
  const auto type =
      arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())});
  rows_ = RowBuffer::Make(
              arrow::schema({arrow::field("n", arrow::int64()), arrow::field("pair", type)}))
              .ValueOrDie();
  using Values = arrow::ScalarVector;
  const auto scalar = [&](Values values) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::StructScalar>(std::move(values), type);
  };
  ExpectRefused(Add({1, scalar({arrow::MakeScalar(1), arrow::MakeScalar(2)})}), "pair");
  ExpectRefused(Add({1, scalar({arrow::MakeScalar(1), arrow::MakeScalar("a\xff")})}), "pair");
  ASSERT_TRUE(Add({1, scalar({arrow::MakeScalar(1), arrow::MakeScalar("a")})}).ok());
  EXPECT_TRUE(rows_->Take().ValueOrDie()->ValidateFull().ok());
}

TEST_F(RowBufferTest, ARowThatFindsNoMemoryIsNotIn) {
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), 100'000);
  const auto schema =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("text", arrow::utf8())});
  rows_ = RowBuffer::Make(schema, &pool).ValueOrDie();
  const std::string text(100, 'x');
  arrow::Status full;
  int64_t taken = 0;
  for (; full.ok(); taken += full.ok()) full = Add({taken, text});
  EXPECT_EQ(CodeOf(full), Code::kResourceExhausted) << full;
  auto batch = rows_->Take().ValueOrDie();
  EXPECT_EQ(batch->num_rows(), taken);
  EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull();
  batch.reset();
  EXPECT_TRUE(Add({1, text}).ok());
  rows_.reset();  // before its pool
}

TEST_F(RowBufferTest, CountsTheBytesOfScalars) {
  const auto floats = arrow::MakeArrayFromScalar(arrow::FloatScalar(0.5F), 3000).ValueOrDie();
  rows_ = RowBuffer::Make(arrow::schema({arrow::field("vector", arrow::list(arrow::float32())),
                                         arrow::field("text", arrow::utf8())}))
              .ValueOrDie();
  const std::shared_ptr<arrow::Scalar> vector = std::make_shared<arrow::ListScalar>(floats);
  ASSERT_TRUE(Add({vector, arrow::MakeScalar(std::string(2000, 'x'))}).ok());
  EXPECT_GE(rows_->bytes(), 14'000);
  EXPECT_LE(rows_->bytes(), 15'000);
}

TEST_F(RowBufferTest, CountsAboutTheBytesOfItsRows) {
  ASSERT_TRUE(AddNamed({{"sensor", std::string(1000, 'x')}}).ok());
  EXPECT_GE(rows_->bytes(), 1000);
  EXPECT_LE(rows_->bytes(), 1100);
  ASSERT_TRUE(rows_->Take().ok());
  EXPECT_EQ(rows_->bytes(), 0);
}

}  // namespace
}  // namespace arka::client
