// The REST catalog against answers that a test wrote down. That it works with a real server is
// shown by catalog_test.cc and tests/system/test_rest_catalog.py.
#include "arka/iceberg/rest_catalog.h"

#include <gmock/gmock.h>

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/table_creation.h"
#include "arka/iceberg/table_metadata_json.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/scripted_http_client.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::iceberg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kMissing[] =
    R"({"error": {"message": "no", "type": "NoSuchTableException", "code": 404}})";
constexpr char kPlainConfig[] = R"({"defaults": {}, "overrides": {}})";

class RestCatalogTest : public testing::Test {
 protected:
  std::unique_ptr<RestCatalog> Make(RestCatalogOptions options = {.uri = "http://c:1/base/"}) {
    return RestCatalog::Make(options, http_, warehouse_, random_, clock_).ValueOrDie();
  }
  std::string TableBody(const std::string& location) {
    TableCreation creation;
    creation.schema.fields = {{.id = 1, .name = "id", .type = TypeId::kLong}};
    const auto metadata = NewTableMetadata(creation, location, "uuid-1", WallTime()).ValueOrDie();
    return R"({"metadata-location": "here", "metadata": )" + TableMetadataToJson(metadata) + "}";
  }
  std::string GoodTable() { return TableBody(warehouse_.Uri("sales/orders")); }
  TableCreation Creation() {
    TableCreation creation;
    creation.schema.fields = {{.id = 1, .name = "id", .type = TypeId::kLong}};
    return creation;
  }
  /// "METHOD url" of every request so far.
  std::vector<std::string> Asked() {
    std::vector<std::string> asked;
    for (const HttpRequest& request : http_.requests()) {
      asked.push_back(request.method + " " + request.url);
    }
    return asked;
  }

  const TableIdentifier orders_{"sales", "orders"};
  ScriptedHttpClient http_;
  MemoryObjectStore warehouse_;
  SeededRandom random_{1};
  SimulatedClock clock_;
};

TEST_F(RestCatalogTest, AsksForTheConfigurationOnceAndFirst) {
  const auto catalog = Make({.uri = "http://c:1/base/", .warehouse_name = "my house"});
  EXPECT_THAT(Asked(), testing::IsEmpty());
  http_.Answer(200, R"({"defaults": {"prefix": "weak"}, "overrides": {"prefix": "a/b c"}})");
  http_.Answer(200, GoodTable());
  http_.Answer(200, GoodTable());
  EXPECT_EQ(catalog->LoadTable(orders_)->metadata->table_uuid, "uuid-1");
  EXPECT_THAT(catalog->LoadTable(orders_), IsOk());
  const std::string table = "GET http://c:1/base/v1/a/b%20c/namespaces/sales/tables/orders";
  EXPECT_THAT(Asked(),
              ElementsAre("GET http://c:1/base/v1/config?warehouse=my%20house", table, table));
}

TEST_F(RestCatalogTest, AsksAgainForAConfigurationThatItDidNotGet) {
  const auto catalog = Make();
  http_.Fail(Error(ErrorCode::kTimedOut, "slow"));
  EXPECT_THAT(catalog->CommitTable(orders_, {}, {}), FailsWith(ErrorCode::kUnavailable));
  http_.Answer(200, kPlainConfig);
  http_.Answer(200, GoodTable());
  EXPECT_THAT(catalog->CommitTable(orders_, {}, {}), IsOk());
}

TEST_F(RestCatalogTest, EscapesNamesAndJoinsLevelsAsTheServerWantsIt) {
  const auto catalog = Make();
  http_.Answer(200, R"({"overrides": {"namespace-separator": "%2E"}})");
  http_.Answer(200, GoodTable());
  EXPECT_THAT(catalog->LoadTable({"eu.sa les", "50%?"}), IsOk());
  EXPECT_EQ(Asked().back(), "GET http://c:1/base/v1/namespaces/eu%2Esa%20les/tables/50%25%3F");

  const auto plain = Make();
  http_.Answer(200, kPlainConfig);
  http_.Answer(200, GoodTable());
  EXPECT_THAT(plain->LoadTable({"eu.sales", "t"}), IsOk());
  EXPECT_EQ(Asked().back(), "GET http://c:1/base/v1/namespaces/eu%1Fsales/tables/t");
}

