#include "arka/lake/data_file_writer.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <arrow/extension/uuid.h>
#include <arrow/io/memory.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include "arka/iceberg/single_value.h"
#include "arka/lake/testing_arrays.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_object_store.h"

namespace arka::lake {
namespace {

using arrow::TimeUnit;
using iceberg::DataFile;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr char kKey[] = "arka/t/data/1-2.parquet";

class DataFileWriter : public testing::Test {
 protected:
  /// Streams `batch` through the lake into one file.
  DataFile Write(const std::shared_ptr<arrow::RecordBatch>& batch,
                 const DataFileOptions& options = {}, int times = 1) {
    schema_ = *TableSchema::FromArrow(*batch->schema());
    const auto stored = Stored(batch).ValueOrDie();
    const std::vector<std::shared_ptr<arrow::RecordBatch>> batches(times, stored);
    auto file = WriteDataFile(warehouse_, kKey, *schema_, batches, options);
    EXPECT_THAT(file, IsOk());
    return file.ok() ? *file : DataFile();
  }

  DataFile WriteColumn(const std::shared_ptr<arrow::Array>& array) {
    return Write(OneColumn(array));
  }
  DataFile WriteColumn(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
    return WriteColumn(FromJson(type, json));
  }

  std::shared_ptr<arrow::Buffer> Object() { return *warehouse_.Get(kKey); }

  std::shared_ptr<parquet::FileMetaData> Footer() {
    return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(Object()))
        ->metadata();
  }

  std::shared_ptr<arrow::Table> Read() {
    auto reader = parquet::arrow::OpenFile(std::make_shared<arrow::io::BufferReader>(Object()),
                                           arrow::default_memory_pool())
                      .ValueOrDie();
    return (*reader->ReadTable())->CombineChunks().ValueOrDie();
  }

