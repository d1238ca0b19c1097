#include "arka/ingest/table_definition.h"

#include <string>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::ingest {
namespace {

TableDefinition Orders() {
  return {{"sales.eu", "orders"},
          "6f0c9f8e-0000-4000-8000-000000000001",
          arrow::schema({arrow::field("id", arrow::int64(), /*nullable=*/false),
                         arrow::field("größe", arrow::list(arrow::float64()))}),
          /*schema_id=*/3};
}

TEST(TableDefinition, ComesBackAsItWent) {
  const auto bytes = EncodeTableDefinition(Orders()).ValueOrDie();
  const TableDefinition read = DecodeTableDefinition(*bytes).ValueOrDie();
  EXPECT_EQ(read.identifier, Orders().identifier);
  EXPECT_EQ(read.table_uuid, Orders().table_uuid);
  EXPECT_TRUE(read.logged_schema->Equals(*Orders().logged_schema));
  EXPECT_EQ(read.schema_id, 3);
}

TEST(TableDefinition, OfAnOlderLogHasNoSchemaId) {
  const std::string bytes = EncodeTableDefinition(Orders()).ValueOrDie()->ToString();
  const auto older = arrow::Buffer::FromString(bytes.substr(0, bytes.size() - 4));
  const TableDefinition read = DecodeTableDefinition(*older).ValueOrDie();
  EXPECT_TRUE(read.logged_schema->Equals(*Orders().logged_schema));
  EXPECT_EQ(read.schema_id, std::nullopt);
}

TEST(TableDefinition, LaysItsTextsOutByLength) {
  const std::string bytes = EncodeTableDefinition(Orders()).ValueOrDie()->ToString();
  EXPECT_EQ(bytes.substr(0, 12), std::string("\x08\0\0\0sales.eu", 12));
  EXPECT_EQ(bytes.substr(12, 10), std::string("\x06\0\0\0orders", 10));
}

TEST(TableDefinition, IsCorruptWhereACutOrAByteMoreIsAtIt) {
  const std::string bytes = EncodeTableDefinition(Orders()).ValueOrDie()->ToString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (size + 4 == bytes.size()) continue;  // as older logs have it
    EXPECT_THAT(DecodeTableDefinition(*arrow::Buffer::FromString(bytes.substr(0, size))),
                FailsWith(ErrorCode::kCorruption))
        << size;
  }
  EXPECT_THAT(DecodeTableDefinition(*arrow::Buffer::FromString(bytes + "x")),
              FailsWith(ErrorCode::kCorruption));
  const std::string huge = "\xff\xff\xff\xff" + bytes.substr(4);
  EXPECT_THAT(DecodeTableDefinition(*arrow::Buffer::FromString(huge)),
              FailsWith(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace arka::ingest
