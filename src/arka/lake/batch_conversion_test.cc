#include <string>
#include <vector>

#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/lake/testing_arrays.h"
#include "arka/testing/matchers.h"

namespace arka::lake {
namespace {

using arrow::TimeUnit;
using testing::HasSubstr;

void ExpectStored(const std::shared_ptr<arrow::Array>& array,
                  const std::shared_ptr<arrow::Array>& expected) {
  const auto stored = StoredColumn(array);
  ASSERT_THAT(stored, IsOk());
  EXPECT_TRUE((*stored)->Equals(*expected)) << (*stored)->ToString() << "\nexpected\n"
                                            << expected->ToString();
  // The same from the middle of a longer array.
  if (array->length() < 2) return;
  const auto slice = StoredColumn(array->Slice(1));
  ASSERT_THAT(slice, IsOk());
  EXPECT_TRUE((*slice)->Equals(*expected->Slice(1))) << (*slice)->ToString();
}

void ExpectStored(const std::shared_ptr<arrow::DataType>& from, const std::string& json,
                  const std::shared_ptr<arrow::DataType>& to, const std::string& expected) {
  SCOPED_TRACE(from->ToString());
  ExpectStored(FromJson(from, json), FromJson(to, expected));
}

void ExpectStored(const std::shared_ptr<arrow::DataType>& from,
                  const std::shared_ptr<arrow::DataType>& to, const std::string& json) {
  ExpectStored(from, json, to, json);
}

TEST(BatchConversion, KeepsValuesOfEveryPlainType) {
  using namespace arrow;  // NOLINT: the names of twenty types
  const std::string integers = "[1, null, 0, 100]";
  ExpectStored(boolean(), boolean(), "[true, null, false]");
  for (const auto& type : {int8(), int16(), int32(), uint8(), uint16()}) {
    ExpectStored(type, int32(), integers);
  }
  ExpectStored(int64(), int64(), integers);
  ExpectStored(uint32(), int64(), "[4294967295, null, 0]");
  ExpectStored(float16(), float32(), "[1.5, null, -2]");
  ExpectStored(float32(), float32(), "[1.5, null, -2]");
  ExpectStored(float64(), float64(), "[1.5, null, -2]");
  for (const auto& type : {decimal32(5, 2), decimal64(5, 2), decimal128(5, 2), decimal256(5, 2)}) {
    ExpectStored(type, decimal128(5, 2), R"(["-999.99", null, "0.01"])");
  }
  ExpectStored(date32(), date32(), "[-1, null, 20000]");
  ExpectStored(date64(), "[-86400000, null, 172800000]", date32(), "[-1, null, 2]");
  const auto time = time64(TimeUnit::MICRO);
  ExpectStored(time32(TimeUnit::SECOND), "[1, null]", time, "[1000000, null]");
  ExpectStored(time32(TimeUnit::MILLI), "[1, null]", time, "[1000, null]");
  ExpectStored(time64(TimeUnit::NANO), "[1999, null]", time, "[1, null]");
  for (const auto& type : {utf8(), large_utf8(), utf8_view()}) {
    ExpectStored(type, utf8(), R"(["", null, "a string of more than twelve bytes", "é"])");
  }
  for (const auto& type : {binary(), large_binary(), binary_view()}) {
    ExpectStored(type, binary(), R"(["", null, "bytes that are too long to be inlined"])");
  }
  ExpectStored(fixed_size_binary(3), fixed_size_binary(3), R"(["abc", null])");
}

TEST(BatchConversion, CutsTimestampsToTheMicrosecondBefore) {
  const auto micro = arrow::timestamp(TimeUnit::MICRO);
  ExpectStored(arrow::timestamp(TimeUnit::NANO), "[1999, -1, -1000, -1001, null, 0]", micro,
               "[1, -1, -1, -2, null, 0]");
  ExpectStored(arrow::timestamp(TimeUnit::MILLI), "[-1, null, 5]", micro, "[-1000, null, 5000]");
  ExpectStored(arrow::timestamp(TimeUnit::SECOND), "[-1, null, 5]", micro,
               "[-1000000, null, 5000000]");
  ExpectStored(arrow::timestamp(TimeUnit::MICRO, "Europe/Berlin"), "[7, null]",
               arrow::timestamp(TimeUnit::MICRO, "UTC"), "[7, null]");
}

TEST(BatchConversion, NamesColumnAndRowOfAValueThatDoesNotFit) {
  const auto seconds = arrow::timestamp(TimeUnit::SECOND);
  const auto overflow = StoredColumn(FromJson(seconds, "[1, 9223372036855]"));
  ASSERT_THAT(overflow, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(overflow.status().message(), HasSubstr("column 'c', row 1: "));
  EXPECT_THAT(overflow.status().message(), HasSubstr("9223372036855"));

  const auto nested = arrow::struct_({arrow::field("when", arrow::list(seconds))});
  const auto deep = StoredColumn(
      FromJson(nested, R"([{"when": []}, {"when": [1, 2]}, null, {"when": [3, 9223372036855]}])"));
  ASSERT_THAT(deep, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(deep.status().message(), HasSubstr("column 'c.when.element', row 3: "));

  EXPECT_THAT(StoredColumn(FromJson(arrow::date64(), "[8640000000000000000]")),
              FailsWith(ErrorCode::kInvalidRequest));
}

TEST(BatchConversion, IgnoresWhatANullHides) {
  const auto seconds = arrow::timestamp(TimeUnit::SECOND);
  auto hidden = FromJson(seconds, "[9223372036855, 1]")->data()->Copy();
  hidden->buffers[0] = arrow::Buffer::FromString(std::string(1, '\x02'));
  hidden->null_count = 1;
  ExpectStored(arrow::MakeArray(hidden),
               FromJson(arrow::timestamp(TimeUnit::MICRO), "[null, 1000000]"));
}

TEST(BatchConversion, KeepsNestedValues) {
  using namespace arrow;  // NOLINT
  const std::string lists = "[[1, null], null, [], [3]]";
  ExpectStored(list(int8()), list(int32()), lists);
  ExpectStored(large_list(int32()), list(int32()), lists);
  ExpectStored(fixed_size_list(int16(), 2), list(int32()), "[[1, null], null, [3, 4]]");
  ExpectStored(fixed_size_list(int32(), 2), list(int32()), "[[1, 2], [3, 4]]");
  ExpectStored(fixed_size_list(int32(), 0), list(int32()), "[[], [], null]");
  ExpectStored(map(utf8(), int8()), map(utf8(), int32()), R"([[["a", 1], ["b", null]], null, []])");
  const auto from = struct_({field("a", uint8()), field("b", list(utf8_view()))});
  const auto to = struct_({field("a", int32()), field("b", list(utf8()))});
  ExpectStored(from, to, R"([{"a": 1, "b": ["x"]}, null, {"a": null, "b": null}])");
  ExpectStored(list(list(list(int8()))), list(list(list(int32()))),
               "[[[[1], []], null], [], [[[2, 3]]]]");
  ExpectStored(list(fixed_size_list(int8(), 2)), list(list(int32())),
               "[[[1, 2], null], null, [[3, 4]]]");
  ExpectStored(
      map(int32(), map(utf8(), timestamp(TimeUnit::MILLI))), R"([[[1, [["a", 1]]]], null])",
      map(int32(), map(utf8(), timestamp(TimeUnit::MICRO))), R"([[[1, [["a", 1000]]]], null])");
}

TEST(BatchConversion, EmptiesListsThatANullHides) {
  auto lists = FromJson(arrow::list(arrow::int32()), "[[1, 2], [3], [4]]")->data()->Copy();
  lists->buffers[0] = arrow::Buffer::FromString(std::string(1, '\x05'));
  lists->null_count = 1;
  const auto stored = StoredColumn(arrow::MakeArray(lists));
  ASSERT_THAT(stored, IsOk());
  const auto& values = static_cast<const arrow::ListArray&>(**stored);
  EXPECT_TRUE(values.Equals(*FromJson(arrow::list(arrow::int32()), "[[1, 2], null, [4]]")));
  EXPECT_EQ(values.value_length(1), 0);

  const auto type = arrow::struct_({arrow::field("l", arrow::list(arrow::int32()))});
  auto structs = FromJson(type, R"([{"l": [1]}, {"l": [2]}])")->data()->Copy();
  structs->buffers[0] = arrow::Buffer::FromString(std::string(1, '\x02'));
  structs->null_count = 1;
  const auto inner = StoredColumn(arrow::MakeArray(structs));
  ASSERT_THAT(inner, IsOk());
  const auto& parents = static_cast<const arrow::StructArray&>(**inner);
  EXPECT_EQ(static_cast<const arrow::ListArray&>(*parents.field(0)).value_length(0), 0);
}

TEST(BatchConversion, DecodesDictionariesAtAnyDepth) {
  using namespace arrow;  // NOLINT
  const auto words = dictionary(int8(), utf8());
  ExpectStored(json::DictArrayFromJSONString(words, "[0, 1, null, 0, 2]", R"(["a", "b", null])")
                   .ValueOrDie(),
               FromJson(utf8(), R"(["a", "b", null, "a", null])"));
  const auto in_list = std::make_shared<ListArray>(
      list(words), 2, Buffer::FromVector(std::vector<int32_t>{0, 2, 3}),
      json::DictArrayFromJSONString(words, "[0, 1, 0]", R"(["x", "y"])").ValueOrDie());
  ExpectStored(in_list, FromJson(list(utf8()), R"([["x", "y"], ["x"]])"));
  const auto points = dictionary(uint16(), struct_({field("x", int8())}));
  const auto point_array =
      DictionaryArray::FromArrays(points, FromJson(uint16(), "[1, 0, null]"),
                                  FromJson(struct_({field("x", int8())}), "[{\"x\": 5}, null]"))
          .ValueOrDie();
  ExpectStored(point_array, FromJson(struct_({field("x", int32())}), "[null, {\"x\": 5}, null]"));
  const auto nested_values = dictionary(int8(), list(int8()));
  ExpectStored(DictionaryArray::FromArrays(nested_values, FromJson(int8(), "[1, 0, 1]"),
                                           FromJson(list(int8()), "[[1], [2, 3]]"))
                   .ValueOrDie(),
               FromJson(list(int32()), "[[2, 3], [1], [2, 3]]"));
}

TEST(BatchConversion, DecodesRunEnds) {
  using namespace arrow;  // NOLINT
  for (const auto& ends : {int16(), int32(), int64()}) {
    const auto runs = RunEndEncodedArray::Make(5, FromJson(ends, "[2, 3, 5]"),
                                               FromJson(utf8(), R"(["a", null, "b"])"))
                          .ValueOrDie();
    ExpectStored(runs, FromJson(utf8(), R"(["a", "a", null, "b", "b"])"));
  }
}

TEST(BatchConversion, RefusesValuesThatExpandBeyondTheLimit) {
  using namespace arrow;  // NOLINT
  const auto long_word = FromJson(utf8(), "[\"" + std::string(10'000, 'x') + "\"]");
  const auto thousand = MakeArrayFromScalar(Int32Scalar(0), 1'000).ValueOrDie();
  const auto bomb = DictionaryArray::FromArrays(thousand, long_word).ValueOrDie();
  const auto refused = Stored(OneColumn(bomb));
  ASSERT_THAT(refused, FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(refused.status().message(), HasSubstr("column 'c'"));
  EXPECT_THAT(Stored(OneColumn(bomb), 20 << 20), IsOk());
  const auto runs = RunEndEncodedArray::Make(1'000, FromJson(int32(), "[1000]"), long_word);
  EXPECT_THAT(Stored(OneColumn(runs.ValueOrDie())), FailsWith(ErrorCode::kTooLarge));
}

TEST(BatchConversion, RefusesNullsInRequiredFieldsAtAnyDepth) {
  using namespace arrow;  // NOLINT
  const auto where = [](const std::shared_ptr<Array>& array, bool nullable = true) {
    const auto stored = StoredColumn(array, nullable);
    EXPECT_THAT(stored, FailsWith(ErrorCode::kInvalidRequest));
    return stored.status().message();
  };
  EXPECT_THAT(where(FromJson(int64(), "[1, 2, null]"), false), HasSubstr("column 'c', row 2: "));
  EXPECT_THAT(where(FromJson(int8(), "[1, null]"), false), HasSubstr("column 'c', row 1: "));
  const auto point = struct_({field("x", int32(), false)});
  const auto x = FromJson(int32(), "[1, null, null]");
  const auto structs = [&](const std::string& there) {
    return StructArray::Make({x}, point->fields(), Buffer::FromString(there), -1).ValueOrDie();
  };
  EXPECT_THAT(where(structs("\x05")), HasSubstr("column 'c.x', row 2: "));
  EXPECT_THAT(StoredColumn(structs("\x01")), IsOk()) << "nulls below a null struct are none";
  const auto required = list(field("element", int32(), false));
  const auto lists = std::make_shared<ListArray>(
      required, 3, Buffer::FromVector(std::vector<int32_t>{0, 1, 1, 3}), x);
  EXPECT_THAT(where(lists), HasSubstr("column 'c.element', row 2: "));
}

TEST(BatchConversion, AFlatBatchOfTheRightTypesIsNotTouched) {
  const auto batch = OneColumn(FromJson(arrow::int64(), "[1, 2]"), /*nullable=*/false);
  const auto stored = Stored(batch);
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(*stored, batch);
  const auto nested = OneColumn(FromJson(arrow::list(arrow::int32()), "[[1], null]"));
  EXPECT_EQ(*Stored(nested), nested);
}

TEST(BatchConversion, SharesDataWhereOnlyOffsetsDiffer) {
  const auto batch = OneColumn(FromJson(arrow::large_utf8(), R"(["abc", "d"])"));
  const auto stored = Stored(batch);
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ((*stored)->column_data(0)->buffers[2]->data(),
            batch->column_data(0)->buffers[2]->data());
}

TEST(BatchConversion, TakesBatchesWithoutRows) {
  using namespace arrow;  // NOLINT
  for (const auto& type : DataTypeVector{int8(), utf8_view(), list(int8()), large_list(int8()),
                                         fixed_size_list(int8(), 2), map(utf8(), int8()),
                                         struct_({field("a", int8())}), dictionary(int8(), utf8()),
                                         run_end_encoded(int32(), utf8())}) {
    SCOPED_TRACE(type->ToString());
    EXPECT_THAT(StoredColumn(MakeEmptyArray(type).ValueOrDie()), IsOk());
  }
}

TEST(BatchConversion, ValidateFullCoversWhatConversionRelies) {
  using namespace arrow;  // NOLINT
  auto decimal = FromJson(decimal128(3, 0), R"(["999"])")->data()->Copy();
  decimal->type = decimal128(2, 0);
  EXPECT_FALSE(MakeArray(decimal)->ValidateFull().ok());
  auto time = FromJson(int64(), "[86400000000]")->data()->Copy();
  time->type = time64(TimeUnit::MICRO);
  EXPECT_FALSE(MakeArray(time)->ValidateFull().ok());
  auto text = FromJson(binary(), "[\"a\"]")->data()->Copy();
  text->type = utf8();
  text->buffers[2] = Buffer::FromString("\xff");
  EXPECT_FALSE(MakeArray(text)->ValidateFull().ok());
}

}  // namespace
}  // namespace arka::lake
