// Every catalog against the conformance suite.
#include "arka/iceberg/sqlite_catalog.h"
#include "arka/iceberg_testing/catalog_conformance.h"
#include "arka/iceberg_testing/faulty_catalog.h"
#include "arka/iceberg_testing/memory_catalog.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"
#include "arka/testing/temp_directory.h"

namespace arka::iceberg {
namespace {

class MemoryUnderTest final : public CatalogUnderTest {
 public:
  Catalog& catalog() override { return catalog_; }

 private:
  MemoryObjectStore warehouse_;
  SeededRandom random_{1};
  SimulatedClock clock_;
  MemoryCatalog catalog_{warehouse_, random_, clock_};
};

class FaultyUnderTest final : public CatalogUnderTest {
 public:
  Catalog& catalog() override { return catalog_; }

 private:
  MemoryUnderTest base_;
  FaultPlan plan_;
  FaultyCatalog catalog_{base_.catalog(), plan_};
};

class SqliteUnderTest final : public CatalogUnderTest {
 public:
  Catalog& catalog() override { return *catalog_; }

 private:
  TempDirectory directory_;
  MemoryObjectStore warehouse_;
  SeededRandom random_{1};
  SimulatedClock clock_;
  std::unique_ptr<SqliteCatalog> catalog_ =
      SqliteCatalog::Make({.path = directory_.path() + "/catalog.db"}, warehouse_, random_, clock_)
          .ValueOrDie();
};

template <typename UnderTest>
std::unique_ptr<CatalogUnderTest> MakeUnderTest() {
  return std::make_unique<UnderTest>();
}

INSTANTIATE_TEST_SUITE_P(MemoryCatalog, CatalogConformance,
                         testing::Values(MakeUnderTest<MemoryUnderTest>));
INSTANTIATE_TEST_SUITE_P(FaultyCatalog, CatalogConformance,
                         testing::Values(MakeUnderTest<FaultyUnderTest>));
INSTANTIATE_TEST_SUITE_P(SqliteCatalog, CatalogConformance,
                         testing::Values(MakeUnderTest<SqliteUnderTest>));

}  // namespace
}  // namespace arka::iceberg
