#include "arka/testing/memory_fs.h"

#include <set>

#include <gmock/gmock.h>

#include "arka/testing/matchers.h"

namespace arka {
namespace {

using testing::ElementsAre;

constexpr PowerLoss kAllModes[] = {PowerLoss::kDropUnsynced, PowerLoss::kKeepPrefix,
                                   PowerLoss::kTearSectors, PowerLoss::kTearPages};

Status WriteText(File& file, int64_t offset, std::string_view text) {
  const ByteSpan part = BytesOf(text);
  return file.Write(offset, {&part, 1});
}

std::string TextAt(const MemoryFs& fs, const std::string& path) {
  return TextOf(fs.Contents(path).ValueOrDie());
}

/// A file "f" of two sectors of 'a', all of it durable.
std::unique_ptr<File> MakeDurableFile(MemoryFs& fs, const std::string& text) {
  auto file = fs.Open("f", OpenMode::kCreateNew).ValueOrDie();
  EXPECT_THAT(WriteText(*file, 0, text), IsOk());
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_THAT(fs.SyncDir("."), IsOk());
  return file;
}

TEST(MemoryFs, KeepsWhatWasSyncedThroughAPowerLossOfAnyKind) {
  for (const PowerLoss mode : kAllModes) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      MemoryFs fs;
      MakeDurableFile(fs, "safe");
      fs.LosePower(seed, mode);
      EXPECT_EQ(TextAt(fs, "f"), "safe");
    }
  }
}

TEST(MemoryFs, DropsUnsyncedBytes) {
  MemoryFs fs;
  const auto file = MakeDurableFile(fs, "safe");
  ASSERT_THAT(WriteText(*file, 0, "lost and gone"), IsOk());
  ASSERT_THAT(file->Truncate(2), IsOk());
  fs.LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_EQ(TextAt(fs, "f"), "safe");
}

TEST(MemoryFs, DropsAFileWhoseDirectoryWasNotSynced) {
  MemoryFs fs;
  const auto file = fs.Open("f", OpenMode::kCreateNew).ValueOrDie();
  ASSERT_THAT(file->Sync(), IsOk());
  fs.LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_THAT(fs.Paths(), ElementsAre());
}

TEST(MemoryFs, UndoesAnUnsyncedRenameWholeOrNotAtAll) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    MemoryFs fs;
    fs.SetContents("old", {});
    ASSERT_THAT(fs.Rename("old", "new"), IsOk());
    fs.LosePower(seed, PowerLoss::kTearSectors);
    ASSERT_EQ(fs.Paths().size(), 1u);
    outcomes.insert(fs.Paths().front());
  }
  EXPECT_THAT(outcomes, ElementsAre("new", "old"));
}

TEST(MemoryFs, BringsBackARemovedFileWhoseDirectoryWasNotSynced) {
  MemoryFs fs;
  MakeDurableFile(fs, "safe");
  ASSERT_THAT(fs.Remove("f"), IsOk());
  fs.LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_EQ(TextAt(fs, "f"), "safe");
}

TEST(MemoryFs, TearsSectorsInEveryCombination) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    MemoryFs fs;
    const auto file = MakeDurableFile(fs, std::string(1024, 'a'));
    ASSERT_THAT(WriteText(*file, 0, std::string(1024, 'b')), IsOk());
    fs.LosePower(seed, PowerLoss::kTearSectors);
    const std::string text = TextAt(fs, "f");
    EXPECT_EQ(text.substr(0, 512), std::string(512, text[0]));
    EXPECT_EQ(text.substr(512), std::string(512, text[512]));
    outcomes.insert({text[0], text[512]});
  }
  EXPECT_THAT(outcomes, ElementsAre("aa", "ab", "ba", "bb"));
}

TEST(MemoryFs, KeepsAPrefixOfTheWritesInOrder) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    MemoryFs fs;
    const auto file = MakeDurableFile(fs, std::string(2048, 'a'));
    ASSERT_THAT(WriteText(*file, 0, std::string(1024, 'b')), IsOk());
    ASSERT_THAT(WriteText(*file, 1024, std::string(1024, 'c')), IsOk());
    fs.LosePower(seed, PowerLoss::kKeepPrefix);
    const std::string text = TextAt(fs, "f");
    outcomes.insert({text[0], text[512], text[1024], text[1536]});
  }
  EXPECT_THAT(outcomes, ElementsAre("aaaa", "baaa", "bbaa", "bbca", "bbcc"));
}