TEST_F(RestCatalogTest, SendsTheTokenToNobodyElse) {
  for (const char* elsewhere :
       {"http://169.254.169.254/latest", "http://c:2/base", "https://c:1/base", "http://c:1@evil/",
        "http://evil/?http://c:1", "//c:1", ""}) {
    const auto catalog = Make({.uri = "http://c:1/base", .token = "secret"});
    http_.Answer(200, R"({"overrides": {"uri": ")" + std::string(elsewhere) + R"("}})");
    EXPECT_THAT(catalog->LoadTable(orders_), FailsWith(ErrorCode::kPermissionDenied)) << elsewhere;
  }
  for (const HttpRequest& request : http_.requests()) {
    EXPECT_EQ(request.url, "http://c:1/base/v1/config");
    EXPECT_THAT(request.headers,
                testing::Contains(testing::Field(&HttpHeader::value, "Bearer secret")));
  }
}

TEST_F(RestCatalogTest, TakesAnotherPathOnTheSameServer) {
  const auto catalog = Make();
  http_.Answer(200, R"({"overrides": {"uri": "http://C:1/other/"}})");
  http_.Answer(200, GoodTable());
  EXPECT_THAT(catalog->LoadTable(orders_), IsOk());
  EXPECT_EQ(Asked().back(), "GET http://C:1/other/v1/namespaces/sales/tables/orders");
}

TEST_F(RestCatalogTest, UsesNoCredentialsThatTheServerHandsOut) {
  const auto catalog = Make();
  http_.Answer(200, R"({"overrides": {"token": "theirs", "s3.access-key-id": "k",
                                      "header.X": "y"}})");
  http_.Answer(200, GoodTable());
  EXPECT_THAT(catalog->LoadTable(orders_), IsOk());
  const HttpRequest last = http_.requests().back();
  for (const HttpHeader& header : last.headers) {
    EXPECT_NE(header.name, "Authorization");
    EXPECT_NE(header.name, "X");
  }
}

TEST_F(RestCatalogTest, RefusesATableOutsideTheWarehouse) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  for (const char* location : {"s3://other/t", "file:///etc", "", "/etc"}) {
    http_.Answer(200, TableBody(location));
    const auto loaded = catalog->LoadTable(orders_);
    EXPECT_THAT(loaded, FailsWith(ErrorCode::kInvalidRequest)) << location;
    EXPECT_THAT(loaded.status().message(), HasSubstr("catalog.warehouse"));
  }
}

