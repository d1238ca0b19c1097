// Every catalog against the conformance suite; the REST catalog's where ARKA_TEST_REST_URI names a
// server, whose tables are dropped, and ARKA_TEST_REST_WAREHOUSE the file:// root of its tables.
#include <cstdlib>
#include <string>

#include "arka/iceberg/rest_catalog.h"
#include "arka/iceberg/sqlite_catalog.h"
#include "arka/iceberg_testing/catalog_conformance.h"
#include "arka/iceberg_testing/faulty_catalog.h"
#include "arka/iceberg_testing/memory_catalog.h"
#include "arka/io/curl_http_client.h"
#include "arka/io/object_stores.h"
#include "arka/io/posix_fs.h"
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

std::string EnvironmentOf(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class RestUnderTest final : public CatalogUnderTest {
 public:
  RestUnderTest() {
    for (const TableIdentifier& left : catalog_->ListTables().ValueOrDie()) {
      EXPECT_THAT(catalog_->DropTable(left), IsOk());
    }
  }
  Catalog& catalog() override { return *catalog_; }

 private:
  PosixFs fs_;
  SeededRandom random_{1};
  SimulatedClock clock_;
  std::unique_ptr<ObjectStore> warehouse_ =
      OpenObjectStore(EnvironmentOf("ARKA_TEST_REST_WAREHOUSE"), {}, fs_, random_).ValueOrDie();
  std::unique_ptr<CurlHttpClient> http_ = CurlHttpClient::Make({}).ValueOrDie();
  std::unique_ptr<RestCatalog> catalog_ =
      RestCatalog::Make({.uri = EnvironmentOf("ARKA_TEST_REST_URI")}, *http_, *warehouse_, random_,
                        clock_)
          .ValueOrDie();
};

std::unique_ptr<CatalogUnderTest> MakeRestUnderTest() {
  if (EnvironmentOf("ARKA_TEST_REST_URI").empty()) return nullptr;
  return std::make_unique<RestUnderTest>();
}

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
INSTANTIATE_TEST_SUITE_P(RestCatalog, CatalogConformance, testing::Values(MakeRestUnderTest));

}  // namespace
}  // namespace arka::iceberg
