#include "arka/iceberg/schema.h"

#include "arka/iceberg/name_mapping.h"
#include "arka/iceberg/schema_json.h"
#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

using testing::HasSubstr;

Schema Nested() {
  Schema schema;
  schema.fields = {
      {.id = 1, .name = "id", .type = TypeId::kLong, .required = true},
      {.id = 2, .name = "tags", .type = Type::List(9, TypeId::kString, false)},
      {.id = 3,
       .name = "m",
       .type = Type::Map(7, TypeId::kString, 8,
                         Type::Struct({{.id = 4, .name = "x", .type = TypeId::kInt}}), true)},
      {.id = 5, .name = "price", .type = Type::Decimal(18, 4), .doc = "in \"euro\""},
  };
  return schema;
}

TEST(Type, PrimitivesAreSpelledAsTheSpecHasThem) {
  for (const char* text : {"boolean", "int", "long", "float", "double", "date", "time", "timestamp",
                           "timestamptz", "timestamp_ns", "timestamptz_ns", "string", "uuid",
                           "binary", "decimal(18, 4)", "decimal(38, 38)", "fixed[16]"}) {
    EXPECT_EQ(ParsePrimitiveType(text).ValueOrDie().ToString(), text);
  }
}

TEST(Type, TakesDecimalsWithAndWithoutBlanks) {
  EXPECT_EQ(ParsePrimitiveType("decimal(9,2)").ValueOrDie(), Type::Decimal(9, 2));
  EXPECT_EQ(ParsePrimitiveType("decimal( 9 , 2 )").ValueOrDie(), Type::Decimal(9, 2));
}

TEST(Type, RefusesMalformedParameters) {
  for (const char* text :
       {"decimal(0, 0)", "decimal(39, 0)", "decimal(4, 5)", "decimal(4)", "decimal(4, 2",
        "decimal(-4, 2)", "fixed[0]", "fixed[-1]", "fixed[99999999999]", "fixed[4", "fixed[4]x"}) {
    EXPECT_THAT(ParsePrimitiveType(text), FailsWith(ErrorCode::kCorruption)) << text;
  }
  EXPECT_THAT(ParsePrimitiveType("variant"), FailsWith(ErrorCode::kUnimplemented));
}

TEST(Schema, FindsFieldsAtAnyDepth) {
  const Schema schema = Nested();
  EXPECT_EQ(schema.FindField(4)->name, "x");
  EXPECT_EQ(schema.FindField(9)->name, "element");
  EXPECT_EQ(schema.FindField(6), nullptr);
  EXPECT_EQ(schema.FindColumn("m")->id, 3);
  EXPECT_EQ(schema.FindColumn("x"), nullptr);
  EXPECT_EQ(schema.HighestFieldId(), 9);
}

TEST(Schema, FreshIdsGoToSiblingsBeforeChildren) {
  Schema schema = Nested();
  schema.identifier_field_ids = {1};
  int last = 10;
  const Schema fresh = AssignFreshIds(schema, last);
  EXPECT_EQ(fresh.FindColumn("id")->id, 11);
  EXPECT_EQ(fresh.FindColumn("price")->id, 14);
  EXPECT_EQ(fresh.FindColumn("tags")->type.element().id, 15);
  EXPECT_EQ(fresh.FindColumn("m")->type.key().id, 16);
  EXPECT_EQ(fresh.FindColumn("m")->type.value().id, 17);
  EXPECT_EQ(fresh.FindColumn("m")->type.value().type.fields[0].id, 18);
  EXPECT_EQ(last, 18);
  EXPECT_THAT(fresh.identifier_field_ids, testing::ElementsAre(11));
}

