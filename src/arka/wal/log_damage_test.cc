// Every byte of a small log cut, flipped and overwritten: the start finds what must be there, or
// refuses and leaves everything as it was.
#include <map>

#include "arka/wal/log_harness_test.h"
#include "arka/wal/record.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {
namespace {

using Bytes = std::vector<std::byte>;

std::map<std::string, Bytes> Everything(const MemoryFs& fs) {
  std::map<std::string, Bytes> contents;
  for (const std::string& path : fs.Paths()) contents[path] = *fs.Contents(path);
  return contents;
}

class LogDamageTest : public ::testing::Test, protected LogHarness {
 protected:
  // Two segments of several groups each; as a crash leaves them.
  void SetUp() override {
    options.segment_bytes = 2048;
    Open();
    AppendSynced({"a"});
    Append("b");
    Append("c");
    Sync();
    AppendSynced({"d", "e"});
    Append("f");
    Append("g");
    Sync();
    Crash();
    ASSERT_EQ(Segments().size(), 2u);
    Open();
    expected_ = found.bodies();
    ASSERT_EQ(Found(), "1000:a 1001:b 1002:c 1003:d 1004:e 1005:f 1006:g");
    Crash();
    pristine_ = fs->Clone();
  }

  struct Outcome {
    Status status;
    std::vector<std::string> bodies;
  };

  // Opens a copy of the log with `bytes` in the place of the file at `path`.
  Outcome OpenWith(const std::string& path, Bytes bytes) {
    const std::unique_ptr<MemoryFs> image = pristine_->Clone();
    image->SetContents(path, std::move(bytes));
    const std::map<std::string, Bytes> before = Everything(*image);
    FoundRecords records;
    const Status status = Log::Open(*image, clock, options, records).status();
    if (!status.ok()) {
      EXPECT_THAT(status, FailsWith(ErrorCode::kCorruption));
      EXPECT_EQ(before, Everything(*image)) << "a start that refuses must change nothing";
    }
    return {status, records.bodies()};
  }

  void ExpectPrefix(const Outcome& outcome) {
    ASSERT_LE(outcome.bodies.size(), expected_.size());
    EXPECT_TRUE(std::equal(outcome.bodies.begin(), outcome.bodies.end(), expected_.begin()));
  }

  // Offsets just past each write frame of the segment at `path`.
  std::vector<int64_t> EndsOfWrites(const std::string& path) {
    const Bytes bytes = *fs->Contents(path);
    std::vector<int64_t> ends;
    int64_t at = kSegmentHeaderBytes;
    uint32_t crc = DecodeSegmentHeader(bytes)->crc;
    while (const std::optional<Frame> frame = *ParseFrame(bytes, at, crc)) {
      if (frame->type == FrameType::kGroup && frame->group.writes == 0) break;
      at += frame->length;
      crc = frame->crc;
      if (frame->type == FrameType::kWrite) ends.push_back(at);
    }
    return ends;
  }

  // What a tear of the last segment at `offset` must leave.
  size_t WholeBefore(int64_t offset) {
    const std::vector<int64_t> ends = EndsOfWrites(Segments()[1]);
    const auto kept =
        std::count_if(ends.begin(), ends.end(), [&](int64_t end) { return end <= offset; });
    return expected_.size() - ends.size() + static_cast<size_t>(kept);
  }

