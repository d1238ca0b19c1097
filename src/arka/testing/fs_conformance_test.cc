#include "arka/testing/fs_conformance.h"

#include "arka/testing/fault_plan.h"
#include "arka/testing/faulty_fs.h"
#include "arka/testing/memory_fs.h"

namespace arka {
namespace {

class MemoryFsUnderTest final : public FsUnderTest {
 public:
  Fs& fs() override { return fs_; }
  std::string directory() const override { return "."; }

 private:
  MemoryFs fs_;
};

class FaultyFsUnderTest final : public FsUnderTest {
 public:
  Fs& fs() override { return fs_; }
  std::string directory() const override { return "."; }

 private:
  MemoryFs memory_;
  FaultPlan plan_;
  FaultyFs fs_{memory_, plan_};
};

INSTANTIATE_TEST_SUITE_P(MemoryFs, FsConformance,
                         testing::Values([] { return std::make_unique<MemoryFsUnderTest>(); }));
INSTANTIATE_TEST_SUITE_P(FaultyFsWithAnEmptyPlan, FsConformance,
                         testing::Values([] { return std::make_unique<FaultyFsUnderTest>(); }));

}  // namespace
}  // namespace arka
