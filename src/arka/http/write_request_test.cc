#include "arka/http/write_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/http/ack_position.h"
#include "arka/testing/matchers.h"

namespace arka::http {
namespace {

using ::testing::HasSubstr;

transport::HttpRequest Head(const std::string& path, transport::Metadata headers = {}) {
  transport::HttpRequest head;
  head.method = "POST";
  head.path = path;
  head.headers = std::move(headers);
  return head;
}

TEST(WriteRequest, NamesTheTableOfItsPath) {
  const auto request = ParseWriteRequest(Head("/api/v1/tables/eu.sales/orders"));
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->table, (iceberg::TableIdentifier{"eu.sales", "orders"}));
  EXPECT_EQ(request->level, Tier::kLocalDisk);
}

TEST(WriteRequest, RefusesPathsThatNameNoTable) {
  for (const char* path : {"/api/v1/tables/orders", "/api/v1/tables/a/b/c"}) {
    EXPECT_EQ(CodeOf(ParseWriteRequest(Head(path)).status()), ErrorCode::kNotFound) << path;
  }
  for (const char* path :
       {"/api/v1/tables//b", "/api/v1/tables/a/", "/api/v1/tables/a/..", "/api/v1/tables/a/b c"}) {
    EXPECT_EQ(CodeOf(ParseWriteRequest(Head(path)).status()), ErrorCode::kInvalidRequest) << path;
  }
}

TEST(WriteRequest, TakesOneLevelAndAProducerWithItsSeq) {
  const auto request =
      ParseWriteRequest(Head("/api/v1/tables/a/b", {{"arka-acks", "COMMITTED"},
                                                    {"arka-producer", "p"},
                                                    {"arka-producer-epoch", "4294967297"},
                                                    {"arka-seq", "7"}}));
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->level, Tier::kCommitted);
  EXPECT_EQ(request->producer, "p");
  EXPECT_EQ(request->producer_epoch, 4294967297);
  EXPECT_EQ(request->first_seq, 7);
}

TEST(WriteRequest, SaysWhichHeaderIsWrong) {
  const std::vector<std::pair<transport::Metadata, std::string>> wrong = {
      {{{"arka-acks", "MEMORY,COMMITTED"}}, "arka-acks"},
      {{{"arka-producer", "p"}}, "arka-seq"},
      {{{"arka-seq", "1"}}, "arka-producer"},
      {{{"arka-producer", "p"}, {"arka-seq", "-1"}}, "arka-seq"},
      {{{"arka-producer", "p"}, {"arka-seq", "1x"}}, "arka-seq"},
      {{{"arka-ack-until", "COMMITTED"}}, "arka-ack-until"},
  };
  for (const auto& [headers, word] : wrong) {
    const auto request = ParseWriteRequest(Head("/api/v1/tables/a/b", headers));
    EXPECT_EQ(CodeOf(request.status()), ErrorCode::kInvalidRequest);
    EXPECT_THAT(request.status().message(), HasSubstr(word));
  }
}

TEST(WriteRequest, KnowsItsFormatWhateverTheCaseAndTheParameters) {
  const auto head = Head("/", {{"content-type", "Text/CSV ; charset=utf-8"}});
  EXPECT_EQ(RowFormatOf(MediaType(head, "content-type")), RowFormat::kCsv);
  EXPECT_FALSE(RowFormatOf("application/json"));
}

TEST(AckPosition, IsReadAsItWasWritten) {
  const AckPosition position = {Lsn{1017}, Lsn{1017}, Lsn{1012}, Lsn{0}};
  EXPECT_EQ(ToId(position), "1017.1017.1012.0");
  EXPECT_EQ(ParseId(ToId(position)), position);
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", "-1.2.3.4", "1..2.3"}) {
    EXPECT_FALSE(ParseId(bad)) << bad;
  }
}

}  // namespace
}  // namespace arka::http
