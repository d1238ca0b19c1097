#include "every_type.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>

namespace arka::client {
namespace {

using arrow::Result;

struct Example {
  const char* name;
  std::shared_ptr<arrow::DataType> type;
  const char* value;  // as Arrow's JSON
};

std::vector<Example> Examples() {
  const auto micro = arrow::TimeUnit::MICRO;
  return {
      {"bool", arrow::boolean(), "true"},
      {"int8", arrow::int8(), "-128"},
      {"int16", arrow::int16(), "-32768"},
      {"int32", arrow::int32(), "-2147483648"},
      {"int64", arrow::int64(), "-9223372036854775808"},
      {"uint8", arrow::uint8(), "255"},
      {"uint16", arrow::uint16(), "65535"},
      {"uint32", arrow::uint32(), "4294967295"},
      {"float16", arrow::float16(), "0.5"},
      {"float32", arrow::float32(), "0.5"},
      {"float64", arrow::float64(), "0.1"},
      {"decimal32", arrow::decimal32(7, 2), "\"1.25\""},
      {"decimal64", arrow::decimal64(10, 3), "\"1.250\""},
      {"decimal128", arrow::decimal128(38, 10), "\"1000000000000000000000000000.0000000000\""},
      {"decimal256", arrow::decimal256(20, 0), "\"18446744073709551615\""},
      {"date32", arrow::date32(), "20000"},
      {"date64", arrow::date64(), "1728000000000"},
      {"time32_s", arrow::time32(arrow::TimeUnit::SECOND), "3723"},
      {"time32_ms", arrow::time32(arrow::TimeUnit::MILLI), "3723004"},
      {"time64_us", arrow::time64(micro), "43200000001"},
      {"time64_ns", arrow::time64(arrow::TimeUnit::NANO), "43200000001000"},
      {"timestamp_s", arrow::timestamp(arrow::TimeUnit::SECOND), "1728045015"},
      {"timestamp_ms", arrow::timestamp(arrow::TimeUnit::MILLI), "1728045015000"},
      {"timestamp_us", arrow::timestamp(micro), "1728045015000000"},
      {"timestamp_ns", arrow::timestamp(arrow::TimeUnit::NANO), "1728045015000000000"},
      {"timestamp_us_utc", arrow::timestamp(micro, "UTC"), "1728045015000000"},
      {"timestamp_us_berlin", arrow::timestamp(micro, "Europe/Berlin"), "1728045015000000"},
      {"utf8", arrow::utf8(), "\"grüße, 世界 🛰\""},
      {"large_utf8", arrow::large_utf8(), "\"long\""},
      {"utf8_view", arrow::utf8_view(), "\"longer than twelve bytes inline\""},
      {"binary", arrow::binary(), "\"\\u0000\\u0001\""},
      {"large_binary", arrow::large_binary(), "\"\\u0000\\u0001\""},
      {"binary_view", arrow::binary_view(), "\"longer than twelve bytes inline\""},
      {"fixed_size_binary", arrow::fixed_size_binary(3), "\"abc\""},
      {"list", arrow::list(arrow::int32()), "[1, null, 3]"},
      {"large_list", arrow::large_list(arrow::utf8()), "[\"a\"]"},
      {"fixed_size_list", arrow::fixed_size_list(arrow::float64(), 2), "[1.0, null]"},
      {"struct",
       arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())}),
       R"({"a": 1, "b": "x"})"},
      {"map", arrow::map(arrow::utf8(), arrow::int64()), R"([["k", 1], ["l", null]])"},
      {"dictionary", arrow::dictionary(arrow::int32(), arrow::utf8()), "\"one of few\""},
  };
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> EveryType() {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  const auto add = [&](const char* name, std::shared_ptr<arrow::Array> column) {
    fields.push_back(arrow::field(name, column->type()));
    columns.push_back(std::move(column));
  };
  for (const Example& example : Examples()) {
    const std::string json = "[" + std::string(example.value) + ", null]";
    ARROW_ASSIGN_OR_RAISE(auto column, arrow::json::ArrayFromJSONString(example.type, json));
    add(example.name, std::move(column));
  }
  ARROW_ASSIGN_OR_RAISE(const auto uuids,
                        arrow::json::ArrayFromJSONString(arrow::fixed_size_binary(16),
                                                         R"(["0123456789abcdef", null])"));
  add("uuid", arrow::ExtensionType::WrapArray(arrow::extension::uuid(), uuids));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), 2, std::move(columns));
}

}  // namespace arka::client