  std::vector<std::string> expected_;
  std::unique_ptr<MemoryFs> pristine_;
};

TEST_F(LogDamageTest, CutsATailTornAtAnyByteOfTheLastSegment) {
  const std::string path = Segments()[1];
  const Bytes whole = *fs->Contents(path);
  for (size_t size = kSegmentHeaderBytes; size <= whole.size(); ++size) {
    const Outcome outcome = OpenWith(path, Bytes(whole.begin(), whole.begin() + size));
    // The control file knows where the last start found the end: less than that is a loss.
    const size_t kept = WholeBefore(static_cast<int64_t>(size));
    if (kept < expected_.size()) {
      EXPECT_THAT(outcome.status, FailsWith(ErrorCode::kCorruption)) << size;
    } else {
      EXPECT_THAT(outcome.status, IsOk()) << size;
    }
    EXPECT_EQ(outcome.bodies.size(), kept) << size;
    ExpectPrefix(outcome);
  }
}

TEST_F(LogDamageTest, RefusesAnEarlierSegmentThatIsCutAnywhereBeforeItsEnd) {
  const std::string path = Segments()[0];
  const Bytes whole = *fs->Contents(path);
  const auto end = static_cast<size_t>(EndsOfWrites(path).back());
  for (size_t size = 0; size <= whole.size(); ++size) {
    const Outcome outcome = OpenWith(path, Bytes(whole.begin(), whole.begin() + size));
    ExpectPrefix(outcome);
    EXPECT_EQ(outcome.status.ok(), size >= end) << size << ": " << outcome.status.ToString();
    if (size < end) {
      EXPECT_THAT(outcome.status.message(),
                  ::testing::HasSubstr("segment 00000000000000000001.log"));
      EXPECT_THAT(outcome.status.message(), ::testing::HasSubstr("offset"));
    }
  }
}

TEST_F(LogDamageTest, NeverLosesARecordToAFlippedBitSilently) {
  for (const std::string& path : fs->Paths()) {
    const Bytes whole = *fs->Contents(path);
    // Of the control file one bit a byte; control_file_test has the rest.
    const int step = path.ends_with(".log") ? 1 : 8;
    for (size_t offset = 0; offset < whole.size(); ++offset) {
      for (int bit = 0; bit < 8; bit += step) {
        Bytes flipped = whole;
        flipped[offset] ^= std::byte{1} << bit;
        const Outcome outcome = OpenWith(path, std::move(flipped));
        ExpectPrefix(outcome);
        if (outcome.status.ok()) {
          ASSERT_EQ(outcome.bodies.size(), expected_.size()) << path << " " << offset;
        }
      }
    }
  }
}

TEST_F(LogDamageTest, RefusesEveryMissingSegment) {
  for (const std::string& path : Segments()) {
    const std::unique_ptr<MemoryFs> image = pristine_->Clone();
    ASSERT_THAT(image->Remove(path), IsOk());
    FoundRecords records;
    const Status status = Log::Open(*image, clock, options, records).status();
    EXPECT_THAT(status, FailsWith(ErrorCode::kCorruption));
    EXPECT_THAT(status.message(), ::testing::HasSubstr(path.substr(path.rfind('/') + 1)));
  }
}

TEST_F(LogDamageTest, RefusesSegmentsWithoutTheControlFile) {
  ASSERT_THAT(fs->Remove("/log/control"), IsOk());
  EXPECT_THAT(TryOpen(), FailsWith(ErrorCode::kCorruption));
}

// As above, but before any second start: only the log itself tells a torn tail from rot.
class LogTailTest : public LogDamageTest {
 protected:
  void SetUp() override {
    options.segment_bytes = 8192;
    Open();
    AppendSynced({"a", "b"});
    Append("c");
    Append("d");
    Sync();
    Crash();
    path_ = Segments()[0];
    expected_ = {"a", "b", "c", "d"};
    pristine_ = fs->Clone();
    whole_ = *fs->Contents(path_);
    const std::vector<int64_t> ends = EndsOfWrites(path_);
    ASSERT_EQ(ends.size(), 4u);
    last_group_ = static_cast<size_t>(ends[1]);
    end_ = static_cast<size_t>(ends[3]);
  }

  size_t WholeBefore(size_t offset) {
    const std::vector<int64_t> ends = EndsOfWrites(path_);
    return static_cast<size_t>(std::count_if(ends.begin(), ends.end(), [&](int64_t end) {
      return end <= static_cast<int64_t>(offset);
    }));
  }

  // Without the mark that followed the last sync: as after a power loss.
  Bytes Unmarked() {
    Bytes bytes = whole_;
    std::fill(bytes.begin() + static_cast<int64_t>(end_), bytes.end(), std::byte{0});
    return bytes;
  }

