#include "arka/http/row_text.h"

#include <arrow/array.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::http {
namespace {

using ::testing::HasSubstr;

const auto kSchema =
    arrow::schema({arrow::field("id", arrow::int64(), /*nullable=*/false),
                   arrow::field("text", arrow::utf8()), arrow::field("day", arrow::date32())});

Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> Parse(RowFormat format,
                                                               const std::string& text,
                                                               int64_t max_rows = 1000) {
  const auto body = text.empty() ? nullptr : arrow::Buffer::FromString(text);
  ARROW_ASSIGN_OR_RAISE(const auto stream, ParseRows(format, body, kSchema, max_rows));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(
                                         std::make_shared<arrow::io::BufferReader>(stream)));
  EXPECT_TRUE(reader->schema()->Equals(*kSchema));
  return reader->ToRecordBatches();
}

TEST(RowText, BecomesTheTablesSchemaInBatches) {
  for (const auto& [format, text] :
       {std::pair(RowFormat::kNdjson, "{\"day\":\"2026-01-02\",\"id\":1}\n{\"id\":2}\n{\"id\":3}"),
        std::pair(RowFormat::kCsv, "day,id\n2026-01-02,1\n,2\n,3\n")}) {
    const auto batches = Parse(format, text, 2);
    ASSERT_THAT(batches, IsOk());
    ASSERT_EQ(batches->size(), 2u);
    EXPECT_EQ((*batches)[0]->num_rows(), 2);
    EXPECT_EQ((*batches)[0]->column(2)->GetScalar(0).ValueOrDie()->ToString(), "2026-01-02");
    EXPECT_EQ((*batches)[1]->column(0)->GetScalar(0).ValueOrDie()->ToString(), "3");
    EXPECT_EQ((*batches)[1]->column(1)->null_count(), 1);
  }
}

TEST(RowText, NamesTheLineAndTheColumnOfTheFirstFault) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "{\"id\": " + std::to_string(i) + "}\n";
  const std::vector<std::tuple<RowFormat, std::string, std::vector<std::string>>> faults = {
      {RowFormat::kNdjson,
       many + "{\"id\": 0.5}\n" + many + "{\"id\": \"x\"}",
       {"line 1001", "'id'"}},
      {RowFormat::kNdjson, "{\"id\": 1, \"colour\": 2}", {"line 1", "'colour'"}},
      {RowFormat::kNdjson, "\n\n{\"day\": \"today\"}", {"line 3", "'day'"}},
      {RowFormat::kNdjson, "{\"id\": 1}\n[]\n", {"line 2", "object"}},
      {RowFormat::kCsv, "text,id\na,1\nb,x\n", {"Row #3", "'id'"}},
      {RowFormat::kCsv, "id,colour\n1,2\n", {"'colour'"}},
      {RowFormat::kCsv, "", {"empty"}},
  };
  for (const auto& [format, text, words] : faults) {
    const auto parsed = Parse(format, text);
    EXPECT_EQ(CodeOf(parsed.status()), ErrorCode::kInvalidRequest) << text;
    for (const auto& word : words) EXPECT_THAT(parsed.status().message(), HasSubstr(word));
  }
}

TEST(RowText, TellsNoTextFromAnEmptyOneInCsv) {
  const auto batches = Parse(RowFormat::kCsv, "id,text\n1,\n2,\"\"\n3,NA\n");
  ASSERT_THAT(batches, IsOk());
  const auto& text = *(*batches)[0]->column(1);
  EXPECT_TRUE(text.IsNull(0));
  EXPECT_FALSE(text.IsNull(1));
  EXPECT_EQ(text.GetScalar(2).ValueOrDie()->ToString(), "NA");
}

TEST(RowText, SurvivesDeepNesting) {
  EXPECT_FALSE(Parse(RowFormat::kNdjson, std::string(1 << 20, '[')).ok());
  EXPECT_FALSE(Parse(RowFormat::kNdjson, "{\"text\":" + std::string(1 << 20, '[')).ok());
  EXPECT_FALSE(Parse(RowFormat::kNdjson, "{\"other\":" + std::string(1 << 15, '[')).ok());
}

}  // namespace
}  // namespace arka::http
