#include "arka/lake/table_schema.h"

#include <limits>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/extension/json.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::lake {
namespace {

using arrow::TimeUnit;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Result<std::shared_ptr<const TableSchema>> Map(const std::shared_ptr<arrow::DataType>& type) {
  return TableSchema::FromArrow(*arrow::schema({arrow::field("price", type)}));
}

struct MappedType {
  std::shared_ptr<arrow::DataType> stream;
  std::string iceberg;
  std::shared_ptr<arrow::DataType> storage;
};

std::vector<MappedType> MappedTypes() {
  using namespace arrow;  // NOLINT: the names of twenty types
  return {
      {boolean(), "boolean", boolean()},
      {int8(), "int", int32()},
      {int16(), "int", int32()},
      {int32(), "int", int32()},
      {uint8(), "int", int32()},
      {uint16(), "int", int32()},
      {int64(), "long", int64()},
      {uint32(), "long", int64()},
      {float16(), "float", float32()},
      {float32(), "float", float32()},
      {float64(), "double", float64()},
      {decimal32(9, 2), "decimal(9, 2)", decimal128(9, 2)},
      {decimal64(18, 0), "decimal(18, 0)", decimal128(18, 0)},
      {decimal128(38, 38), "decimal(38, 38)", decimal128(38, 38)},
      {decimal256(38, 10), "decimal(38, 10)", decimal128(38, 10)},
      {date32(), "date", date32()},
      {date64(), "date", date32()},
      {time32(TimeUnit::SECOND), "time", time64(TimeUnit::MICRO)},
      {time32(TimeUnit::MILLI), "time", time64(TimeUnit::MICRO)},
      {time64(TimeUnit::MICRO), "time", time64(TimeUnit::MICRO)},
      {time64(TimeUnit::NANO), "time", time64(TimeUnit::MICRO)},
      {timestamp(TimeUnit::SECOND), "timestamp", timestamp(TimeUnit::MICRO)},
      {timestamp(TimeUnit::MILLI), "timestamp", timestamp(TimeUnit::MICRO)},
      {timestamp(TimeUnit::MICRO), "timestamp", timestamp(TimeUnit::MICRO)},
      {timestamp(TimeUnit::NANO), "timestamp", timestamp(TimeUnit::MICRO)},
      {timestamp(TimeUnit::NANO, "Europe/Berlin"), "timestamptz",
       timestamp(TimeUnit::MICRO, "UTC")},
      {utf8(), "string", utf8()},
      {large_utf8(), "string", utf8()},
      {utf8_view(), "string", utf8()},
      {binary(), "binary", binary()},
      {large_binary(), "binary", binary()},
      {binary_view(), "binary", binary()},
      {fixed_size_binary(20), "fixed[20]", fixed_size_binary(20)},
      {extension::uuid(), "uuid", extension::uuid()},
      {list(int8()), "list<2: element: optional int>", list(int32())},
      {large_list(int32()), "list<2: element: optional int>", list(int32())},
      {fixed_size_list(field("x", int32(), false), 3), "list<2: element: required int>",
       list(field("element", int32(), false))},
      {struct_({field("a", int8()), field("b", utf8(), false)}),
       "struct<2: a: optional int, 3: b: required string>",
       struct_({field("a", int32()), field("b", utf8(), false)})},
      {map(utf8(), int16()), "map<2: key: required string, 3: value: optional int>",
       map(utf8(), int32())},
      {dictionary(int8(), utf8()), "string", utf8()},
      {dictionary(uint64(), struct_({field("a", int8())})), "struct<2: a: optional int>",
       struct_({field("a", int32())})},
      {run_end_encoded(int32(), utf8()), "string", utf8()},
  };
}

TEST(TableSchema, MapsEveryTypeThatIcebergHolds) {
  for (const auto& expected : MappedTypes()) {
    SCOPED_TRACE(expected.stream->ToString());
    const auto schema = Map(expected.stream);
    ASSERT_THAT(schema, IsOk());
    const auto& column = (*schema)->iceberg_schema().fields.at(0);
    EXPECT_EQ(column.id, 1);
    EXPECT_FALSE(column.required);
    EXPECT_EQ(column.type.ToString(), expected.iceberg);
    EXPECT_TRUE((*schema)->storage_schema()->field(0)->type()->Equals(*expected.storage))
        << (*schema)->storage_schema()->ToString();
  }
}

TEST(TableSchema, RefusesWhatIcebergCannotHoldAndSaysWhatToSend) {
  using namespace arrow;  // NOLINT
  const auto json = extension::json();
  for (const auto& [type, advice] : std::vector<std::pair<std::shared_ptr<DataType>, std::string>>{
           {uint64(), "decimal128(20, 0)"},
           {decimal256(39, 2), "at most 38 digits"},
           {decimal128(5, -2), "scale -2"},
           {decimal128(5, 6), "scale 6"},
           {null(), "the type that its values will have"},
           {duration(TimeUnit::SECOND), "send a number"},
           {month_interval(), "send a number"},
           {day_time_interval(), "send a number"},
           {month_day_nano_interval(), "send a number"},
           {sparse_union({field("a", int8())}), "a struct"},
           {dense_union({field("a", int8())}), "a struct"},
           {list_view(int8()), "send list"},
           {large_list_view(int8()), "send list"},
           {fixed_size_binary(0), "width is 0"},
           {struct_(FieldVector{}), "no fields"},
           {run_end_encoded(int32(), list(int8())), "send list"},
           {json, "without the extension type 'arrow.json'"},
           {list(uint64()), "'price.element'"},
           {map(utf8(), struct_({field("x", null())})), "'price.value.x'"},
           {dictionary(int8(), duration(TimeUnit::SECOND)), "send a number"}}) {
    SCOPED_TRACE(type->ToString());
    const auto schema = Map(type);
    ASSERT_THAT(schema, FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(schema.status().message(), AllOf(HasSubstr("'price"), HasSubstr(advice)));
  }
}

TEST(TableSchema, EveryArrowTypeIsMappedOrRefusedByName) {
  std::vector<bool> seen(arrow::Type::MAX_ID);
  for (const auto& mapped : MappedTypes()) seen[mapped.stream->id()] = true;
  for (const auto refused :
       {arrow::Type::UINT64, arrow::Type::NA, arrow::Type::DURATION, arrow::Type::INTERVAL_MONTHS,
        arrow::Type::INTERVAL_DAY_TIME, arrow::Type::INTERVAL_MONTH_DAY_NANO,
        arrow::Type::SPARSE_UNION, arrow::Type::DENSE_UNION, arrow::Type::LIST_VIEW,
        arrow::Type::LARGE_LIST_VIEW}) {
    seen[refused] = true;
  }
  for (int id = 0; id < arrow::Type::MAX_ID; ++id) EXPECT_TRUE(seen[id]) << "type id " << id;
}

TEST(TableSchema, AssignsIdsToColumnsFirstAndNamesThemInParquet) {
  const auto schema = TableSchema::FromArrow(*arrow::schema(
      {arrow::field("m", arrow::map(arrow::utf8(), arrow::list(arrow::int8())), false),
       arrow::field("s", arrow::struct_({arrow::field("x", arrow::int8())}))}));
  ASSERT_THAT(schema, IsOk());
  const auto& stored = *(*schema)->storage_schema();
  const auto id = [](const arrow::Field& field) {
    return field.metadata()->Get("PARQUET:field_id").ValueOrDie();
  };
  EXPECT_EQ(id(*stored.field(0)), "1");
  EXPECT_EQ(id(*stored.field(1)), "2");
  const auto& map = static_cast<const arrow::MapType&>(*stored.field(0)->type());
  EXPECT_EQ(id(*map.key_field()), "3");
  EXPECT_EQ(id(*map.item_field()), "4");
  EXPECT_EQ(map.item_field()->type()->field(0)->name(), "element");
  EXPECT_TRUE((*schema)->iceberg_schema().fields[0].required);
  EXPECT_EQ((*schema)->iceberg_schema().HighestFieldId(), 6);
}

TEST(TableSchema, KeepsTheLoggedFormOfPlainColumns) {
  const auto stream = arrow::schema(
      {arrow::field("a", arrow::int8(), true, arrow::key_value_metadata({"k"}, {"v"})),
       arrow::field("d", arrow::struct_({arrow::field(
                             "x", arrow::dictionary(arrow::int8(), arrow::large_utf8()))}))});
  const auto schema = TableSchema::FromArrow(*stream);
  ASSERT_THAT(schema, IsOk());
  EXPECT_TRUE((*schema)->needs_decoding());
  EXPECT_TRUE((*schema)->needs_conversion());
  EXPECT_TRUE((*schema)->logged_schema()->Equals(*arrow::schema(
      {arrow::field("a", arrow::int8()),
       arrow::field("d", arrow::struct_({arrow::field("x", arrow::large_utf8())}))})));
}

TEST(TableSchema, PlainStreamsNeedNoConversion) {
  const auto schema = TableSchema::FromArrow(
      *arrow::schema({arrow::field("a", arrow::int64(), false), arrow::field("b", arrow::utf8()),
                      arrow::field("c", arrow::float64())}));
  ASSERT_THAT(schema, IsOk());
  EXPECT_FALSE((*schema)->needs_decoding());
  EXPECT_FALSE((*schema)->needs_conversion());
}

TEST(TableSchema, RefusesBadNames) {
  using arrow::field;
  using arrow::int8;
  const auto refusal = [](const arrow::FieldVector& fields) {
    const auto schema = TableSchema::FromArrow(*arrow::schema(fields));
    EXPECT_THAT(schema, FailsWith(ErrorCode::kInvalidRequest));
    return schema.status().message();
  };
  EXPECT_THAT(refusal({}), HasSubstr("no columns"));
  EXPECT_THAT(refusal({field("", int8())}), HasSubstr("column 1: the name is empty"));
  EXPECT_THAT(refusal({field("a", int8()), field("a", int8())}), HasSubstr("'a'"));
  EXPECT_THAT(refusal({field("a.b", int8()), field("a", arrow::struct_({field("b", int8())}))}),
              HasSubstr("'a.b'"));
  EXPECT_THAT(refusal({field("s", arrow::struct_({field("b", int8()), field("b", int8())}))}),
              HasSubstr("'b'"));
  EXPECT_THAT(refusal({field(std::string("a\0b", 3), int8())}), HasSubstr("'a\\x00b'"));
  EXPECT_THAT(refusal({field("a\nb", int8())}), Not(HasSubstr("\n")));
  EXPECT_THAT(refusal({field("\xff", int8())}), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal({field("_pos", int8())}), HasSubstr("reserved"));
  const std::string message = refusal({field(std::string(1 << 20, 'x'), int8())});
  EXPECT_THAT(message, HasSubstr("255 are allowed"));
  EXPECT_LT(message.size(), 300u);
}

TEST(TableSchema, RefusesTooManyColumnsAndTooDeepNesting) {
  arrow::FieldVector columns;
  for (int i = 0; i < kMaxColumns + 1; ++i) {
    columns.push_back(arrow::field("c" + std::to_string(i), arrow::int8()));
  }
  EXPECT_THAT(TableSchema::FromArrow(*arrow::schema(columns)),
              FailsWith(ErrorCode::kInvalidRequest));
  columns.pop_back();
  EXPECT_THAT(TableSchema::FromArrow(*arrow::schema(columns)), IsOk());

  auto deep = arrow::int8();
  for (int i = 1; i < 16; ++i) deep = arrow::list(deep);
  EXPECT_THAT(Map(deep), IsOk());
  EXPECT_THAT(Map(arrow::list(deep)), FailsWith(ErrorCode::kInvalidRequest));
  for (int i = 0; i < 1000; ++i) deep = arrow::list(deep);
  EXPECT_THAT(Map(deep), FailsWith(ErrorCode::kInvalidRequest));

  arrow::FieldVector many;
  for (int i = 0; i < kMaxFields; ++i) {
    many.push_back(arrow::field("c" + std::to_string(i), arrow::int8()));
  }
  EXPECT_THAT(Map(arrow::struct_(many)), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(TableSchema, RefusesAnUnknownExtensionThatCameAsMetadata) {
  const auto schema = TableSchema::FromArrow(*arrow::schema(
      {arrow::field("g", arrow::binary(), true,
                    arrow::key_value_metadata({"ARROW:extension:name"}, {"geoarrow.wkb"}))}));
  ASSERT_THAT(schema, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(schema.status().message(), HasSubstr("'geoarrow.wkb'"));
}

class ExistingTable : public testing::Test {
 protected:
  iceberg::Schema TableOf(const arrow::FieldVector& fields) {
    return (*TableSchema::FromArrow(*arrow::schema(fields)))->iceberg_schema();
  }
  std::string Mismatch(const arrow::FieldVector& table, const arrow::FieldVector& stream) {
    const auto schema = TableSchema::ForTable(TableOf(table), *arrow::schema(stream));
    EXPECT_THAT(schema, FailsWith(ErrorCode::kSchemaMismatch));
    return schema.status().message();
  }
  const std::shared_ptr<arrow::Field> id_ = arrow::field("id", arrow::int64(), false);
  const std::shared_ptr<arrow::Field> name_ = arrow::field("name", arrow::utf8());
  const std::shared_ptr<arrow::Field> price_ = arrow::field("price", arrow::decimal128(10, 2));
};

TEST_F(ExistingTable, TakesOtherArrowFormsOfTheSameTypes) {
  iceberg::Schema table = TableOf({id_, name_, price_});
  table.fields[0].id = 7;
  const auto schema = TableSchema::ForTable(
      table, *arrow::schema({arrow::field("id", arrow::uint32(), false),
                             arrow::field("name", arrow::dictionary(arrow::int8(), arrow::utf8())),
                             arrow::field("price", arrow::decimal64(10, 2), false)}));
  ASSERT_THAT(schema, IsOk());
  const auto& stored = *(*schema)->storage_schema();
  EXPECT_EQ(stored.field(0)->metadata()->Get("PARQUET:field_id").ValueOrDie(), "7");
  EXPECT_FALSE(stored.field(0)->nullable());
  EXPECT_TRUE(stored.field(2)->nullable()) << "the table's nullability counts";
}

TEST_F(ExistingTable, NamesTheFirstDifferenceAndPrintsBothSchemas) {
  const std::string message =
      Mismatch({id_, name_, price_}, {id_, name_, arrow::field("price", arrow::float64())});
  EXPECT_THAT(message,
              HasSubstr("column 3 'price': the table has decimal(10, 2), the stream sent double"));
  EXPECT_THAT(message, HasSubstr("1. 'id': long not null"));
  EXPECT_THAT(message, HasSubstr("3. 'price': double"));
  EXPECT_THAT(message, HasSubstr("write to another table"));
}

TEST_F(ExistingTable, SeesEveryKindOfDifference) {
  EXPECT_THAT(Mismatch({id_, name_}, {name_, id_}),
              HasSubstr("column 1 is 'id' in the table, 'name' in the stream"));
  EXPECT_THAT(Mismatch({id_, name_}, {id_}), HasSubstr("column 2 'name' is missing in the stream"));
  EXPECT_THAT(Mismatch({id_}, {id_, name_}), HasSubstr("column 2 'name' is not in the table"));
  EXPECT_THAT(Mismatch({id_}, {arrow::field("id", arrow::int64())}), HasSubstr("not null"));
  EXPECT_THAT(Mismatch({arrow::field("s", arrow::struct_({name_}))},
                       {arrow::field("s", arrow::struct_({arrow::field("n", arrow::utf8())}))}),
              HasSubstr("'s': field 1 is 'name' in the table, 'n' in the stream"));
  EXPECT_THAT(Mismatch({arrow::field("s", arrow::list(arrow::int8()))},
                       {arrow::field("s", arrow::list(arrow::utf8()))}),
              HasSubstr("'s.element': the table has int, the stream sent string"));
  EXPECT_THAT(Mismatch({arrow::field("t", arrow::timestamp(TimeUnit::MICRO))},
                       {arrow::field("t", arrow::timestamp(TimeUnit::MICRO, "UTC"))}),
              HasSubstr("the table has timestamp, the stream sent timestamptz"));
}

TEST_F(ExistingTable, KeepsTheMessageShortForWideTables) {
  arrow::FieldVector table, stream;
  for (int i = 0; i < 2000; ++i) {
    table.push_back(arrow::field(std::string(200, 'x') + std::to_string(i), arrow::int8()));
    stream.push_back(i == 1000 ? name_ : table.back());
  }
  const std::string message = Mismatch(table, stream);
  EXPECT_THAT(message, HasSubstr("column 1001"));
  EXPECT_LT(message.size(), 5000u);
}

TEST_F(ExistingTable, CutsNanosecondsOnlyWhereTheTableSaysSo) {
  const arrow::FieldVector micro = {arrow::field("t", arrow::timestamp(TimeUnit::MICRO))};
  const auto nano = arrow::schema({arrow::field("t", arrow::timestamp(TimeUnit::NANO))});
  EXPECT_EQ(NanosecondPolicyOf({}), NanosecondPolicy::kRefuse);
  EXPECT_EQ(NanosecondPolicyOf(TableSchema::NewTableProperties()), NanosecondPolicy::kTruncate);
  EXPECT_THAT(TableSchema::ForTable(TableOf(micro), *nano, NanosecondPolicy::kTruncate), IsOk());
  const auto refused = TableSchema::ForTable(TableOf(micro), *nano, NanosecondPolicy::kRefuse);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(refused.status().message(), HasSubstr("arka.timestamp-ns"));
}

}  // namespace
}  // namespace arka::lake
