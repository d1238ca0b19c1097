#include "arka/query/table_naming.h"

#include <gmock/gmock.h>

#include "arka/testing/matchers.h"

namespace arka::query {
namespace {

using testing::HasSubstr;

const TableNaming kNaming{"pond", "eu.sales"};

std::string Resolved(const sql::TableReference& reference) {
  const auto table = kNaming.Resolve(reference);
  return table.ok() ? table->ToString() : table.status().message();
}

TEST(TableNaming, ANameWithoutANamespaceLiesInTheDefaultOne) {
  EXPECT_EQ(Resolved({"", "", "orders"}), "eu.sales.orders");
  EXPECT_EQ(Resolved({"", "us", "orders"}), "us.orders");
  EXPECT_EQ(Resolved({"pond", "us", "orders"}), "us.orders");
  EXPECT_EQ(Resolved({"POND", "us", "orders"}), "us.orders");
}

TEST(TableNaming, ThereIsOneCatalog) {
  EXPECT_THAT(Resolved({"lake", "us", "orders"}), HasSubstr("no catalog 'lake'"));
  EXPECT_THAT(Resolved({"lake", "us", "orders"}), HasSubstr("pond.namespace.table"));
  EXPECT_EQ(CodeOf(kNaming.CheckCatalog("lake")), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace arka::query
