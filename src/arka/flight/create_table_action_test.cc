#include "arka/flight/create_table_action.h"

#include <string>

#include <gtest/gtest.h>

#include "arka/base/base64.h"
#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using ingest::kOrders;
using transport::GrpcCode;

std::string Ipc(const arrow::Schema& schema) {
  return EncodeBase64(arrow::ipc::SerializeSchema(schema).ValueOrDie()->ToString());
}

class CreateTableActionTest : public ::testing::Test, protected FlightFixture {
 protected:
  Asker Create(const std::string& table, const std::string& schema_ipc) {
    const nlohmann::json body = {{"table", table}, {"schema_ipc", schema_ipc}};
    Asker asker = Ask("create_table", body.dump());
    EXPECT_TRUE(Await([&] { return asker.Ended(); }));
    return asker;
  }
};

TEST_F(CreateTableActionTest, MakesATableThatTakesWritesAndMakesItOnce) {
  deployment.options.auto_create = false;
  Start();
  const Asker made = Create("sales.orders", Ipc(*IdSchema()));
  ASSERT_EQ(made.code(), GrpcCode::kOk) << made.message();
  const auto table = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  EXPECT_EQ(made.results.at(0),
            (nlohmann::json{{"table", "sales.orders"}, {"uuid", table.metadata->table_uuid}}));
  const Asker again = Create("sales.orders", Ipc(*IdSchema()));
  EXPECT_EQ(again.code(), GrpcCode::kAlreadyExists) << again.message();
  EXPECT_NE(again.message().find(table.metadata->table_uuid), std::string::npos);
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(1));
}

TEST_F(CreateTableActionTest, AnAnswerThatWasLostIsSaidToBeUnknown) {
  Start();
  deployment.catalog_faults.Add({.matches = OfKind("create_table"),
                                 .effect = Effect::kFull,
                                 .error = MakeStatus(ErrorCode::kCommitUnknown, "no answer")});
  const Asker lost = Create("sales.orders", Ipc(*IdSchema()));
  EXPECT_EQ(lost.code(), GrpcCode::kUnavailable) << lost.message();
  EXPECT_EQ(Create("sales.orders", Ipc(*IdSchema())).code(), GrpcCode::kAlreadyExists);
}

TEST_F(CreateTableActionTest, WhatIsNoSchemaIsRefused) {
  Start();
  const std::string good = arrow::ipc::SerializeSchema(*IdSchema()).ValueOrDie()->ToString();
  const std::string batch =
      arrow::ipc::SerializeRecordBatch(*IdBatch(0), arrow::ipc::IpcWriteOptions::Defaults())
          .ValueOrDie()
          ->ToString();
  for (const std::string& bytes : {std::string("x"), std::string(8, '\xff'), good.substr(0, 20),
                                   good.substr(8), batch, std::string(100, '\0')}) {
    const Asker refused = Create("sales.orders", EncodeBase64(bytes));
    EXPECT_EQ(refused.code(), GrpcCode::kInvalidArgument) << refused.message();
    EXPECT_NE(refused.message().find("schema_ipc"), std::string::npos) << refused.message();
  }
  EXPECT_EQ(Create("sales.orders", "%%%").code(), GrpcCode::kInvalidArgument);
  EXPECT_EQ(Create("../x", Ipc(*IdSchema())).code(), GrpcCode::kInvalidArgument);
  const auto interval = arrow::schema({arrow::field("i", arrow::month_interval())});
  const Asker unfit = Create("sales.orders", Ipc(*interval));
  EXPECT_EQ(unfit.code(), GrpcCode::kInvalidArgument) << unfit.message();
  EXPECT_FALSE(deployment.catalog_memory.LoadTable(kOrders).ok());
}

}  // namespace
}  // namespace arka::flight
