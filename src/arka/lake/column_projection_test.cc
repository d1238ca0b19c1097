#include "arka/lake/column_projection.h"

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/lake/arrow_schema.h"
#include "arka/testing/matchers.h"

namespace arka::lake {
namespace {

using iceberg::NestedField;
using iceberg::Schema;
using iceberg::Type;
using iceberg::TypeId;

NestedField Column(int id, const std::string& name, Type type, bool required = false) {
  return {.id = id, .name = name, .type = std::move(type), .required = required};
}

std::shared_ptr<arrow::RecordBatch> Rows(const std::shared_ptr<arrow::Schema>& schema,
                                         const std::vector<std::string>& columns) {
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns.size(); ++i) {
    arrays.push_back(
        arrow::json::ArrayFromJSONString(schema->field(static_cast<int>(i))->type(), columns[i])
            .ValueOrDie());
  }
  return arrow::RecordBatch::Make(schema, arrays[0]->length(), arrays);
}

/// Rows of the schema `before` as they are read by the schema `now`.
Result<std::shared_ptr<arrow::RecordBatch>> Project(const Schema& before, const Schema& now,
                                                    const std::vector<std::string>& columns) {
  const auto source = ArrowSchemaOf(before);
  const auto target = ArrowSchemaOf(now);
  ARROW_ASSIGN_OR_RAISE(auto projected, ProjectBatch(*Rows(source, columns), *source, *target));
  EXPECT_THAT(projected->ValidateFull(), IsOk());
  EXPECT_TRUE(projected->schema()->Equals(*target));
  return projected;
}

std::string Json(const arrow::RecordBatch& batch, int column) {
  std::string text = batch.column(column)->ToString();
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST(ProjectBatch, FindsColumnsByTheirIdWhateverNameAndPlaceTheyHave) {
  const Schema before{.fields = {Column(1, "a", TypeId::kLong), Column(2, "b", TypeId::kString)}};
  const Schema now{.fields = {Column(2, "a", TypeId::kString), Column(1, "c", TypeId::kLong)}};
  const auto rows = Project(before, now, {"[1, 2]", R"(["x", null])"}).ValueOrDie();
  EXPECT_EQ(Json(*rows, 0), R"(["x",null])");
  EXPECT_EQ(Json(*rows, 1), "[1,2]");
}

TEST(ProjectBatch, AColumnThatWasAddedIsNullAndOneThatWasDroppedIsGone) {
  const Schema before{.fields = {Column(1, "a", TypeId::kLong), Column(2, "b", TypeId::kString)}};
  // The same name and type as the one before, and yet another column.
  const Schema now{.fields = {Column(1, "a", TypeId::kLong), Column(3, "b", TypeId::kString)}};
  const auto rows = Project(before, now, {"[1, 2]", R"(["x", "y"])"}).ValueOrDie();
  EXPECT_EQ(Json(*rows, 1), "[null,null]");
}

TEST(ProjectBatch, ARequiredColumnThatIsNotThereIsAnError) {
  const Schema before{.fields = {Column(1, "a", TypeId::kLong)}};
  const Schema now{.fields = {Column(2, "b", TypeId::kLong, true)}};
  const Status status = Project(before, now, {"[1]"}).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kUnimplemented);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("'b'"));
}

TEST(ProjectBatch, PromotesWhatIcebergPromotes) {
  const Schema before{.fields = {Column(1, "i", TypeId::kInt), Column(2, "f", TypeId::kFloat),
                                 Column(3, "d", Type::Decimal(5, 2))}};
  const Schema now{.fields = {Column(1, "i", TypeId::kLong), Column(2, "f", TypeId::kDouble),
                              Column(3, "d", Type::Decimal(20, 2))}};
  const auto rows =
      Project(before, now, {"[1, null]", "[0.5, 2]", R"(["1.25", "-3.00"])"}).ValueOrDie();
  EXPECT_EQ(Json(*rows, 0), "[1,null]");
  EXPECT_EQ(Json(*rows, 1), "[0.5,2]");
  EXPECT_EQ(Json(*rows, 2), "[1.25,-3.00]");
}

TEST(ProjectBatch, WhatCannotBePromotedIsAnErrorThatNamesTheColumn) {
  const Schema before{.fields = {Column(1, "a", TypeId::kString)}};
  const Schema now{.fields = {Column(1, "a", TypeId::kUuid)}};
  const Status status = Project(before, now, {R"(["x"])"}).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kUnimplemented);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("'a'"));
}

