#include <string>

#include <arrow/api.h>
#include <arrow/ipc/api.h>
#include <gtest/gtest.h>

#include "arka/protocol/ack_batch.h"
#include "arka/protocol/descriptor.h"
#include "arka/protocol/flight_data.h"
#include "arka/protocol/server_status.h"
#include "arka/protocol/write_headers.h"

namespace arka::protocol {
namespace {

const TableName kDefault{"arka", "my_table"};

TEST(Descriptor, PathsMeanWhatTheContractSays) {
  const auto write_to = [](const std::vector<std::string>& path) {
    return std::get<WriteTarget>(ParsePath(path, kDefault, "arka").ValueOrDie()).table.ToString();
  };
  EXPECT_EQ(write_to({"streaming_write"}), "arka.my_table");
  EXPECT_EQ(write_to({"streaming_write", "orders"}), "arka.orders");
  EXPECT_EQ(write_to({"streaming_write", "sales", "orders"}), "sales.orders");
  EXPECT_EQ(write_to({"streaming_write", "sales.orders"}), "sales.orders");
  EXPECT_EQ(write_to({"streaming_write", "eu.sales", "orders"}), "eu.sales.orders");
  const auto table = ParsePath({"sales", "orders"}, kDefault, "arka").ValueOrDie();
  EXPECT_EQ(std::get<TableTarget>(table).table.ToString(), "sales.orders");
  EXPECT_TRUE(
      std::holds_alternative<StatusTarget>(ParsePath({"status"}, kDefault, "arka").ValueOrDie()));
}

TEST(Descriptor, HostileNamesAreRefused) {
  const std::vector<std::string> hostile = {"../../etc/passwd",
                                            "/etc",
                                            "",
                                            ".",
                                            "..",
                                            "a..b",
                                            "a\nb",
                                            std::string("a\0b", 3),
                                            "\"; DROP TABLE x",
                                            "%n%s",
                                            "tàble",
                                            std::string(300, 'a'),
                                            "-rf",
                                            "a/b",
                                            "a b"};
  for (const std::string& name : hostile) {
    const auto result = ParsePath({"streaming_write", name}, kDefault, "arka");
    ASSERT_FALSE(result.ok()) << name;
    EXPECT_EQ(CodeOf(result.status()), ErrorCode::kInvalidRequest) << name;
  }
  EXPECT_FALSE(ParsePath(std::vector<std::string>(10'000, "a"), kDefault, "arka").ok());
  EXPECT_FALSE(ParsePath({}, kDefault, "arka").ok());
}

TEST(WriteHeaders, DefaultsAndEveryHeader) {
  const WriteHeaders defaults = ParseWriteHeaders({{"user-agent", "x"}}).ValueOrDie();
  EXPECT_EQ(defaults.ack_until, Tier::kObjectStorage);
  EXPECT_EQ(defaults.acks, (std::array<bool, 4>{true, true, true, true}));

  const WriteHeaders headers = ParseWriteHeaders({{"arka-session", "s 1"},
                                                  {"arka-acks", "LOCAL_DISK, COMMITTED"},
                                                  {"arka-ack-until", "COMMITTED"},
                                                  {"arka-watermarks", "true"}})
                                   .ValueOrDie();
  EXPECT_EQ(headers.session, "s 1");
  EXPECT_EQ(headers.acks, (std::array<bool, 4>{false, true, false, true}));
  EXPECT_EQ(headers.ack_until, Tier::kCommitted);
  EXPECT_TRUE(headers.watermarks);
}

TEST(WriteHeaders, WrongValuesAreRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"arka-session", ""},          {"arka-session", std::string(129, 'a')},
      {"arka-session", "a\nb"},      {"arka-acks", "DISK"},
      {"arka-acks", "MEMORY,"},      {"arka-ack-until", "memory"},
      {"arka-watermarks", "yes"},    {"arka-producer", "a\nb"},
      {"arka-producer-epoch", ""},   {"arka-producer-epoch", "0"},
      {"arka-producer-epoch", "1x"}, {"arka-producer-epoch", "99999999999999999999"},
      {"arka-producer-epoch", "1"}};  // of which producer?
  for (const auto& header : wrong) {
    const auto result = ParseWriteHeaders({header});
    ASSERT_FALSE(result.ok()) << header.first << "=" << header.second;
    EXPECT_NE(result.status().message().find(header.first), std::string::npos);
  }
}

TEST(WriteHeaders, APutHasOneLevelAndEndsThere) {
  const WriteHeaders defaults = ParsePutHeaders({{"arka-producer", "p"}}).ValueOrDie();
  EXPECT_EQ(defaults.acks, (std::array<bool, 4>{false, true, false, false}));
  EXPECT_EQ(defaults.ack_until, Tier::kLocalDisk);
  EXPECT_EQ(defaults.producer, "p");
  for (Tier tier : kAllTiers) {
    const std::string name(TierName(tier));
    const WriteHeaders headers = ParsePutHeaders({{"arka-acks", name}}).ValueOrDie();
    EXPECT_TRUE(headers.acks[IndexOf(tier)]);
    EXPECT_EQ(headers.ack_until, tier);
    EXPECT_TRUE(ParsePutHeaders({{"arka-acks", name}, {"arka-ack-until", name}}).ok());
  }
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"arka-acks", "MEMORY,LOCAL_DISK"},
      {"arka-acks", ""},
      {"arka-ack-until", "COMMITTED"},
      {"arka-watermarks", "true"}};
  for (const auto& header : wrong) {
    const auto result = ParsePutHeaders({header});
    ASSERT_FALSE(result.ok()) << header.first << "=" << header.second;
    EXPECT_EQ(CodeOf(result.status()), ErrorCode::kInvalidRequest);
    EXPECT_NE(result.status().message().find(header.first), std::string::npos);
  }
}

std::shared_ptr<arrow::Buffer> Join(const std::vector<std::shared_ptr<arrow::Buffer>>& parts) {
  return arrow::ConcatenateBuffers(parts).ValueOrDie();
}

TEST(FlightData, WhatIsEncodedParsesBackInPlace) {
  const auto batch = MakeAckBatch({{Lsn{1000}, Lsn{6000}, Tier::kMemory, 7, 0}}, {}, 0);
  arrow::ipc::IpcPayload payload;
  ASSERT_TRUE(
      arrow::ipc::GetRecordBatchPayload(*batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload)
          .ok());
  const auto message = Join(EncodeFlightData(payload));
  const FlightData data = ParseFlightData(message).ValueOrDie();
  EXPECT_EQ(data.descriptor, nullptr);
  EXPECT_TRUE(data.data_header->Equals(*payload.metadata));
  ASSERT_EQ(data.data_body->size(), payload.body_length);
  EXPECT_GE(data.data_body->data(), message->data());
  EXPECT_LE(data.data_body->data() + data.data_body->size(), message->data() + message->size());

  arrow::ipc::DictionaryMemo memo;
  auto opened = arrow::ipc::Message::Open(data.data_header, data.data_body).ValueOrDie();
  const auto read = arrow::ipc::ReadRecordBatch(*opened, AckSchema(), &memo,
                                                arrow::ipc::IpcReadOptions::Defaults())
                        .ValueOrDie();
  EXPECT_TRUE(read->Equals(*batch));
}

TEST(FlightData, EveryTruncationIsAnErrorOrAShorterMessage) {
  const std::string whole =
      std::string("\x0a\x03") + "abc" + "\x12\x02" + "de" + "\xc2\x3e\x04wxyz";
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    const auto message = arrow::Buffer::FromString(whole.substr(0, cut));
    const auto parsed = ParseFlightData(message);
    const bool at_boundary = cut == 0 || cut == 5 || cut == 9 || cut == whole.size();
    EXPECT_EQ(parsed.ok(), at_boundary) << cut;
  }
  EXPECT_FALSE(ParseFlightData(arrow::Buffer::FromString("\x0a\xff\xff\xff\xff\x7f")).ok());
  EXPECT_FALSE(ParseFlightData(arrow::Buffer::FromString(std::string(20, '\xff'))).ok());
}

