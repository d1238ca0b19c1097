#include "arka/io/posix_fs.h"

#include <csignal>
#include <cstring>

#include <sys/resource.h>
#include <unistd.h>

#include "arka/io/errno_status.h"
#include "arka/testing/fs_conformance.h"
#include "arka/testing/matchers.h"
#include "arka/testing/temp_directory.h"

namespace arka {
namespace {

using testing::HasSubstr;

class PosixFsUnderTest final : public FsUnderTest {
 public:
  Fs& fs() override { return fs_; }
  std::string directory() const override { return directory_.path(); }

 private:
  TempDirectory directory_;
  PosixFs fs_;
};

INSTANTIATE_TEST_SUITE_P(PosixFs, FsConformance,
                         testing::Values([] { return std::make_unique<PosixFsUnderTest>(); }));

TEST(PosixFs, ARefusedLockNamesTheHolder) {
  TempDirectory directory;
  PosixFs fs;
  const auto held = fs.Lock(directory.path() + "/lock");
  ASSERT_THAT(held, IsOk());
  EXPECT_THAT(fs.Lock(directory.path() + "/lock").status().message(),
              HasSubstr("is locked by process " + std::to_string(getpid())));
}

TEST(PosixFs, TheDiskFullErrnosAreBackpressure) {
  EXPECT_THAT(ErrnoStatus(ENOSPC, "write", "/x"), FailsWith(ErrorCode::kBackpressure));
  EXPECT_THAT(ErrnoStatus(EDQUOT, "write", "/x"), FailsWith(ErrorCode::kBackpressure));
  EXPECT_THAT(ErrnoStatus(EIO, "write", "/x"), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(ErrnoStatus(EIO, "write", "/x").message(),
            "cannot write /x: Input/output error (errno 5)");
}

/// What `write` answers where no file may grow past `bytes`: the kernel takes the part of a write
/// that fits, then fails the rest.
template <typename Write>
Status UnderFileSizeLimit(rlim_t bytes, const Write& write) {
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit = {};
  EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit = {bytes, old_limit.rlim_max};
  EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status outcome = write();
  EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  return outcome;
}

TEST(PosixFs, AShortWriteIsCarriedOnUntilTheErrorShows) {
  TempDirectory directory;
  PosixFs fs;
  const auto file = fs.Open(directory.path() + "/f", OpenMode::kCreateNew).ValueOrDie();
  const std::string text(150, 'x');
  const ByteSpan part = BytesOf(text);
  EXPECT_THAT(UnderFileSizeLimit(100,
                                 [&] {
                                   return file->Write(0, {&part, 1});
                                 }),
              FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(file->Size().ValueOrDie(), 100);
}

TEST(PosixFs, AShortUncachedWriteIsCarriedOnUntilTheErrorShows) {
  TempDirectory directory;
  PosixFs fs;
  const auto file = fs.Open(directory.path() + "/f", OpenMode::kCreateNew).ValueOrDie();
  const std::string text(3 << 20, 'x');
  const ByteSpan part = BytesOf(text);
  EXPECT_THAT(UnderFileSizeLimit(1'500'000,
                                 [&] {
                                   return file->WriteUncached(0, {&part, 1});
                                 }),
              FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(file->Size().ValueOrDie(), 1'500'000);
}

}  // namespace
}  // namespace arka
