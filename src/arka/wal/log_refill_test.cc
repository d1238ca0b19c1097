// A log that was repaired, and the log objects that have what it lost: together they are the log
// that it was, however the refill is cut short.
#include "arka/wal/log_refill.h"

#include <utility>

#include "arka/wal/log_harness_test.h"
#include "arka/wal/log_repair.h"
#include "arka/wal/log_verifier.h"

namespace arka::wal {
namespace {

using ::testing::HasSubstr;

constexpr const char* kDirectory = "/data/log";

class LogRefillTest : public ::testing::Test, protected LogHarness {
 protected:
  // Two epochs, two tables, some segments; all of it but the last write is in objects as well.
  void SetUp() override {
    options.directory = kDirectory;
    options.segment_bytes = 2048;
    Open();
    ASSERT_THAT(log->Define(DefinitionNamed(2)), IsOk());
    AppendSynced({"a", "b", "c", "d"});
    Append("e", 2);
    AppendSynced({"f", "g"});
    Crash();
    Open();
    ASSERT_THAT(log->Define(DefinitionNamed(2)), IsOk());
    AppendSynced({"h", "i"});
    Append("j", 2);
    AppendSynced({"k"});
    for (Lsn after = kNoLsn;;) {
      const LogObject object = log->ReadObject(after, 600).ValueOrDie();
      if (object.parts.empty()) break;
      objects_.push_back(arrow::ConcatenateBuffers(object.parts).ValueOrDie());
      after = object.last_lsn;
    }
    uploaded_ = log->last_lsn();
    AppendSynced({"l"});
    last_ = log->last_lsn();
    Crash();
    whole_ = fs->Clone();
    Open();
    expected_ = found.text();
    Crash();
    fs = whole_->Clone();
    ASSERT_GE(objects_.size(), 4u);
    ASSERT_GE(Segments().size(), 3u);
  }

  void Damage(MemoryFs& image, const std::string& path, size_t from, size_t bytes) {
    std::vector<std::byte> contents = *image.Contents(path);
    for (size_t at = from; at < std::min(from + bytes, contents.size()); ++at) {
      contents[at] ^= std::byte{0x55};
    }
    image.SetContents(path, std::move(contents));
  }

  Result<int64_t> Refill(Fs& image) {
    ARROW_ASSIGN_OR_RAISE(const auto report, FindIncompleteLog(image, kDirectory));
    if (!report) return -1;
    size_t next = 0;
    const auto supply = [&]() -> Result<std::shared_ptr<arrow::Buffer>> {
      if (next == objects_.size()) return nullptr;
      return objects_[next++];
    };
    return RefillLog(image, clock, options, *report, supply, uploaded_);
  }

  struct Opened {
    Status status;
    std::string text;
    Lsn last;
    Lsn next;
  };
  Opened OpenOn(Fs& image) {
    FoundRecords records;
    auto opened = Log::Open(image, clock, options, records);
    if (!opened.ok()) return {opened.status(), records.text(), {}, {}};
    return {Status::OK(), records.text(), (*opened)->last_lsn(), (*opened)->next_lsn()};
  }

  void ExpectRefilled(MemoryFs& image, const std::string& text) {
    const Opened opened = OpenOn(image);
    ASSERT_THAT(opened.status, IsOk());
    EXPECT_EQ(opened.text, text);
    EXPECT_GE(opened.last, uploaded_);
    EXPECT_GT(opened.next, last_) << "an LSN would be given again";
    EXPECT_FALSE(FindIncompleteLog(image, kDirectory).ValueOrDie());
  }