TEST_F(RestCatalogTest, AWarehouseThatIsNotThereIsNotAMissingTable) {
  const auto catalog = Make({.uri = "http://c:1", .warehouse_name = "x"});
  http_.Answer(404, kMissing);
  const auto loaded = catalog->LoadTable(orders_);
  EXPECT_THAT(loaded, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(loaded.status().message(), HasSubstr("catalog.warehouse_name"));
}

TEST_F(RestCatalogTest, ACommitIsOneRequestWhateverIsAnswered) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  http_.Answer(200, GoodTable());
  ASSERT_THAT(catalog->LoadTable(orders_), IsOk());
  const auto commit = [&] { return catalog->CommitTable(orders_, {AssertTableUuid{"u"}}, {}); };
  http_.Answer(503, "");
  EXPECT_THAT(commit(), FailsWith(ErrorCode::kCommitUnknown));
  http_.Fail(Error(ErrorCode::kIoFailed, "reset"));
  EXPECT_THAT(commit(), FailsWith(ErrorCode::kCommitUnknown));
  http_.Fail(Error(ErrorCode::kUnavailable, "refused"));
  EXPECT_THAT(commit(), FailsWith(ErrorCode::kUnavailable));
  http_.Answer(409, "");
  EXPECT_THAT(commit(), FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(Asked().size(), 6u);
  EXPECT_EQ(Asked().back(), "POST http://c:1/base/v1/namespaces/sales/tables/orders");
}

TEST_F(RestCatalogTest, ACommitWhoseAnswerCannotBeReadMayHaveLanded) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  const std::string deep(100'000, '[');
  for (const std::string& body :
       {std::string(), std::string("null"), std::string("{}"), std::string("<html>"),
        std::string(R"({"metadata": 5})"), std::string(R"({"metadata": {}})"), deep}) {
    http_.Answer(200, body);
    EXPECT_THAT(catalog->CommitTable(orders_, {}, {}), FailsWith(ErrorCode::kCommitUnknown));
  }
  http_.Answer(200, deep);
  EXPECT_THAT(catalog->LoadTable(orders_), FailsWith(ErrorCode::kCorruption));
}

TEST_F(RestCatalogTest, MakesTheNamespacesThatAreMissing) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  http_.Answer(404, kMissing);
  http_.Answer(409, R"({"error": {"type": "AlreadyExistsException"}})");
  http_.Answer(200, "{}");
  http_.Answer(200, TableBody(warehouse_.Uri("eu/sales/t")));
  EXPECT_THAT(catalog->CreateTable({"eu.sales", "t"}, Creation()), IsOk());
  const std::string create = "POST http://c:1/base/v1/namespaces/eu%1Fsales/tables";
  EXPECT_THAT(Asked(), ElementsAre("GET http://c:1/base/v1/config", create,
                                   "POST http://c:1/base/v1/namespaces",
                                   "POST http://c:1/base/v1/namespaces", create));
  EXPECT_THAT(http_.requests()[2].body, HasSubstr(R"("namespace":["eu"])"));
  EXPECT_THAT(http_.requests()[3].body, HasSubstr(R"("namespace":["eu","sales"])"));
}

TEST_F(RestCatalogTest, LeavesTheLocationToTheServerButForOddNames) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  http_.Answer(200, GoodTable());
  http_.Answer(200, GoodTable());
  EXPECT_THAT(catalog->CreateTable(orders_, Creation()), IsOk());
  EXPECT_THAT(http_.requests().back().body, testing::Not(HasSubstr("location")));
  EXPECT_THAT(catalog->CreateTable({"sales", "a b"}, Creation()), IsOk());
  EXPECT_THAT(http_.requests().back().body,
              HasSubstr(R"("location":")" + warehouse_.Uri("sales/a_b-")));
}

TEST_F(RestCatalogTest, ListsTheTablesOfAllPagesAndLevels) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  http_.Answer(200, R"({"namespaces": [["b"]], "next-page-token": "p 2"})");
  http_.Answer(200, R"({"namespaces": [["a"], ["not", "below"], ["dot.ted"]]})");
  http_.Answer(200, R"({"identifiers": [{"namespace": ["b"], "name": "t"}]})");
  http_.Answer(200, R"({"namespaces": []})");
  http_.Answer(404, kMissing);  // "a" has no tables of its own
  http_.Answer(200, R"({"namespaces": [["a", "c"]]})");
  http_.Answer(200, R"({"identifiers": [{"name": "y"}], "next-page-token": "2"})");
  http_.Answer(200, R"({"identifiers": [{"name": "x"}], "next-page-token": null})");
  http_.Answer(404, kMissing);  // no namespaces below "a.c"
  EXPECT_THAT(catalog->ListTables().ValueOrDie(),
              ElementsAre(TableIdentifier{"a.c", "x"}, TableIdentifier{"a.c", "y"},
                          TableIdentifier{"b", "t"}));
  EXPECT_EQ(Asked()[2], "GET http://c:1/base/v1/namespaces?pageToken=p%202");
  EXPECT_EQ(Asked()[4], "GET http://c:1/base/v1/namespaces?parent=b");
  EXPECT_EQ(Asked()[8], "GET http://c:1/base/v1/namespaces/a%1Fc/tables?pageToken=2");
}

TEST_F(RestCatalogTest, AListWithoutEndComesToOne) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  for (int i = 0; i < 1'100; ++i)
    http_.Answer(200, R"({"namespaces": [], "next-page-token": "x"})");
  EXPECT_THAT(catalog->ListTables(), FailsWith(ErrorCode::kCorruption));
}

TEST_F(RestCatalogTest, DropsATableWithoutItsFiles) {
  const auto catalog = Make();
  http_.Answer(200, kPlainConfig);
  http_.Answer(204, "");
  EXPECT_THAT(catalog->DropTable(orders_), IsOk());
  EXPECT_EQ(Asked().back(),
            "DELETE http://c:1/base/v1/namespaces/sales/tables/orders?purgeRequested=false");
}

TEST_F(RestCatalogTest, RefusesConfigurationsThatAreNone) {
  for (const char* body : {"", "[]", "{\"overrides\": 5}", "{\"defaults\": {\"prefix\": 1}}",
                           "{\"overrides\": {\"namespace-separator\": \"\"}}",
                           "{\"overrides\": {\"namespace-separator\": \"?x\"}}",
                           "{\"overrides\": {\"namespace-separator\": \"%2\"}}"}) {
    const auto catalog = Make();
    http_.Answer(200, body);
    EXPECT_THAT(catalog->LoadTable(orders_), FailsWith(ErrorCode::kCorruption)) << body;
  }
}

}  // namespace
}  // namespace arka::iceberg