  MemoryObjectStore warehouse_;
  std::shared_ptr<const TableSchema> schema_;
};

TEST_F(DataFileWriter, EveryTypeComesBackAsItWasStored) {
  using namespace arrow;  // NOLINT: the names of twenty types
  const std::vector<std::pair<std::shared_ptr<DataType>, std::string>> columns = {
      {boolean(), "[true, null, false]"},
      {int8(), "[-128, null, 127]"},
      {int16(), "[-32768, null, 32767]"},
      {int32(), "[-2147483648, null, 2147483647]"},
      {int64(), "[-9223372036854775808, null, 9223372036854775807]"},
      {uint8(), "[0, null, 255]"},
      {uint16(), "[0, null, 65535]"},
      {uint32(), "[0, null, 4294967295]"},
      {float16(), "[0.5, null, -2]"},
      {float32(), "[0.5, null, -2]"},
      {float64(), "[0.1, null, -1e300]"},
      {decimal32(9, 2), R"(["1234567.89", null, "-0.01"])"},
      {decimal64(18, 4), R"(["12345678901234.5678", null, "-0.0001"])"},
      {decimal128(38, 0), R"(["99999999999999999999999999999999999999", null, "-1"])"},
      {decimal256(20, 10), R"(["1234567890.0123456789", null, "-1.0000000000"])"},
      {date32(), "[-719162, null, 2932896]"},
      {date64(), "[0, null, 86400000]"},
      {time32(TimeUnit::SECOND), "[0, null, 86399]"},
      {time32(TimeUnit::MILLI), "[0, null, 86399999]"},
      {time64(TimeUnit::MICRO), "[0, null, 86399999999]"},
      {time64(TimeUnit::NANO), "[0, null, 86399999999999]"},
      {timestamp(TimeUnit::SECOND), "[-1, null, 1700000000]"},
      {timestamp(TimeUnit::MILLI, "UTC"), "[-1, null, 1700000000000]"},
      {timestamp(TimeUnit::MICRO), "[-1, null, 1700000000000000]"},
      {timestamp(TimeUnit::NANO, "Asia/Tokyo"), "[-1, null, 1700000000000000001]"},
      {utf8(), R"(["", null, "žluťoučký kůň"])"},
      {large_utf8(), R"(["", null, "a"])"},
      {utf8_view(), R"(["", null, "more than twelve bytes"])"},
      {binary(), R"(["", null, "a"])"},
      {large_binary(), R"(["", null, "a"])"},
      {binary_view(), R"(["", null, "more than twelve bytes"])"},
      {fixed_size_binary(3), R"(["abc", null, "xyz"])"},
      {list(int8()), "[[1, null], null, []]"},
      {large_list(utf8()), R"([["a", null], null, []])"},
      {fixed_size_list(int32(), 2), "[[1, null], null, [3, 4]]"},
      {struct_({field("x", int8()), field("y", list(utf8()))}),
       R"([{"x": 1, "y": ["a"]}, null, {"x": null, "y": null}])"},
      {map(utf8(), list(int8())), R"([[["a", [1]], ["b", null]], null, []])"},
      {list(struct_({field("m", map(int32(), utf8()))})),
       R"([[{"m": [[1, "a"]]}, null], null, [{"m": null}]])"},
      {dictionary(int8(), utf8()), R"(["a", null, "b"])"},
  };
  for (const auto& [type, json] : columns) {
    SCOPED_TRACE(type->ToString());
    const auto batch = OneColumn(FromJson(type, json));
    const DataFile file = Write(batch);
    EXPECT_EQ(file.record_count, 3);
    const auto expected = Stored(batch).ValueOrDie();
    EXPECT_TRUE(Read()->column(0)->chunk(0)->Equals(*expected->column(0)))
        << Read()->ToString() << expected->ToString();
  }
}

TEST_F(DataFileWriter, UuidsWithinListsComeBack) {
  const auto uuids = std::make_shared<arrow::ExtensionArray>(
      arrow::extension::uuid(),
      FromJson(arrow::fixed_size_binary(16), R"(["0123456789abcdef", null, "fedcba9876543210"])"));
  const auto lists = std::make_shared<arrow::LargeListArray>(
      arrow::large_list(arrow::extension::uuid()), 2,
      arrow::Buffer::FromVector(std::vector<int64_t>{0, 2, 3}), uuids);
  WriteColumn(lists);
  const auto read = std::static_pointer_cast<arrow::ListArray>(Read()->column(0)->chunk(0));
  EXPECT_EQ(read->value_offset(1), 2);
  EXPECT_TRUE(read->values()->Equals(*uuids->storage()));  // Arrow reads UUIDs as fixed(16)
}

TEST_F(DataFileWriter, WritesWhatTheTableSpecSays) {
  using namespace arrow;  // NOLINT
  const auto uuids = std::make_shared<ExtensionArray>(
      extension::uuid(), FromJson(fixed_size_binary(16), R"(["0123456789abcdef"])"));
  const auto columns = std::vector<std::pair<std::shared_ptr<Array>, std::string>>{
      {FromJson(decimal128(9, 2), R"(["1.00"])"), "int32 field_id=1 c (Decimal"},
      {FromJson(decimal128(18, 2), R"(["1.00"])"), "int64 field_id=1 c (Decimal"},
      {FromJson(decimal128(19, 2), R"(["1.00"])"), "fixed_len_byte_array(9) field_id=1 c (Decimal"},
      {uuids, "fixed_len_byte_array(16) field_id=1 c (UUID)"},
      {FromJson(time64(TimeUnit::MICRO), "[1]"), "c (Time(isAdjustedToUTC=false"},
      {FromJson(timestamp(TimeUnit::MICRO), "[1]"), "c (Timestamp(isAdjustedToUTC=false"},
      {FromJson(timestamp(TimeUnit::MICRO, "CET"), "[1]"), "c (Timestamp(isAdjustedToUTC=true"},
      {FromJson(int8(), "[1]"), "optional int32 field_id=1 c;"},
      {FromJson(list(int8()), "[[1]]"), "optional int32 field_id=2 element;"},
      {FromJson(map(utf8(), int8()), "[[]]"), "optional int32 field_id=3 value;"}};
  for (const auto& [array, expected] : columns) {
    WriteColumn(array);
    EXPECT_THAT(Footer()->schema()->ToString(), testing::HasSubstr(expected));
  }
  EXPECT_EQ(Footer()->RowGroup(0)->ColumnChunk(0)->compression(), arrow::Compression::ZSTD);
  EXPECT_FALSE(Footer()->key_value_metadata() &&
               Footer()->key_value_metadata()->Contains("ARROW:schema"));
}

TEST_F(DataFileWriter, DescribesTheFile) {
  const DataFile file = WriteColumn(arrow::int64(), "[1, null, 3]");
  EXPECT_EQ(file.file_path, warehouse_.Uri(kKey));
  EXPECT_EQ(file.file_format, "PARQUET");
  EXPECT_EQ(file.file_size_in_bytes, Object()->size());
  EXPECT_EQ(file.record_count, 3);
  EXPECT_THAT(file.split_offsets, ElementsAre(4));
  EXPECT_EQ(file.column_sizes.at(1),
            Footer()->RowGroup(0)->ColumnChunk(0)->total_compressed_size());
  EXPECT_THAT(file.value_counts, ElementsAre(Pair(1, 3)));
  EXPECT_THAT(file.null_value_counts, ElementsAre(Pair(1, 1)));
  EXPECT_TRUE(file.nan_value_counts.empty());
  EXPECT_THAT(file.lower_bounds, ElementsAre(Pair(1, iceberg::SerializeLong(1))));
  EXPECT_THAT(file.upper_bounds, ElementsAre(Pair(1, iceberg::SerializeLong(3))));
}

TEST_F(DataFileWriter, BoundsOfEveryType) {
  using namespace arrow;    // NOLINT
  using namespace iceberg;  // NOLINT: the serializers
  const auto decimal = [](int64_t unscaled) {
    return SerializeDecimal(unscaled < 0 ? -1 : 0, static_cast<uint64_t>(unscaled));
  };
  struct Case {
    std::shared_ptr<DataType> type;
    std::string json, lower, upper;
  };
  for (const auto& [type, json, lower, upper] : std::vector<Case>{
           {boolean(), "[true, false]", SerializeBoolean(false), SerializeBoolean(true)},
           {int8(), "[5, -5]", SerializeInt(-5), SerializeInt(5)},
           {uint32(), "[5, 4294967295]", SerializeLong(5), SerializeLong(4294967295)},
           {float32(), "[1.5, -1.5]", SerializeFloat(-1.5), SerializeFloat(1.5)},
           {float64(), "[1.5, -1.5]", SerializeDouble(-1.5), SerializeDouble(1.5)},
           {decimal128(5, 2), R"(["-1.00", "2.56"])", decimal(-100), decimal(256)},
           {decimal128(12, 2), R"(["-1.00", "2.56"])", decimal(-100), decimal(256)},
           {decimal128(30, 2), R"(["-1.00", "2.56"])", decimal(-100), decimal(256)},
           {date32(), "[1, -1]", SerializeInt(-1), SerializeInt(1)},
           {time64(TimeUnit::NANO), "[1999, 1000000]", SerializeLong(1), SerializeLong(1000)},
           {timestamp(TimeUnit::SECOND), "[-1, 1]", SerializeLong(-1000000),
            SerializeLong(1000000)},
           {utf8(), R"(["b", "a"])", "a", "b"},
           {utf8(), R"(["aaaaaaaaaaaaaaaaX", "zzzzzzzzzzzzzzzzX"])", "aaaaaaaaaaaaaaaa",
            "zzzzzzzzzzzzzzz{"},
           {binary(), R"(["aaaaaaaaaaaaaaaaX", "b"])", "aaaaaaaaaaaaaaaa", "b"},
           {fixed_size_binary(3), R"(["abc", "xyz"])", "abc", "xyz"}}) {
    SCOPED_TRACE(type->ToString() + json);
    const DataFile file = WriteColumn(type, json);
    EXPECT_THAT(file.lower_bounds, ElementsAre(Pair(1, lower)));
    EXPECT_THAT(file.upper_bounds, ElementsAre(Pair(1, upper)));
  }
}

TEST_F(DataFileWriter, BoundsOfUuidsWhereAllReadersOrderThemAlike) {
  const auto uuids = [](const std::string& json) {
    return std::make_shared<arrow::ExtensionArray>(arrow::extension::uuid(),
                                                   FromJson(arrow::fixed_size_binary(16), json));
  };
  const DataFile agreed = WriteColumn(uuids(R"(["1123456789abcdef", "0123456789abcdef"])"));
  EXPECT_EQ(agreed.lower_bounds.at(1), "0123456789abcdef");
  EXPECT_EQ(agreed.upper_bounds.at(1), "1123456789abcdef");
  auto values = FromJson(arrow::fixed_size_binary(16), R"(["0123456789abcdef"])")->data()->Copy();
  auto high = FromJson(arrow::fixed_size_binary(16), R"(["0123456789abcdef"])")->data()->Copy();
  high->buffers[1] = arrow::Buffer::FromString(std::string(16, '\xf0'));
  const auto mixed =
      arrow::Concatenate({arrow::MakeArray(values), arrow::MakeArray(high)}).ValueOrDie();
  const DataFile split =
      WriteColumn(std::make_shared<arrow::ExtensionArray>(arrow::extension::uuid(), mixed));
  EXPECT_TRUE(split.lower_bounds.empty());
  EXPECT_TRUE(split.upper_bounds.empty());
}

TEST_F(DataFileWriter, NansAreCountedAndNeverBounds) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  arrow::DoubleBuilder builder;
  ASSERT_THAT(builder.AppendValues({kNan, 1.0, kNan, 3.0}), IsOk());
  ASSERT_THAT(builder.AppendNull(), IsOk());
  const DataFile some = WriteColumn(*builder.Finish());
  EXPECT_THAT(some.nan_value_counts, ElementsAre(Pair(1, 2)));
  EXPECT_THAT(some.null_value_counts, ElementsAre(Pair(1, 1)));
  EXPECT_THAT(some.value_counts, ElementsAre(Pair(1, 5)));
  EXPECT_EQ(some.lower_bounds.at(1), iceberg::SerializeDouble(1.0));
  EXPECT_EQ(some.upper_bounds.at(1), iceberg::SerializeDouble(3.0));