  std::vector<std::shared_ptr<arrow::Buffer>> objects_;
  std::string expected_;
  Lsn uploaded_;
  Lsn last_;
  std::unique_ptr<MemoryFs> whole_;
};

TEST_F(LogRefillTest, ALogThatWasNotRepairedIsLeftAlone) {
  EXPECT_FALSE(FindIncompleteLog(*fs, kDirectory).ValueOrDie());
  Damage(*fs, Segments()[0], 600, 1);
  EXPECT_FALSE(FindIncompleteLog(*fs, kDirectory).ValueOrDie());
}

TEST_F(LogRefillTest, WhereverTheLogIsDamagedTheObjectsGiveBackWhatTheyHave) {
  const std::string uploaded_text = expected_.substr(0, expected_.rfind(' '));
  for (const std::string& path : Segments()) {
    const auto size = static_cast<size_t>(whole_->Contents(path)->size());
    for (size_t offset = 0; offset < size; offset += 64) {
      for (const size_t bytes : {size_t{1}, size}) {  // one byte, or all from there on
        SCOPED_TRACE(path + " " + std::to_string(offset) + " " + std::to_string(bytes));
        const auto image = whole_->Clone();
        Damage(*image, path, offset, bytes);
        if (!PlanRepair(*image, kDirectory)->needed) continue;
        ASSERT_THAT(RepairLog(*image, clock, kDirectory, "/data/damaged"), IsOk());
        const bool kept_last = OpenOn(*image->Clone()).text.ends_with(":l");
        ASSERT_THAT(Refill(*image), IsOk());
        ExpectRefilled(*image, kept_last ? expected_ : uploaded_text);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(LogRefillTest, ALogOfWhichNothingIsLeftIsTheObjects) {
  for (const std::string& path : Segments()) Damage(*fs, path, 0, 4096);
  ASSERT_THAT(RepairLog(*fs, clock, kDirectory, "/data/damaged"), IsOk());
  EXPECT_EQ(Refill(*fs).ValueOrDie(), static_cast<int64_t>(found.lsns().size()) - 1);
  ExpectRefilled(*fs, expected_.substr(0, expected_.rfind(' ')));
}

TEST_F(LogRefillTest, WithoutObjectsLsnsBeginAboveWhatOthersKnow) {
  Damage(*fs, Segments().back(), 0, 4096);
  ASSERT_THAT(RepairLog(*fs, clock, kDirectory, "/data/damaged"), IsOk());
  objects_.clear();
  uploaded_ = Lsn{1'000'000};  // far above what this control file ever reserved
  EXPECT_EQ(Refill(*fs), 0);
  const Opened opened = OpenOn(*fs);
  ASSERT_THAT(opened.status, IsOk());
  EXPECT_EQ(opened.last, uploaded_);
  EXPECT_GT(opened.next.value, int64_t{1} << 40);
}

TEST_F(LogRefillTest, RefusesObjectsOfAnotherNode) {
  Damage(*fs, Segments()[0], 600, 1);
  ASSERT_THAT(RepairLog(*fs, clock, kDirectory, "/data/damaged"), IsOk());
  options.node = "node-2";
  const auto refused = Refill(*fs);
  EXPECT_THAT(refused, FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(refused.status().message(), HasSubstr("of node 'node-1' for the log of 'node-2'"));
}

TEST_F(LogRefillTest, CanBeCutShortAnywhereAndDoneAgain) {
  Damage(*fs, Segments()[1], 512, 4096);
  ASSERT_THAT(RepairLog(*fs, clock, kDirectory, "/data/damaged"), IsOk());
  for (int64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 1000);
    for (const Effect effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
      SCOPED_TRACE(nth);
      const auto image = fs->Clone();
      FaultPlan failing;
      FaultyFs faulty_image(*image, failing);
      failing.Add({.nth = nth, .times = kForGood, .effect = effect});
      const auto refilled = Refill(faulty_image);
      if (!failing.fired()) {
        EXPECT_THAT(refilled, IsOk());
        return;
      }
      image->LosePower(static_cast<uint64_t>(nth), PowerLoss::kDropUnsynced);
      ASSERT_THAT(Refill(*image), IsOk());
      ExpectRefilled(*image, expected_);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace arka::wal