TEST(AckBatch, RunsAndWatermarksRoundTrip) {
  const Watermarks marks{Lsn{1010}, Lsn{1009}, Lsn{1005}, Lsn{1001}};
  const auto batch = MakeAckBatch({{Lsn{1008}, Lsn{1010}, Tier::kMemory, 11, 0},
                                   {Lsn{1000}, Lsn{1001}, Tier::kCommitted, 12, 77}},
                                  marks, 13);
  ASSERT_TRUE(batch->ValidateFull().ok());
  ASSERT_EQ(batch->num_rows(), 6);
  const AckBatchContents contents = ReadAckBatch(*batch).ValueOrDie();
  ASSERT_EQ(contents.rows.size(), 5u);
  EXPECT_EQ(contents.rows[2].last, Lsn{1010});
  EXPECT_EQ(contents.rows[2].tier, Tier::kMemory);
  EXPECT_EQ(contents.rows[2].snapshot_id, 0);
  EXPECT_EQ(contents.rows[4].first, Lsn{1001});
  EXPECT_EQ(contents.rows[4].snapshot_id, 77);
  EXPECT_EQ(contents.rows[4].timestamp_us, 12);
  ASSERT_EQ(contents.watermarks.size(), 1u);
  EXPECT_EQ(contents.watermarks[0], marks);
  const auto& updates = static_cast<const arrow::BooleanArray&>(*batch->column(2));
  EXPECT_FALSE(updates.Value(0));
  EXPECT_TRUE(updates.Value(3));
}

TEST(AckBatch, WhatIsNullIsNotRead) {
  const Watermarks marks{Lsn{1010}, Lsn{1009}, Lsn{1005}, Lsn{1001}};
  const auto batch = MakeAckBatch({{Lsn{1008}, Lsn{1008}, Tier::kMemory, 11, 0}}, marks, 13);
  for (const int column : {0, 1, 3, 4, 5, 6, 7}) {
    const auto& field = batch->schema()->field(column);
    const auto nulls = arrow::MakeArrayOfNull(field->type(), 2).ValueOrDie();
    const auto spoilt = batch->SetColumn(column, field, nulls).ValueOrDie();
    EXPECT_FALSE(ReadAckBatch(*spoilt).ok()) << field->name();
  }
}

TEST(ServerStatus, JsonAndTableSayTheSame) {
  ServerStatus status;
  status.watermarks.disk_lsn = Lsn{1000};
  status.lag_seconds = 0.5;
  status.version = "1.2.3";
  EXPECT_NE(ToJson(status).find("\"disk_lsn\":1000"), std::string::npos);
  const auto batch = ToRecordBatch(status).ValueOrDie();
  EXPECT_EQ(batch->num_rows(), 1);
  EXPECT_EQ(batch->GetColumnByName("disk_lsn")->GetScalar(0).ValueOrDie()->ToString(), "1000");
  EXPECT_EQ(batch->GetColumnByName("version")->GetScalar(0).ValueOrDie()->ToString(), "1.2.3");
}

}  // namespace
}  // namespace arka::protocol
