// What every Fs does. Instantiate it with factories, in one file of a test program:
//
//   INSTANTIATE_TEST_SUITE_P(PosixFs, FsConformance, testing::Values(MakePosixFsUnderTest));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "arka/io/fs.h"
#include "arka/testing/matchers.h"

namespace arka {

/// An Fs, and an empty directory of its own in it.
class FsUnderTest {
 public:
  virtual ~FsUnderTest() = default;
  virtual Fs& fs() = 0;
  virtual std::string directory() const = 0;
};

using FsFactory = std::function<std::unique_ptr<FsUnderTest>()>;

class FsConformance : public testing::TestWithParam<FsFactory> {
 protected:
  Fs& fs() { return subject_->fs(); }
  std::string Path(const std::string& name) const { return subject_->directory() + "/" + name; }
  std::string directory() const { return subject_->directory(); }

  std::unique_ptr<File> Create(const std::string& name) {
    return fs().Open(Path(name), OpenMode::kCreateNew).ValueOrDie();
  }
  static Status Write(File& file, int64_t offset, std::string_view text) {
    const ByteSpan part = BytesOf(text);
    return file.Write(offset, {&part, 1});
  }
  static std::string ReadAll(File& file) {
    std::vector<std::byte> bytes(static_cast<size_t>(file.Size().ValueOrDie()));
    EXPECT_EQ(file.Read(0, bytes).ValueOrDie(), bytes.size());
    return TextOf(bytes);
  }
  std::string ReadPath(const std::string& name) {
    return ReadAll(*fs().Open(Path(name), OpenMode::kRead).ValueOrDie());
  }

