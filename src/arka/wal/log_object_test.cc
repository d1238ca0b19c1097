#include "arka/wal/log_object.h"

#include <thread>

#include "arka/wal/log_harness_test.h"
#include "arka/wal/segment_reader.h"

namespace arka::wal {
namespace {

class LogObjectTest : public ::testing::Test, protected LogHarness {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(log->Define(DefinitionNamed(2)), IsOk());
    for (int i = 0; i < 30; ++i) {
      Append(i == 11 ? std::string(9000, 'L') : "x" + std::to_string(i),
             static_cast<uint32_t>(i % 2 + 1));
      if (i % 3 == 0) Sync();
    }
    Sync();
  }

  LogObject Read(Lsn after, int64_t max_bytes) {
    Result<LogObject> object = log->ReadObject(after, max_bytes);
    EXPECT_THAT(object, IsOk());
    return object.ok() ? *object : LogObject{};
  }

  static int64_t SizeOf(const LogObject& object) {
    int64_t size = 0;
    for (const auto& part : object.parts) size += part->size();
    return size;
  }
};

TEST_F(LogObjectTest, OneAfterTheOtherHoldTheWholeLogAtAnySize) {
  for (const int64_t max_bytes : {1, 500, 1000, 4000, 1 << 20}) {
    Lsn after = kNoLsn;
    for (;;) {
      const LogObject object = Read(after, max_bytes);
      if (object.parts.empty()) break;
      EXPECT_EQ(object.first_lsn, after.next());
      FoundRecords records;
      ASSERT_THAT(ReadLogObject(object.parts, records), IsOk());
      EXPECT_EQ(records.lsns().front(), object.first_lsn);
      EXPECT_EQ(records.lsns().back(), object.last_lsn);
      after = object.last_lsn;
    }
    EXPECT_EQ(after, Lsn{1029}) << max_bytes;
  }
}

TEST_F(LogObjectTest, BeginsAfterAnyLsnAlsoAfterARestart) {
  Crash();
  Open();
  for (int64_t after = 1028; after >= 999; --after) {
    const LogObject object = Read(Lsn{after}, 1 << 20);
    FoundRecords records;
    ASSERT_THAT(ReadLogObject(object.parts, records), IsOk());
    EXPECT_EQ(records.lsns().front(), Lsn{after + 1});
  }
  EXPECT_TRUE(Read(Lsn{1029}, 1 << 20).parts.empty());
}

TEST_F(LogObjectTest, HoldsNothingThatIsNotDurable) {
  Append("pending");
  EXPECT_TRUE(Read(Lsn{1029}, 1 << 20).parts.empty());
  Sync();
  EXPECT_EQ(Read(Lsn{1029}, 1 << 20).last_lsn, Lsn{1030});
}

TEST_F(LogObjectTest, HoldsOnlyTheDefinitionsThatItUses) {
  const LogObject object = Read(kFirstLsn, 1);
  FoundRecords records;
  ASSERT_THAT(ReadLogObject(object.parts, records), IsOk());
  EXPECT_EQ(records.text(), "1001:x1");
  EXPECT_EQ(TextOf(SpanOf(*object.parts[0])).find("table 1"), std::string::npos);
}

TEST_F(LogObjectTest, IsReadInOnePartOrMany) {
  const LogObject object = Read(kNoLsn, 1 << 20);
  const auto whole = arrow::ConcatenateBuffers(object.parts).ValueOrDie();
  FoundRecords in_one;
  ASSERT_THAT(ReadLogObject({{whole}}, in_one), IsOk());
  FoundRecords in_many;
  const std::vector parts = {arrow::SliceBuffer(whole, 0, 100),
                             arrow::SliceBuffer(whole, 100, 1000), arrow::SliceBuffer(whole, 1100)};
  ASSERT_THAT(ReadLogObject(parts, in_many), IsOk());
  EXPECT_EQ(in_one.text(), in_many.text());
}

TEST_F(LogObjectTest, IsRefusedWithAnyFlippedBitOrMissingByte) {
  const LogObject object = Read(kNoLsn, 1500);
  const std::string whole = arrow::ConcatenateBuffers(object.parts).ValueOrDie()->ToString();
  class Ignored : public ReplayVisitor {
   public:
    Status OnDefinition(const Definition&) override { return Status::OK(); }
    Status OnWrite(WriteRecord) override { return Status::OK(); }
  } ignored;
  for (size_t offset = 0; offset < whole.size(); ++offset) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[offset] = static_cast<char>(flipped[offset] ^ (1 << bit));
      EXPECT_THAT(ReadLogObject({{BufferOf(flipped)}}, ignored), FailsWith(ErrorCode::kCorruption));
    }
    EXPECT_THAT(ReadLogObject({{BufferOf(whole.substr(0, offset))}}, ignored),
                FailsWith(ErrorCode::kCorruption));
  }
  EXPECT_THAT(ReadLogObject({{BufferOf(whole + '\0')}}, ignored),
              FailsWith(ErrorCode::kCorruption));
}

TEST_F(LogObjectTest, IsNotMadeOfRottenBytes) {
  ASSERT_THAT(fs->Corrupt(Segments()[0], 1000, std::byte{1}), IsOk());
  const Result<LogObject> object = log->ReadObject(kNoLsn, 1 << 20);
  EXPECT_THAT(object, FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(object.status().message(), ::testing::HasSubstr(SegmentFileName(1)));
}

TEST_F(LogObjectTest, IsReadBesideTheLogThreadWhileSegmentsAreRecycled) {
  Crash();
  options.spare_segments = 2;
  Open();
  Start();
  const Lsn begin = log->disk_lsn();
  std::jthread appender([&] {
    for (int i = 0; i < 2000; ++i) {
      Append("y" + std::to_string(i));
      if (i % 50 == 0) Sync();
    }
    Sync();
  });
  Lsn after = begin;
  size_t count = 0;
  while (count < 2000) {
    const LogObject object = Read(after, 2000);
    if (object.parts.empty()) continue;
    ASSERT_LE(SizeOf(object), 5000);
    FoundRecords records;
    ASSERT_THAT(ReadLogObject(object.parts, records), IsOk());
    count += records.lsns().size();
    after = object.last_lsn;
    ASSERT_THAT(log->Release(after), IsOk());
  }
  appender.join();
  Close();
}

}  // namespace
}  // namespace arka::wal