TEST(Schema, ValidationNamesTheColumn) {
  EXPECT_THAT(ValidateSchema(Nested(), 2), IsOk());
  const auto expect_refused = [](auto change, const char* name) {
    Schema schema = Nested();
    change(schema);
    const Status status = ValidateSchema(schema, 2);
    EXPECT_THAT(status, FailsWith(ErrorCode::kInvalidRequest));
    EXPECT_THAT(status.message(), HasSubstr(name));
  };
  expect_refused([](Schema& s) { s.fields[3].name = "id"; }, "'id'");
  expect_refused([](Schema& s) { s.fields[3].name = ""; }, "no name");
  expect_refused([](Schema& s) { s.fields[3].id = 4; }, "id 4");
  expect_refused([](Schema& s) { s.fields[2].type.fields[0].required = false; }, "'m'");
  expect_refused([](Schema& s) { s.fields[3].type = TypeId::kTimestampNs; }, "'price'");
  expect_refused([](Schema& s) { s.identifier_field_ids = {77}; }, "77");
}

TEST(Schema, NestingIsBounded) {
  Type type = TypeId::kInt;
  for (int i = 0; i < 100; ++i) type = Type::List(i + 2, type, true);
  Schema schema;
  schema.fields = {{.id = 1, .name = "deep", .type = type}};
  EXPECT_THAT(ValidateSchema(schema, 2), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(SchemaJson, IsWhatJavaWrites) {
  Schema schema;
  schema.fields = {{.id = 1, .name = "id", .type = TypeId::kLong, .required = true},
                   {.id = 2, .name = "ts", .type = TypeId::kTimestampTz}};
  EXPECT_EQ(DumpJson(SchemaToJson(schema)),
            R"({"type":"struct","schema-id":0,"fields":[)"
            R"({"id":1,"name":"id","required":true,"type":"long"},)"
            R"({"id":2,"name":"ts","required":false,"type":"timestamptz"}]})");
}

TEST(SchemaJson, ReadsBackWhatItWrote) {
  Schema schema = Nested();
  schema.schema_id = 3;
  schema.identifier_field_ids = {1};
  const std::string text = DumpJson(SchemaToJson(schema));
  const Schema read = SchemaFromJson(ParseJson(text, "test").ValueOrDie()).ValueOrDie();
  EXPECT_TRUE(SameStructure(read, schema));
  EXPECT_EQ(read.schema_id, 3);
}

TEST(SchemaJson, KeepsMembersThatItDoesNotKnow) {
  const std::string text =
      R"({"type":"struct","schema-id":1,"fields":[{"id":1,"name":"a","required":true,)"
      R"("type":"int","initial-default":7}],"x-note":{"by":"someone"}})";
  const Schema schema = SchemaFromJson(ParseJson(text, "test").ValueOrDie()).ValueOrDie();
  EXPECT_EQ(DumpJson(SchemaToJson(schema)), text);
}

TEST(SchemaJson, RefusesWhatIsMalformed) {
  for (const char* text :
       {"[]", R"({"fields":7})", R"({"fields":[7]})", R"({"fields":[{"id":1}]})",
        R"({"fields":[{"id":1,"name":"a","required":true}]})",
        R"({"fields":[{"id":9999999999,"name":"a","required":true,"type":"int"}]})",
        R"({"fields":[{"id":1,"name":"a","required":1,"type":"int"}]})",
        R"({"fields":[{"id":1,"name":"a","required":true,"type":{"type":"list"}}]})"}) {
    EXPECT_THAT(SchemaFromJson(ParseJson(text, "test").ValueOrDie()),
                FailsWith(ErrorCode::kCorruption))
        << text;
  }
}

TEST(NameMapping, NamesEveryFieldByItsId) {
  EXPECT_EQ(NameMappingJson(Nested()),
            R"([{"field-id":1,"names":["id"]},)"
            R"({"field-id":2,"names":["tags"],"fields":[{"field-id":9,"names":["element"]}]},)"
            R"({"field-id":3,"names":["m"],"fields":[{"field-id":7,"names":["key"]},)"
            R"({"field-id":8,"names":["value"],"fields":[{"field-id":4,"names":["x"]}]}]},)"
            R"({"field-id":5,"names":["price"]}])");
}

}  // namespace
}  // namespace arka::iceberg
