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

TEST(PosixFs, AShortWriteIsCarriedOnUntilTheErrorShows) {
  // The file size limit makes the kernel take the first part of a write, then fail the rest.
  TempDirectory directory;
  PosixFs fs;
  const auto file = fs.Open(directory.path() + "/f", OpenMode::kCreateNew).ValueOrDie();
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit = {100, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string text(150, 'x');
  const ByteSpan part = BytesOf(text);
  const Status outcome = file->Write(0, {&part, 1});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(outcome, FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(file->Size().ValueOrDie(), 100);
}

}  // namespace
}  // namespace arka