TEST(MemoryFs, LosesTheSameBytesForTheSameSeed) {
  const auto run = [](uint64_t seed) {
    MemoryFs fs;
    const auto file = MakeDurableFile(fs, "");
    EXPECT_THAT(WriteText(*file, 0, std::string(64 * 512, 'x')), IsOk());
    fs.LosePower(seed, PowerLoss::kTearSectors);
    return TextAt(fs, "f");
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(MemoryFs, ACrashKeepsEverythingWrittenAndClosesFilesAndLocks) {
  MemoryFs fs;
  const auto file = fs.Open("f", OpenMode::kCreateNew).ValueOrDie();
  const auto lock = fs.Lock("lock").ValueOrDie();
  ASSERT_THAT(WriteText(*file, 0, "kept"), IsOk());
  fs.Crash();
  EXPECT_EQ(TextAt(fs, "f"), "kept");
  EXPECT_THAT(WriteText(*file, 0, "late"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_THAT(fs.Lock("lock"), IsOk());
  fs.LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_THAT(fs.Paths(), ElementsAre());
}

TEST(MemoryFs, ACloneIsIndependentAndRemembersWhatIsUnsynced) {
  MemoryFs fs;
  const auto file = MakeDurableFile(fs, "safe");
  ASSERT_THAT(WriteText(*file, 0, "new!"), IsOk());
  const auto image = fs.Clone();
  ASSERT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(TextAt(*image, "f"), "new!");
  image->LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_EQ(TextAt(*image, "f"), "safe");
  EXPECT_EQ(TextAt(fs, "f"), "new!");
}

TEST(MemoryFs, AFullDiskTakesWhatFitsAndGoesOnWhenThereIsRoom) {
  MemoryFs fs;
  fs.SetCapacity(3 * 4096);
  const auto file = MakeDurableFile(fs, std::string(4096, 'a'));
  EXPECT_EQ(fs.FreeBytes(".").ValueOrDie(), 2 * 4096);
  EXPECT_THAT(WriteText(*file, 4000, std::string(20'000, 'b')),
              FailsWith(ErrorCode::kBackpressure));
  EXPECT_EQ(file->Size().ValueOrDie(), 3 * 4096);
  EXPECT_THAT(WriteText(*file, 0, std::string(3 * 4096, 'c')), IsOk());
  EXPECT_THAT(file->Allocate(4 * 4096), FailsWith(ErrorCode::kBackpressure));
  fs.SetCapacity(5 * 4096);
  EXPECT_THAT(WriteText(*file, 4 * 4096, "d"), IsOk());
  ASSERT_THAT(file->Truncate(0), IsOk());
  EXPECT_EQ(fs.FreeBytes(".").ValueOrDie(), 5 * 4096);
}

TEST(MemoryFs, SpaceThatWasAllocatedCanBeWrittenOnAFullDisk) {
  MemoryFs fs;
  fs.SetCapacity(8 * 4096);
  const auto file = MakeDurableFile(fs, "");
  ASSERT_THAT(file->Allocate(8 * 4096), IsOk());
  EXPECT_EQ(fs.FreeBytes(".").ValueOrDie(), 0);
  EXPECT_THAT(WriteText(*file, 0, std::string(8 * 4096, 'x')), IsOk());
}

TEST(MemoryFs, ForgottenBytesAreReadableYetNoSyncSavesThem) {
  MemoryFs fs;
  const auto file = MakeDurableFile(fs, "safe");
  ASSERT_THAT(WriteText(*file, 0, "gone"), IsOk());
  ASSERT_THAT(fs.ForgetUnsynced("f"), IsOk());
  EXPECT_EQ(TextAt(fs, "f"), "gone");
  ASSERT_THAT(file->Sync(), IsOk());
  fs.LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_EQ(TextAt(fs, "f"), "safe");
}

TEST(MemoryFs, CorruptFlipsBitsOnTheDevice) {
  MemoryFs fs;
  MakeDurableFile(fs, "safe");
  ASSERT_THAT(fs.Corrupt("f", 1, std::byte{0x01}), IsOk());
  fs.LosePower(1, PowerLoss::kDropUnsynced);
  EXPECT_EQ(TextAt(fs, "f"), "s`fe");
  EXPECT_THAT(fs.Corrupt("f", 4, std::byte{1}), FailsWith(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace arka