  ASSERT_THAT(builder.AppendValues({kNan, kNan}), IsOk());
  const DataFile all = WriteColumn(*builder.Finish());
  EXPECT_THAT(all.nan_value_counts, ElementsAre(Pair(1, 2)));
  EXPECT_TRUE(all.lower_bounds.empty());
  EXPECT_TRUE(all.upper_bounds.empty());
}

TEST_F(DataFileWriter, NansWithinStructsAreCountedUnlessTheStructIsNull) {
  const auto type = arrow::struct_({arrow::field("x", arrow::float32())});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  arrow::FloatBuilder builder;
  ASSERT_THAT(builder.AppendValues({nan, nan, 1}), IsOk());
  const auto array = arrow::StructArray::Make({*builder.Finish()}, type->fields(),
                                              arrow::Buffer::FromString("\x05"), -1);
  const DataFile file = WriteColumn(*array);
  EXPECT_THAT(file.nan_value_counts, ElementsAre(Pair(2, 1)));
}

TEST_F(DataFileWriter, ZeroBoundsCoverBothZeros) {
  const DataFile file = WriteColumn(arrow::float64(), "[0.0, -0.0, 0.0]");
  EXPECT_EQ(file.lower_bounds.at(1), iceberg::SerializeDouble(-0.0));
  EXPECT_EQ(file.upper_bounds.at(1), iceberg::SerializeDouble(0.0));
}

