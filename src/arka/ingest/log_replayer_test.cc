#include "arka/ingest/log_replayer.h"

#include <string>

#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"

namespace arka::ingest {
namespace {

constexpr Lsn kLast{999'999};

class SeesNothing : public wal::ReplayVisitor {
  Status OnDefinition(const wal::Definition&) override { return Status::OK(); }
  Status OnWrite(wal::WriteRecord) override { return Status::OK(); }
};

class LogReplayerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(deployment_.fs.CreateDirs("data"), IsOk());
    auto log = wal::Log::Open(deployment_.fs, deployment_.clock, deployment_.options.log, nothing_);
    ASSERT_THAT(log, IsOk());
    log_ = std::move(*log);
  }

  std::shared_ptr<const OpenedTable> Open(const iceberg::TableIdentifier& identifier,
                                          const arrow::Schema& schema) {
    return tables_.Open(identifier, schema, *log_).ValueOrDie();
  }
  std::shared_ptr<const OpenedTable> OpenIds(const iceberg::TableIdentifier& identifier) {
    return Open(identifier, *IdStream().schema);
  }

  void Append(const OpenedTable& target, const arrow::RecordBatch& batch) {
    auto bytes = arrow::ipc::SerializeRecordBatch(batch, arrow::ipc::IpcWriteOptions::Defaults())
                     .ValueOrDie();
    arrow::io::BufferReader reader(bytes);
    const auto message = arrow::ipc::ReadMessage(&reader).ValueOrDie();
    wal::WriteRecord record;
    record.definition = target.definition;
    record.timestamp = deployment_.clock.WallNow();
    record.header = message->metadata();
    record.body = message->body();
    ASSERT_THAT(log_->Append(std::move(record)), IsOk());
  }
  void AppendIds(const OpenedTable& target, int64_t first, int64_t rows) {
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows; ++i) ASSERT_THAT(builder.Append(first + i), IsOk());
    const auto ids = builder.Finish().ValueOrDie();
    Append(target, *arrow::RecordBatch::Make(IdStream().schema, rows, {ids}));
  }

  /// All that is read of (after, through], piece by piece, as "lsn:table:first id;".
  std::string ReadAll(Lsn after, Lsn through, const Table* only = nullptr, int64_t piece = 4096) {
    std::string seen;
    while (after < through) {
      const auto to =
          LogReplayer(*log_, tables_)
              .Read(after, through, piece, only, [&](Table& table, BufferedWrite write) {
                EXPECT_GT(write.charged_bytes, 0);
                const auto& ids = static_cast<const arrow::Int64Array&>(*write.batch->column(0));
                seen += std::to_string(write.lsn.value) + ":" + table.identifier.name + ":" +
                        std::to_string(ids.Value(0)) + ";";
                return Status::OK();
              });
      EXPECT_THAT(to, IsOk());
      if (!to.ok() || *to == after) break;
      after = *to;
    }
    return seen;
  }

  Deployment deployment_;
  SeesNothing nothing_;
  std::unique_ptr<wal::Log> log_;
  TableRegistry tables_{
      deployment_.catalog, deployment_.warehouse, {"node-1", true}, [](Table&) {}};
};

TEST_F(LogReplayerTest, ReadsWhatIsDurableInOrderOverSegmentsAndPieces) {
  const auto orders = OpenIds(kOrders);
  std::string expected;
  for (int64_t i = 0; i < 60; ++i) {
    AppendIds(*orders, i * 2000, 2000);  // 16 KB each: several segments of 256 KB
    expected += std::to_string(1000 + i) + ":orders:" + std::to_string(i * 2000) + ";";
  }
  EXPECT_EQ(ReadAll(kNoLsn, kLast), "");  // nothing is durable yet
  ASSERT_THAT(log_->Flush(), IsOk());
  EXPECT_EQ(ReadAll(kNoLsn, kLast), expected);
  EXPECT_EQ(ReadAll(kNoLsn, kLast, nullptr, 1 << 20), expected);
}

TEST_F(LogReplayerTest, KeepsToItsRangeAndToOneTable) {
  const auto orders = OpenIds(kOrders);
  const auto users = OpenIds(kUsers);
  for (int64_t i = 0; i < 5; ++i) AppendIds(i % 2 == 0 ? *orders : *users, i, 1);
  ASSERT_THAT(log_->Flush(), IsOk());
  EXPECT_EQ(ReadAll(Lsn{1000}, Lsn{1003}), "1001:users:1;1002:orders:2;1003:users:3;");
  EXPECT_EQ(ReadAll(kNoLsn, kLast, orders->table), "1000:orders:0;1002:orders:2;1004:orders:4;");
}

TEST_F(LogReplayerTest, LeavesOutWhatASnapshotHolds) {
  const auto orders = OpenIds(kOrders);
  const auto users = OpenIds(kUsers);
  for (int64_t i = 0; i < 4; ++i) AppendIds(i % 2 == 0 ? *orders : *users, i, 1);
  ASSERT_THAT(log_->Flush(), IsOk());
  orders->table->AddCommit({Lsn{1000}, 1, 1});
  EXPECT_EQ(ReadAll(kNoLsn, kLast), "1001:users:1;1002:orders:2;1003:users:3;");
}

TEST_F(LogReplayerTest, ReadsWhatAStreamWithDictionariesLogged) {
  const auto type = arrow::dictionary(arrow::int32(), arrow::int64());
  const auto encoded = Open(kOrders, *arrow::schema({arrow::field("id", type)}));
  ASSERT_TRUE(encoded->schema->needs_decoding());
  AppendIds(*encoded, 7, 3);  // the log holds decoded batches
  ASSERT_THAT(log_->Flush(), IsOk());
  EXPECT_EQ(ReadAll(kNoLsn, kLast), "1000:orders:7;");
}

TEST_F(LogReplayerTest, NamesTheWriteThatIsNoBatch) {
  const auto orders = OpenIds(kOrders);
  wal::WriteRecord record;
  record.definition = orders->definition;
  record.timestamp = deployment_.clock.WallNow();
  record.header = arrow::Buffer::FromString("no flatbuffer");
  record.body = arrow::Buffer::FromString("");
  ASSERT_THAT(log_->Append(std::move(record)), IsOk());
  ASSERT_THAT(log_->Flush(), IsOk());
  const auto read =
      LogReplayer(*log_, tables_).Read(kNoLsn, kLast, 4096, nullptr, [](Table&, BufferedWrite) {
        return Status::OK();
      });
  ASSERT_THAT(read, FailsWith(ErrorCode::kCorruption));
  EXPECT_NE(read.status().message().find("write 1000"), std::string::npos);
}

}  // namespace
}  // namespace arka::ingest
