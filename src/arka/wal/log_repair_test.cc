// Every byte of a small log damaged: the verifier judges as a start does, and a repair keeps every
// record outside the damaged place and never gives an LSN again.
#include "arka/wal/log_repair.h"

#include <functional>
#include <map>

#include "arka/wal/log_harness_test.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {
namespace {

using Bytes = std::vector<std::byte>;

constexpr const char* kDirectory = "/data/log";
constexpr const char* kAside = "/data/damaged-1";

std::map<std::string, Bytes> Everything(const MemoryFs& fs) {
  std::map<std::string, Bytes> contents;
  for (const std::string& path : fs.Paths()) contents[path] = *fs.Contents(path);
  return contents;
}

class LogRepairTest : public ::testing::Test, protected LogHarness {
 protected:
  // Three segments of several groups each, two epochs, a released one before them, a second table.
  void SetUp() override {
    options.directory = kDirectory;
    options.segment_bytes = 2048;
    Open();
    AppendSynced({"0", "0", "0", "0", "0", "0"});
    ASSERT_THAT(log->Release(log->last_lsn()), IsOk());
    Crash();
    Open();
    ASSERT_THAT(log->Define(DefinitionNamed(2)), IsOk());
    AppendSynced({"a"});
    Append("b", 2);
    Append("c");
    Sync();
    AppendSynced({"d", "e"});
    Append("f", 2);
    Append("g");
    Sync();
    AppendSynced({"h"});
    last_given_ = log->last_lsn();
    Crash();
    pristine_ = fs->Clone();
    Open();
    expected_ = found.text();
    writes_ = static_cast<int64_t>(found.lsns().size());
    Crash();
    fs = pristine_->Clone();
    faulty = std::make_unique<FaultyFs>(*fs, *plan);
    ASSERT_GE(Segments().size(), 3u);
  }

  LogReport Verify(Fs& image) {
    Result<LogReport> report = VerifyLog(image, kDirectory);
    EXPECT_THAT(report, IsOk());
    return report.ok() ? *report : LogReport{};
  }

  struct Opened {
    Status status;
    std::string text;
    Lsn next;
  };
  Opened OpenOn(Fs& image) {
    FoundRecords records;
    auto opened = Log::Open(image, clock, options, records);
    if (!opened.ok()) return {opened.status(), records.text(), {}};
    EXPECT_THAT((*opened)->Define(DefinitionNamed(1)), IsOk());
    const Lsn next = (*opened)->Append(RecordNamed("next")).ValueOrDie();
    EXPECT_THAT((*opened)->Flush(), IsOk());
    EXPECT_THAT((*opened)->Close(), IsOk());
    return {Status::OK(), records.text(), next};
  }

  // Repairs `image` and opens it; answers what was found.
  std::string Repaired(MemoryFs& image, const LogReport& before) {
    EXPECT_THAT(RepairLog(image, clock, kDirectory, kAside), IsOk());
    EXPECT_FALSE(Verify(image).damaged());
    const Opened opened = OpenOn(image);
    EXPECT_THAT(opened.status, IsOk());
    EXPECT_GT(opened.next, last_given_) << "an LSN was given again";
    EXPECT_EQ(std::count(opened.text.begin(), opened.text.end(), ':'), before.writes());
    const Opened again = OpenOn(image);
    EXPECT_THAT(again.status, IsOk());
    EXPECT_GT(again.next, opened.next);
    return opened.text;
  }

