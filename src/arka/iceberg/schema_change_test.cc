#include "arka/iceberg/schema_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

using ::testing::HasSubstr;

TableMetadata Orders() {
  TableMetadata table;
  table.last_column_id = 9;
  table.schemas = {{.schema_id = 0,
                    .fields = {{.id = 1, .name = "id", .type = TypeId::kLong, .required = true},
                               {.id = 2, .name = "count", .type = TypeId::kInt},
                               {.id = 3, .name = "price", .type = Type::Decimal(9, 2)},
                               {.id = 4, .name = "day", .type = TypeId::kDate}},
                    .identifier_field_ids = {1}}};
  table.partition_specs = {
      {.spec_id = 0,
       .fields = {{.source_id = 4, .field_id = 1000, .name = "day", .transform = "identity"}}}};
  return table;
}

std::string RefusalOf(const SchemaChange& change) {
  const auto changed = ChangeSchema(Orders(), {change});
  EXPECT_THAT(changed.status(), FailsWith(ErrorCode::kInvalidRequest));
  return changed.status().message();
}

TEST(ChangeSchema, ColumnsKeepTheirIdsAndNewOnesGetIdsThatWereNeverGiven) {
  const auto changed = ChangeSchema(
      Orders(), {AddColumn{"note", TypeId::kString, "why"}, RenameColumn{"count", "pieces"},
                 AddColumn{"count", TypeId::kDouble}, PromoteColumn{"price", Type::Decimal(18, 2)},
                 PromoteColumn{"pieces", TypeId::kLong}});
  ASSERT_THAT(changed.status(), IsOk());
  const std::vector<NestedField> expected = {
      {.id = 1, .name = "id", .type = TypeId::kLong, .required = true},
      {.id = 2, .name = "pieces", .type = TypeId::kLong},
      {.id = 3, .name = "price", .type = Type::Decimal(18, 2)},
      {.id = 4, .name = "day", .type = TypeId::kDate},
      {.id = 10, .name = "note", .type = TypeId::kString, .doc = "why"},
      {.id = 11, .name = "count", .type = TypeId::kDouble}};
  EXPECT_EQ(changed->fields, expected);
}

TEST(ChangeSchema, ADroppedColumnIsGoneAndItsIdIsNotGivenAgain) {
  const auto changed =
      ChangeSchema(Orders(), {DropColumn{"count"}, AddColumn{"count", TypeId::kInt}});
  ASSERT_THAT(changed.status(), IsOk());
  EXPECT_EQ(changed->FindField(2), nullptr);
  EXPECT_EQ(changed->FindColumn("count")->id, 10);
}

TEST(ChangeSchema, WhatTheSpecDoesNotAllowIsRefusedByName) {
  EXPECT_THAT(RefusalOf(AddColumn{"count", TypeId::kInt}), HasSubstr("'count' already"));
  EXPECT_THAT(RefusalOf(AddColumn{"at", TypeId::kTimestampNs}), HasSubstr("format version 2"));
  EXPECT_THAT(RefusalOf(DropColumn{"nothing"}), HasSubstr("no column 'nothing'"));
  EXPECT_THAT(RefusalOf(DropColumn{"day"}), HasSubstr("partitioned by"));
  EXPECT_THAT(RefusalOf(DropColumn{"id"}), HasSubstr("identifies rows"));
  EXPECT_THAT(RefusalOf(MakeColumnOptional{"id"}), HasSubstr("identifies rows"));
  EXPECT_THAT(RefusalOf(RenameColumn{"count", "price"}), HasSubstr("'price' already"));
  EXPECT_THAT(RefusalOf(PromoteColumn{"count", TypeId::kDouble}), HasSubstr("cannot become"));
  EXPECT_THAT(RefusalOf(PromoteColumn{"id", TypeId::kInt}), HasSubstr("cannot become"));
  EXPECT_THAT(RefusalOf(PromoteColumn{"price", Type::Decimal(18, 3)}), HasSubstr("cannot become"));
  EXPECT_THAT(RefusalOf(PromoteColumn{"price", Type::Decimal(9, 2)}), HasSubstr("cannot become"));
}

TEST(ChangeSchema, ATableKeepsAtLeastOneColumn) {
  TableMetadata table = Orders();
  table.schemas[0].fields.resize(1);
  table.schemas[0].identifier_field_ids.clear();
  EXPECT_THAT(ChangeSchema(table, {DropColumn{"id"}}).status(),
              FailsWith(ErrorCode::kInvalidRequest));
  ASSERT_THAT(ChangeSchema(table, {MakeColumnOptional{"id"}}).status(), IsOk());
  EXPECT_FALSE(ChangeSchema(table, {MakeColumnOptional{"id"}})->fields[0].required);
}

}  // namespace
}  // namespace arka::iceberg