 private:
  std::unique_ptr<FsUnderTest> subject_ = GetParam()();
};

TEST_P(FsConformance, ReadsBackWhatWasWritten) {
  const auto file = Create("a");
  ASSERT_THAT(Write(*file, 0, "hello world"), IsOk());
  ASSERT_THAT(Write(*file, 6, "there"), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(ReadPath("a"), "hello there");
}

TEST_P(FsConformance, WritesManyPartsInOrderWithEmptyOnesAmongThem) {
  const auto file = Create("a");
  std::string expected;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) texts.push_back(i % 7 == 0 ? "" : std::to_string(i) + ",");
  std::vector<ByteSpan> parts;
  for (const std::string& text : texts) {
    parts.push_back(BytesOf(text));
    expected += text;
  }
  ASSERT_THAT(file->Write(0, parts), IsOk());
  EXPECT_EQ(ReadAll(*file), expected);
}

TEST_P(FsConformance, WritingUncachedIsWriting) {
  std::string text(3'000'007, ' ');  // several buffers, whole blocks and a tail
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + (i / 5 + i) % 23);
  const std::vector<ByteSpan> parts = {BytesOf(text).first(1), BytesOf(text).subspan(1, 1 << 20),
                                       ByteSpan(), BytesOf(text).subspan(1 + (1 << 20))};
  for (const int64_t offset : {0, 4096, 8191}) {
    const auto file = Create("at " + std::to_string(offset));
    const std::string before(10'000, '-');
    ASSERT_THAT(Write(*file, 0, before), IsOk());
    ASSERT_THAT(file->WriteUncached(offset, parts), IsOk());
    ASSERT_THAT(Write(*file, offset + 5, "later"), IsOk());
    ASSERT_THAT(file->Sync(), IsOk());
    std::string expected = before.substr(0, offset) + text;
    expected.replace(offset + 5, 5, "later");
    EXPECT_TRUE(ReadAll(*file) == expected) << "at " << offset;
  }
}

TEST_P(FsConformance, WritingNothingChangesNothing) {
  const auto file = Create("a");
  ASSERT_THAT(file->Write(100, {}), IsOk());
  ASSERT_THAT(Write(*file, 100, ""), IsOk());
  EXPECT_EQ(file->Size().ValueOrDie(), 0);
}

TEST_P(FsConformance, AGapReadsAsZeros) {
  const auto file = Create("a");
  ASSERT_THAT(Write(*file, 3, "x"), IsOk());
  EXPECT_EQ(ReadAll(*file), std::string("\0\0\0x", 4));
}

TEST_P(FsConformance, AReadStopsAtTheEnd) {
  const auto file = Create("a");
  ASSERT_THAT(Write(*file, 0, "abc"), IsOk());
  std::vector<std::byte> bytes(10);
  EXPECT_EQ(file->Read(1, bytes).ValueOrDie(), 2u);
  EXPECT_EQ(TextOf(ByteSpan(bytes).first(2)), "bc");
  EXPECT_EQ(file->Read(3, bytes).ValueOrDie(), 0u);
  EXPECT_EQ(file->Read(1000, bytes).ValueOrDie(), 0u);
}

TEST_P(FsConformance, TruncateCutsAndExtendsWithZeros) {
  const auto file = Create("a");
  ASSERT_THAT(Write(*file, 0, "abcdef"), IsOk());
  ASSERT_THAT(file->Truncate(2), IsOk());
  ASSERT_THAT(file->Truncate(4), IsOk());
  EXPECT_EQ(ReadAll(*file), std::string("ab\0\0", 4));
}

TEST_P(FsConformance, AllocateGrowsWithZerosAndNeverShrinks) {
  const auto file = Create("a");
  ASSERT_THAT(Write(*file, 0, "ab"), IsOk());
  ASSERT_THAT(file->Allocate(10'000), IsOk());
  EXPECT_EQ(file->Size().ValueOrDie(), 10'000);
  ASSERT_THAT(file->Allocate(1), IsOk());
  EXPECT_EQ(file->Size().ValueOrDie(), 10'000);
  EXPECT_EQ(ReadAll(*file), "ab" + std::string(9'998, '\0'));
}

TEST_P(FsConformance, CreateNewRefusesWhatIsThere) {
  Create("a");
  EXPECT_THAT(fs().Open(Path("a"), OpenMode::kCreateNew), FailsWith(ErrorCode::kAlreadyExists));
}

TEST_P(FsConformance, OpeningAMissingFileNamesIt) {
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadWrite}) {
    const auto opened = fs().Open(Path("missing"), mode);
    EXPECT_THAT(opened, FailsWith(ErrorCode::kNotFound));
    EXPECT_THAT(opened.status().message(), testing::HasSubstr("missing"));
  }
  EXPECT_THAT(fs().Open(Path("no/parent"), OpenMode::kCreateNew), FailsWith(ErrorCode::kNotFound));
}

TEST_P(FsConformance, OpeningADirectoryFails) {
  EXPECT_THAT(fs().Open(directory(), OpenMode::kRead), FailsWith(ErrorCode::kIoFailed));
  EXPECT_THAT(fs().Open(directory(), OpenMode::kReadWrite), FailsWith(ErrorCode::kIoFailed));
}

TEST_P(FsConformance, AFileOpenedForReadingCannotBeChanged) {
  Create("a");
  const auto file = fs().Open(Path("a"), OpenMode::kRead).ValueOrDie();
  EXPECT_FALSE(Write(*file, 0, "x").ok());
  const std::string blocks(8192, 'x');
  const ByteSpan part = BytesOf(blocks);
  EXPECT_FALSE(file->WriteUncached(0, {&part, 1}).ok());
  EXPECT_FALSE(file->Truncate(5).ok());
  EXPECT_FALSE(file->Allocate(5).ok());
  EXPECT_EQ(ReadPath("a"), "");
}

TEST_P(FsConformance, ExistsTellsFilesDirectoriesAndNothing) {
  Create("a");
  EXPECT_TRUE(fs().Exists(Path("a")).ValueOrDie());
  EXPECT_TRUE(fs().Exists(directory()).ValueOrDie());
  EXPECT_FALSE(fs().Exists(Path("b")).ValueOrDie());
  EXPECT_FALSE(fs().Exists(Path("b/c")).ValueOrDie());
}

TEST_P(FsConformance, RenameReplacesAndOpenFilesFollow) {
  const auto file = Create("a");
  ASSERT_THAT(Write(*file, 0, "new"), IsOk());
  ASSERT_THAT(Write(*Create("b"), 0, "old"), IsOk());
  ASSERT_THAT(fs().Rename(Path("a"), Path("b")), IsOk());
  EXPECT_FALSE(fs().Exists(Path("a")).ValueOrDie());
  EXPECT_EQ(ReadPath("b"), "new");
  ASSERT_THAT(Write(*file, 3, "er"), IsOk());
  EXPECT_EQ(ReadPath("b"), "newer");
}

TEST_P(FsConformance, RenamingAMissingFileFails) {
  EXPECT_THAT(fs().Rename(Path("a"), Path("b")), FailsWith(ErrorCode::kNotFound));
  Create("a");
  EXPECT_THAT(fs().Rename(Path("a"), Path("no/parent")), FailsWith(ErrorCode::kNotFound));
}

TEST_P(FsConformance, ARemovedFileIsGoneButReadableWhileOpen) {
  const auto file = Create("a");
  ASSERT_THAT(Write(*file, 0, "abc"), IsOk());
  ASSERT_THAT(fs().Remove(Path("a")), IsOk());
  EXPECT_FALSE(fs().Exists(Path("a")).ValueOrDie());
  EXPECT_EQ(ReadAll(*file), "abc");
  EXPECT_THAT(fs().Remove(Path("a")), FailsWith(ErrorCode::kNotFound));
}

TEST_P(FsConformance, RemoveRefusesADirectory) {
  ASSERT_THAT(fs().CreateDirs(Path("d")), IsOk());
  EXPECT_THAT(fs().Remove(Path("d")), FailsWith(ErrorCode::kIoFailed));
}

TEST_P(FsConformance, ListsNamesSorted) {
  Create("b");
  Create("a");
  ASSERT_THAT(fs().CreateDirs(Path("c/inner")), IsOk());
  EXPECT_THAT(fs().List(directory()).ValueOrDie(), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(fs().List(Path("c/inner")).ValueOrDie(), testing::IsEmpty());
  EXPECT_THAT(fs().List(Path("missing")), FailsWith(ErrorCode::kNotFound));
}

TEST_P(FsConformance, CreateDirsMakesParentsAndAcceptsWhatIsThere) {
  ASSERT_THAT(fs().CreateDirs(Path("x/y/z")), IsOk());
  ASSERT_THAT(fs().CreateDirs(Path("x/y/z/")), IsOk());
  EXPECT_TRUE(fs().Exists(Path("x/y/z")).ValueOrDie());
  Create("file");
  EXPECT_THAT(fs().CreateDirs(Path("file")), FailsWith(ErrorCode::kAlreadyExists));
}

TEST_P(FsConformance, SyncDirNeedsADirectory) {
  EXPECT_THAT(fs().SyncDir(directory()), IsOk());
  EXPECT_THAT(fs().SyncDir(Path("missing")), FailsWith(ErrorCode::kNotFound));
}

TEST_P(FsConformance, ALockExcludesASecondOneUntilItIsReleased) {
  auto held = fs().Lock(Path("lock"));
  ASSERT_THAT(held, IsOk());
  const auto refused = fs().Lock(Path("lock"));
  EXPECT_THAT(refused, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(refused.status().message(), testing::ContainsRegex("process [0-9]+"));
  held.ValueUnsafe().reset();
  EXPECT_THAT(fs().Lock(Path("lock")), IsOk());
}

TEST_P(FsConformance, TellsTheFreeSpace) {
  EXPECT_GT(fs().FreeBytes(directory()).ValueOrDie(), 0);
  EXPECT_THAT(fs().FreeBytes(Path("missing")), FailsWith(ErrorCode::kNotFound));
}

}  // namespace arka