  std::string path_;
  Bytes whole_;
  size_t last_group_ = 0;
  size_t end_ = 0;
};

TEST_F(LogTailTest, KeepsEveryWholeRecordBeforeATear) {
  for (size_t size = kSegmentHeaderBytes; size <= end_; ++size) {
    const Outcome outcome = OpenWith(path_, Bytes(whole_.begin(), whole_.begin() + size));
    ASSERT_THAT(outcome.status, IsOk()) << size;
    ExpectPrefix(outcome);
    EXPECT_EQ(outcome.bodies.size(), WholeBefore(size)) << size;
  }
}

TEST_F(LogTailTest, TakesZerosAndOnesBehindATearForWhatTheyAre) {
  for (const std::byte fill : {std::byte{0}, std::byte{0xFF}}) {
    for (size_t offset = kSegmentHeaderBytes; offset <= end_; ++offset) {
      Bytes bytes = whole_;
      std::fill(bytes.begin() + static_cast<int64_t>(offset), bytes.end(), fill);
      const Outcome outcome = OpenWith(path_, std::move(bytes));
      ASSERT_THAT(outcome.status, IsOk()) << offset;
      ExpectPrefix(outcome);
      EXPECT_GE(outcome.bodies.size(), WholeBefore(offset)) << offset;
    }
  }
}

TEST_F(LogTailTest, ForgivesDamageOnlyInTheLastGroup) {
  const Bytes unmarked = Unmarked();
  for (size_t offset = kSegmentHeaderBytes; offset < end_; ++offset) {
    Bytes flipped = unmarked;
    flipped[offset] ^= std::byte{1};
    const Outcome outcome = OpenWith(path_, std::move(flipped));
    ExpectPrefix(outcome);
    // Before the last group the damage is rot, for that group was written after a sync.
    EXPECT_EQ(outcome.status.ok(), offset >= last_group_) << offset;
    if (outcome.status.ok()) {
      EXPECT_GE(outcome.bodies.size(), 2u);
    }
  }
}

TEST_F(LogTailTest, RefusesDamageInTheLastGroupOnceAMarkFollowsIt) {
  for (size_t offset = kSegmentHeaderBytes; offset < end_; ++offset) {
    Bytes flipped = whole_;
    flipped[offset] ^= std::byte{1};
    EXPECT_FALSE(OpenWith(path_, std::move(flipped)).status.ok()) << offset;
  }
}

TEST_F(LogTailTest, GoesOnBehindACutAsIfTheTearHadNeverBeen) {
  Bytes torn = whole_;
  std::fill(torn.begin() + static_cast<int64_t>(end_ - 64), torn.end(), std::byte{0xEE});
  fs->SetContents(path_, torn);
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:b 1002:c");
  const Lsn next = Append("e");
  Sync();
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:b 1002:c " + std::to_string(next.value) + ":e");
}

TEST_F(LogTailTest, RefusesALogShorterThanItsCleanCloseSays) {
  Open();
  Close();
  log.reset();
  fs->SetContents(path_, Bytes(whole_.begin(), whole_.begin() + static_cast<int64_t>(last_group_)));
  EXPECT_THAT(TryOpen(), FailsWith(ErrorCode::kCorruption));
}

TEST_F(LogTailTest, RefusesASealedSegmentWithoutItsSuccessor) {
  fs = std::make_unique<MemoryFs>();
  faulty = std::make_unique<FaultyFs>(*fs, *plan);
  options.segment_bytes = 2048;
  Open();
  while (Segments().size() < 2) AppendSynced({"x"});
  Crash();
  ASSERT_THAT(fs->Remove(Segments()[1]), IsOk());
  const Status status = TryOpen();
  EXPECT_THAT(status, FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(status.message(), ::testing::HasSubstr("missing"));
}

TEST_F(LogTailTest, TakesAReadErrorForAnErrorNotForTheEnd) {
  for (int64_t nth = 1; nth < 10; ++nth) {
    FaultPlan failing;
    FaultyFs faulty_image(*fs, failing);
    failing.Add({.matches = OfKind("read"), .nth = nth});
    FoundRecords records;
    const Status status = Log::Open(faulty_image, clock, options, records).status();
    EXPECT_EQ(status.ok(), !failing.fired());
    if (!failing.fired()) return;
    EXPECT_THAT(status, FailsWith(ErrorCode::kIoFailed));
  }
  FAIL() << "no read was the last";
}

// The first group of a recycled file, torn by a power loss: behind the tear lies the file's earlier
// life, whose frames stood at the same offsets.
TEST_F(LogDamageTest, CutsATearInTheFirstGroupOfARecycledSegmentAtAnyByte) {
  options.segment_bytes = 2048;
  options.recycled_segments = 4;
  Open();
  while (Segments().size() < 3) AppendSynced({"of an earlier life"});
  const std::vector<std::byte> stale = *fs->Contents(Segments()[0]);
  ASSERT_THAT(log->Release(log->disk_lsn()), IsOk());
  while (Segments().size() < 2) AppendSynced({"filler"});
  const std::string path = Segments().back();  // the filler that did not fit began it
  const std::vector<std::byte> now = *fs->Contents(path);
  Crash();
  const std::unique_ptr<MemoryFs> image = fs->Clone();
  Open();
  const std::string whole = Found();
  log.reset();
  for (size_t torn_at = kSegmentHeaderBytes; torn_at < 1536; ++torn_at) {
    SCOPED_TRACE(torn_at);
    fs = image->Clone();
    faulty = std::make_unique<FaultyFs>(*fs, *plan);
    std::vector<std::byte> torn = stale;
    std::copy_n(now.begin(), torn_at, torn.begin());
    fs->SetContents(path, torn);
    ASSERT_THAT(TryOpen(), IsOk());
    EXPECT_EQ(whole.find(Found()), 0u) << Found();
    ASSERT_THAT(log->Append(RecordNamed("next")), IsOk());
    Sync();
    log.reset();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace arka::wal
