#include "arka/testing/faulty_fs.h"

#include <array>

#include <gmock/gmock.h>

#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"

namespace arka {
namespace {

class FaultyFsTest : public testing::Test {
 protected:
  Status WriteText(File& file, std::string_view first, std::string_view second) {
    const std::array<ByteSpan, 2> parts = {BytesOf(first), BytesOf(second)};
    return file.Write(0, parts);
  }
  std::string Text() { return TextOf(memory_.Contents("f").ValueOrDie()); }

  MemoryFs memory_;
  FaultPlan plan_;
  FaultyFs fs_{memory_, plan_};
  std::unique_ptr<File> file_ = fs_.Open("f", OpenMode::kCreateNew).ValueOrDie();
};

TEST_F(FaultyFsTest, FailsBeforeTheEffect) {
  plan_.Add({.matches = OfKind("write")});
  EXPECT_THAT(WriteText(*file_, "ab", "cd"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(Text(), "");
  EXPECT_THAT(WriteText(*file_, "ab", "cd"), IsOk());
}

TEST_F(FaultyFsTest, FailsAfterTheEffect) {
  plan_.Add({.matches = OfKind("write"), .effect = Effect::kFull});
  EXPECT_THAT(WriteText(*file_, "ab", "cd"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(Text(), "abcd");
}

TEST_F(FaultyFsTest, TearsAWriteInItsMiddle) {
  plan_.Add({.matches = OfKind("write"), .effect = Effect::kPartial});
  EXPECT_THAT(WriteText(*file_, "abc", "def12345"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(Text(), "abcde");
}

TEST_F(FaultyFsTest, FailsTheNthAndGoesOnFailingForGood) {
  const Status full = Error(ErrorCode::kBackpressure, "disk full");
  plan_.Add({.matches = OfKind("sync"), .nth = 2, .times = kForGood, .error = full});
  EXPECT_THAT(file_->Sync(), IsOk());
  EXPECT_THAT(file_->Sync(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_THAT(file_->Sync(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_THAT(WriteText(*file_, "a", "b"), IsOk());
  plan_.Clear();
  EXPECT_THAT(file_->Sync(), IsOk());
}

TEST_F(FaultyFsTest, PicksOperationsByTarget) {
  plan_.Add({.matches = Both(OfKind("open"), OnTarget("secret")), .times = kForGood});
  EXPECT_THAT(fs_.Open("a-secret", OpenMode::kCreateNew), FailsWith(ErrorCode::kIoFailed));
  EXPECT_THAT(fs_.Open("public", OpenMode::kCreateNew), IsOk());
}

TEST_F(FaultyFsTest, FailsTheSameOperationsForTheSameSeed) {
  const auto run = [](uint64_t seed) {
    MemoryFs memory;
    FaultPlan plan;
    plan.Add({.matches = AtRandom(seed, 3), .times = kForGood});
    FaultyFs fs(memory, plan);
    std::string outcomes;
    for (int i = 0; i < 60; ++i) outcomes.push_back(fs.Exists("f").ok() ? '.' : 'x');
    return outcomes;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
  EXPECT_THAT(run(1), testing::HasSubstr("x"));
  EXPECT_THAT(run(1), testing::HasSubstr("."));
}

TEST_F(FaultyFsTest, LogsWhatWasAskedAndAnswered) {
  plan_.Add({.matches = OfKind("sync")});
  ASSERT_THAT(WriteText(*file_, "ab", "cd"), IsOk());
  ASSERT_FALSE(file_->Sync().ok());
  const auto log = plan_.Log();
  ASSERT_EQ(log.size(), 3u);
  EXPECT_EQ(log[0].operation.kind, "open");
  EXPECT_EQ(log[1].operation.kind, "write");
  EXPECT_EQ(log[1].operation.size_bytes, 4);
  EXPECT_EQ(log[1].operation.number, 2);
  EXPECT_THAT(log[1].status, IsOk());
  EXPECT_EQ(log[2].operation.target, "f");
  EXPECT_THAT(log[2].status, FailsWith(ErrorCode::kIoFailed));
}

TEST_F(FaultyFsTest, AnObserverSeesTheStateBeforeAndAfterAnOperation) {
  std::vector<std::string> seen;
  plan_.Observe([&](FaultPlan::Moment, const Operation&) { seen.push_back(Text()); });
  ASSERT_THAT(WriteText(*file_, "ab", "cd"), IsOk());
  EXPECT_THAT(seen, testing::ElementsAre("", "abcd"));
}

TEST_F(FaultyFsTest, ASweepEndsWhenTheRunIsShorterThanTheFault) {
  int64_t failures = 0;
  for (int64_t nth = 1;; ++nth) {
    MemoryFs memory;
    FaultPlan plan;
    plan.Add({.nth = nth});
    FaultyFs fs(memory, plan);
    const Status outcome = [&]() -> Status {
      ARROW_ASSIGN_OR_RAISE(const auto file, fs.Open("f", OpenMode::kCreateNew));
      ARROW_RETURN_NOT_OK(file->Sync());
      return fs.SyncDir(".");
    }();
    if (!plan.fired()) {
      EXPECT_THAT(outcome, IsOk());
      break;
    }
    EXPECT_FALSE(outcome.ok());
    ++failures;
  }
  EXPECT_EQ(failures, 3);
}

}  // namespace
}  // namespace arka