TEST(ProjectBatch, WorksAtEveryDepth) {
  const auto nested = [](std::vector<NestedField> fields) {
    return Schema{
        .fields = {
            Column(1, "s", Type::Struct(fields)),
            Column(20, "l", Type::List(21, Type::Struct(fields), false)),
            Column(30, "m", Type::Map(31, TypeId::kString, 32, Type::Struct(fields), false)),
        }};
  };
  const Schema before = nested({Column(2, "x", TypeId::kInt), Column(3, "y", TypeId::kString)});
  const Schema now = nested({Column(3, "name", TypeId::kString), Column(4, "new", TypeId::kDate),
                             Column(2, "x", TypeId::kLong)});
  const auto rows = Project(before, now,
                            {R"([{"x": 1, "y": "a"}, null, {"x": null, "y": "c"}])",
                             R"([[{"x": 1, "y": "a"}, null], null, []])",
                             R"([[["k", {"x": 1, "y": "a"}]], [], null])"})
                        .ValueOrDie();
  const auto target = ArrowSchemaOf(now);
  const auto expected =
      Rows(target, {R"([{"name": "a", "new": null, "x": 1}, null,
                        {"name": "c", "new": null, "x": null}])",
                    R"([[{"name": "a", "new": null, "x": 1}, null], null, []])",
                    R"([[["k", {"name": "a", "new": null, "x": 1}]], [], null])"});
  EXPECT_TRUE(rows->Equals(*expected)) << rows->ToString();
}

TEST(ProjectBatch, ASliceIsProjectedAsItsRows) {
  const Schema before{.fields = {Column(1, "s", Type::Struct({Column(2, "x", TypeId::kInt)}))}};
  const Schema now{
      .fields = {Column(
          1, "s", Type::Struct({Column(3, "new", TypeId::kInt), Column(2, "x", TypeId::kLong)}))}};
  const auto source = ArrowSchemaOf(before);
  const auto target = ArrowSchemaOf(now);
  const auto rows = Rows(source, {R"([{"x": 1}, {"x": 2}, null, {"x": 4}])"});
  const auto projected = ProjectBatch(*rows->Slice(1, 2), *source, *target).ValueOrDie();
  EXPECT_THAT(projected->ValidateFull(), IsOk());
  EXPECT_TRUE(projected->Equals(*Rows(target, {R"([{"new": null, "x": 2}, null])"})));
}

TEST(ProjectBatch, AColumnWithoutAnIdIsAnErrorAndNotAnAbsentOne) {
  const auto target = ArrowSchemaOf({.fields = {Column(1, "a", TypeId::kLong)}});
  const auto rows = Rows(arrow::schema({arrow::field("a", arrow::int64())}), {"[1]"});
  const Status status = ProjectBatch(*rows, *rows->schema(), *target).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kUnimplemented);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("field id"));
}

TEST(ArrowSchemaOf, GivesEveryTypeItsArrowTypeAndEveryFieldItsId) {
  const Schema schema{.fields = {
                          Column(1, "boolean", TypeId::kBoolean, true),
                          Column(2, "time", TypeId::kTime),
                          Column(3, "timestamp", TypeId::kTimestamp),
                          Column(4, "timestamptz", TypeId::kTimestampTz),
                          Column(5, "ns", TypeId::kTimestampNs),
                          Column(6, "uuid", TypeId::kUuid),
                          Column(7, "fixed", Type::Fixed(3)),
                          Column(8, "list", Type::List(9, TypeId::kBinary, true)),
                      }};
  const auto arrow_schema = ArrowSchemaOf(schema);
  const auto type = [&](int i) { return arrow_schema->field(i)->type(); };
  EXPECT_FALSE(arrow_schema->field(0)->nullable());
  EXPECT_TRUE(arrow_schema->field(1)->nullable());
  EXPECT_TRUE(type(1)->Equals(arrow::time64(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(type(2)->Equals(arrow::timestamp(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(type(3)->Equals(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  EXPECT_TRUE(type(4)->Equals(arrow::timestamp(arrow::TimeUnit::NANO)));
  EXPECT_TRUE(type(5)->Equals(arrow::extension::uuid()));
  EXPECT_TRUE(type(6)->Equals(arrow::fixed_size_binary(3)));
  EXPECT_EQ(FieldIdOf(*arrow_schema->field(7)), 8);
  EXPECT_EQ(FieldIdOf(*type(7)->field(0)), 9);
  EXPECT_FALSE(type(7)->field(0)->nullable());
  EXPECT_EQ(FieldIdOf(arrow::Field("plain", arrow::int8())), std::nullopt);
}

}  // namespace
}  // namespace arka::lake
