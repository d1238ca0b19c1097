#include "arka/testing/object_store_conformance.h"

#include "arka/io/file_object_store.h"
#include "arka/testing/faulty_object_store.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/seeded_random.h"

namespace arka {
namespace {

class MemoryUnderTest final : public ObjectStoreUnderTest {
 public:
  ObjectStore& store() override { return store_; }

 private:
  MemoryObjectStore store_;
};

class FaultyUnderTest final : public ObjectStoreUnderTest {
 public:
  ObjectStore& store() override { return store_; }

 private:
  MemoryObjectStore memory_;
  FaultPlan plan_;
  FaultyObjectStore store_{memory_, plan_};
};

class FilesInMemoryUnderTest final : public ObjectStoreUnderTest {
 public:
  ObjectStore& store() override { return *store_; }

 private:
  MemoryFs fs_;
  SeededRandom random_{1};
  std::unique_ptr<ObjectStore> store_ = FileObjectStore::Make(fs_, random_, "/root").ValueOrDie();
};

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance,
                         testing::Values([] { return std::make_unique<MemoryUnderTest>(); }));
INSTANTIATE_TEST_SUITE_P(FaultyWithAnEmptyPlan, ObjectStoreConformance,
                         testing::Values([] { return std::make_unique<FaultyUnderTest>(); }));
INSTANTIATE_TEST_SUITE_P(FilesInMemory, ObjectStoreConformance, testing::Values([] {
                           return std::make_unique<FilesInMemoryUnderTest>();
                         }));

}  // namespace
}  // namespace arka