  std::string expected_;
  int64_t writes_ = 0;
  Lsn last_given_;
  std::unique_ptr<MemoryFs> pristine_;
};

TEST_F(LogRepairTest, FindsNothingInAWholeLogAndChangesNothing) {
  const auto before = Everything(*fs);
  const LogReport report = Verify(*fs);
  EXPECT_FALSE(report.damaged());
  EXPECT_EQ(report.writes(), writes_);
  EXPECT_EQ(report.segments.front().header->epoch, 1);
  EXPECT_EQ(report.segments.back().header->epoch, 2);
  EXPECT_EQ(report.segments.back().last_lsn(), last_given_);
  EXPECT_FALSE(PlanRepair(*fs, kDirectory)->needed);
  ASSERT_THAT(RepairLog(*fs, clock, kDirectory, kAside), IsOk());
  EXPECT_EQ(before, Everything(*fs));
}

TEST_F(LogRepairTest, JudgesEveryFlippedByteAsAStartDoesAndKeepsEveryOtherRecord) {
  for (const std::string& path : pristine_->Paths()) {
    const Bytes whole = *pristine_->Contents(path);
    for (size_t offset = 0; offset < whole.size(); ++offset) {
      const auto image = pristine_->Clone();
      Bytes flipped = whole;
      flipped[offset] ^= std::byte{0x10};
      image->SetContents(path, std::move(flipped));
      const auto before = Everything(*image);
      const LogReport report = Verify(*image);
      const RepairPlan repair = *PlanRepair(*image, kDirectory);
      ASSERT_EQ(before, Everything(*image)) << "verifying changed something";
      const auto copy = image->Clone();
      const Opened opened = OpenOn(*copy);
      ASSERT_EQ(report.damaged(), !opened.status.ok())
          << path << " " << offset << " " << opened.status.ToString();
      if (!report.damaged()) {
        ASSERT_EQ(opened.text, expected_) << path << " " << offset;
        continue;
      }
      EXPECT_THAT(opened.status.message(),
                  ::testing::HasSubstr("arka wal verify --data-dir /data"));
      ASSERT_EQ(repair.kept_writes, report.writes());
      // A bit of a segment's header costs the segment, and what was lost may be told too high then;
      // any other costs a record or, in a group's header, the group.
      const bool in_header = offset < kSegmentHeaderBytes;
      ASSERT_GE(repair.kept_writes, writes_ - (in_header ? 5 : 2)) << path << " " << offset;
      const bool told = std::all_of(repair.holes.begin(), repair.holes.end(), [](const Hole& hole) {
        return hole.last_lost >= hole.first_lost;
      });
      ASSERT_TRUE(told || (in_header && path == Segments().back())) << path << " " << offset;
      if (told && !repair.holes.empty()) {
        ASSERT_GE(repair.kept_writes + repair.lost_writes, writes_) << path << " " << offset;
      }
      if (!in_header) {
        ASSERT_EQ(repair.kept_writes + repair.lost_writes, writes_) << path << " " << offset;
      }
      const std::string kept = Repaired(*image, report);
      size_t from = 0;  // in order, and nothing that was not there
      for (size_t at = 0; at < kept.size(); at = kept.find(' ', at) + 1) {
        const std::string one = kept.substr(at, kept.find(' ', at) - at);
        from = expected_.find(one, from);
        ASSERT_NE(from, std::string::npos) << kept;
        if (kept.find(' ', at) == std::string::npos) break;
      }
      for (const auto& [name, bytes] : before) {  // the originals are kept
        if (name.ends_with(".log") || name.ends_with("control")) {
          ASSERT_EQ(*image->Contents(std::string(kAside) + name.substr(name.rfind('/'))), bytes);
        }
      }
      if (HasFailure()) FAIL() << path << " " << offset;
    }
  }
}

TEST_F(LogRepairTest, SaysWhatStoodInASegmentThatIsMissing) {
  for (const std::string& path : Segments()) {
    const auto image = pristine_->Clone();
    const LogReport whole = Verify(*image);
    ASSERT_THAT(image->Remove(path), IsOk());
    const LogReport report = Verify(*image);
    ASSERT_TRUE(report.damaged()) << path;
    const std::vector<Hole> holes = report.holes();
    ASSERT_EQ(holes.size(), 1u);
    for (const SegmentReport& segment : whole.segments) {
      if (!path.ends_with(SegmentFileName(segment.number))) continue;
      EXPECT_LT(report.writes(), writes_);
      if (&segment == &whole.segments.back()) continue;  // nothing behind it tells
      EXPECT_LE(holes[0].first_lost, segment.first_lsn());
      EXPECT_EQ(holes[0].last_lost, segment.last_lsn());
    }
    Repaired(*image, report);
  }
}

TEST_F(LogRepairTest, DoesWithoutTheControlFileAndSkipsTheLsnsThatItMayHaveReserved) {
  ASSERT_THAT(fs->Remove(std::string(kDirectory) + "/control"), IsOk());
  const LogReport report = Verify(*fs);
  EXPECT_TRUE(report.damaged());
  EXPECT_EQ(report.writes(), writes_);
  EXPECT_GT(PlanRepair(*fs, kDirectory)->reserved_through.value, int64_t{1} << 32);
  EXPECT_EQ(Repaired(*fs, report), expected_);
}

TEST_F(LogRepairTest, LeavesAnEmptyLogThatGivesNoLsnAgainWhereNothingIsWhole) {
  for (const std::string& path : Segments()) fs->SetContents(path, Bytes(2048));
  const LogReport report = Verify(*fs);
  EXPECT_EQ(report.writes(), 0);
  EXPECT_EQ(Repaired(*fs, report), "");
}

TEST_F(LogRepairTest, IsFinishedByTheNextOneWhereverItEnds) {
  const std::string path = Segments()[0];
  Bytes bytes = *fs->Contents(path);
  bytes[kSegmentHeaderBytes + 200] ^= std::byte{1};
  fs->SetContents(path, bytes);
  const LogReport damaged = Verify(*fs);
  const auto whole_repair = fs->Clone();
  const std::string kept = Repaired(*whole_repair, damaged);
  for (int64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 1000);
    for (const Effect effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
      const auto image = fs->Clone();
      FaultPlan failing;
      FaultyFs faulty_image(*image, failing);
      failing.Add({.nth = nth, .times = kForGood, .effect = effect});
      const Status status = RepairLog(faulty_image, clock, kDirectory, kAside);
      if (!failing.fired()) {
        EXPECT_THAT(status, IsOk());
        return;
      }
      image->Crash();
      const Opened between = OpenOn(*image->Clone());
      if (between.status.ok()) {
        EXPECT_EQ(between.text, kept) << "a start in between takes all or nothing";
      }
      ASSERT_THAT(RepairLog(*image, clock, kDirectory, "/data/damaged-2"), IsOk()) << nth;
      const Opened opened = OpenOn(*image);
      ASSERT_THAT(opened.status, IsOk()) << nth;
      EXPECT_EQ(opened.text, kept) << nth;
      EXPECT_GT(opened.next, last_given_);
    }
  }
}

}  // namespace
}  // namespace arka::wal