TEST_F(DataFileWriter, NoBoundsWhereThereAreNoValuesOrTheyAreTooLong) {
  const DataFile nulls = WriteColumn(arrow::utf8(), "[null, null]");
  EXPECT_THAT(nulls.null_value_counts, ElementsAre(Pair(1, 2)));
  EXPECT_TRUE(nulls.lower_bounds.empty());
  // The lower bound would be known, but what is longer than the footer takes counts too.
  const DataFile huge =
      WriteColumn(arrow::utf8(), R"(["b", ")" + std::string(100'000, 'a') + R"("])");
  EXPECT_TRUE(huge.lower_bounds.empty() || huge.lower_bounds.at(1) == std::string(16, 'a'));
  EXPECT_TRUE(huge.upper_bounds.empty() || huge.upper_bounds.at(1) == "b");
}

TEST_F(DataFileWriter, NestedLeavesHaveCountsAndOnlyThoseOutsideListsHaveBounds) {
  const auto type = arrow::struct_(
      {arrow::field("x", arrow::int32()), arrow::field("l", arrow::list(arrow::int32()))});
  const DataFile file = WriteColumn(type, R"([{"x": 1, "l": [1, 2]}, null, {"x": 3, "l": []}])");
  EXPECT_THAT(file.value_counts, UnorderedElementsAre(Pair(2, 3), Pair(4, 4)));
  EXPECT_EQ(file.null_value_counts.at(2), 1);
  EXPECT_THAT(file.lower_bounds, ElementsAre(Pair(2, iceberg::SerializeInt(1))));
  EXPECT_THAT(file.upper_bounds, ElementsAre(Pair(2, iceberg::SerializeInt(3))));
}

TEST_F(DataFileWriter, SplitsIntoRowGroupsWhoseBoundsAreJoined) {
  const auto batch = OneColumn(FromJson(arrow::int32(), "[5, 1, 9]"));
  DataFileOptions options;
  options.row_group_rows = 100;
  const DataFile file = Write(batch, options, /*times=*/100);
  EXPECT_EQ(file.record_count, 300);
  EXPECT_EQ(Footer()->num_row_groups(), 3);
  EXPECT_EQ(file.split_offsets.size(), 3u);
  EXPECT_TRUE(std::ranges::is_sorted(file.split_offsets));
  EXPECT_EQ(file.lower_bounds.at(1), iceberg::SerializeInt(1));
  EXPECT_EQ(file.upper_bounds.at(1), iceberg::SerializeInt(9));

  options.row_group_rows = 1 << 20;
  options.row_group_bytes = 400;
  Write(batch, options, /*times=*/100);
  EXPECT_GE(Footer()->num_row_groups(), 3);
}

TEST_F(DataFileWriter, RefusesToWriteNothing) {
  const auto batch = OneColumn(FromJson(arrow::int32(), "[]"));
  const auto schema = *TableSchema::FromArrow(*batch->schema());
  EXPECT_THAT(WriteDataFile(warehouse_, kKey, *schema, {batch}),
              FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(warehouse_.Head(kKey), FailsWith(ErrorCode::kNotFound));
}

TEST_F(DataFileWriter, TheSameBatchesGiveTheSameBytes) {
  const auto batch = OneColumn(FromJson(arrow::utf8(), R"(["a", null, "b"])"));
  Write(batch);
  const auto first = Object();
  Write(batch);
  EXPECT_TRUE(first->Equals(*Object()));
}

}  // namespace
}  // namespace arka::lake
