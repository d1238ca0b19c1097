// Actions seal, unseal, alter_table and drop_table, on tables that are being written to.
#include "arka/flight/table_change_action.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using ingest::kOrders;
using ::testing::HasSubstr;
using transport::GrpcCode;

class TableChangeActionTest : public ::testing::Test, protected FlightFixture {
 protected:
  Asker Do(const std::string& type, const nlohmann::json& body) {
    Asker asker = Ask(type, body.dump());
    EXPECT_TRUE(Await([&] { return asker.Ended(); })) << type;
    return asker;
  }
  Asker OnOrders(const std::string& type) { return Do(type, {{"table", "sales.orders"}}); }

  /// How a stream ends that writes one row.
  GrpcCode Write(int64_t id, const transport::Metadata& metadata = {}) {
    Writer writer = OpenOrders(metadata);
    writer.SendIds(id);
    writer.call->HalfClose();
    EXPECT_TRUE(Await([&] { return writer.Ended(); }));
    return writer.code();
  }
  void Restart() {
    Stop();
    Start();
  }
};

TEST_F(TableChangeActionTest, ASealedTableTakesNoWriteAndKeepsWhatItHad) {
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  writer.SendIds(1);
  ASSERT_TRUE(Await([&] { return last_lsn() == Lsn{1001}; }));
  const Asker sealed = OnOrders("seal");
  ASSERT_EQ(sealed.code(), GrpcCode::kOk) << sealed.message();
  EXPECT_EQ(sealed.results.at(0), (nlohmann::json{{"table", "sales.orders"}, {"last_lsn", 1001}}));

  writer.SendIds(2);
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kFailedPrecondition) << writer.message();
  EXPECT_THAT(writer.message(), HasSubstr("sealed"));
  EXPECT_EQ(writer.retryable(), "false");
  EXPECT_EQ(Write(3), GrpcCode::kFailedPrecondition);
  EXPECT_EQ(last_lsn(), Lsn{1001});
  ASSERT_TRUE(Await([&] { return ingest::AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(2));

  EXPECT_EQ(OnOrders("seal").code(), GrpcCode::kOk) << "once more is no error";
  ASSERT_EQ(OnOrders("unseal").code(), GrpcCode::kOk);
  EXPECT_EQ(Write(2), GrpcCode::kOk);
  ASSERT_TRUE(Await([&] { return ingest::AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(3));
}

TEST_F(TableChangeActionTest, ASealOutlivesTheServerAndTheWritesBeforeItStillLand) {
  deployment.options.commit_interval = std::chrono::hours(1);
  Start();
  EXPECT_EQ(Write(0), GrpcCode::kOk);
  ASSERT_EQ(OnOrders("seal").code(), GrpcCode::kOk);
  Restart();
  EXPECT_EQ(Write(1), GrpcCode::kFailedPrecondition);
  EXPECT_EQ(Do("commit", {{"table", "sales.orders"}}).code(), GrpcCode::kOk);
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(1));
  Restart();
  EXPECT_EQ(Write(1), GrpcCode::kFailedPrecondition) << "nothing of it is in the log any more";
  ASSERT_EQ(OnOrders("unseal").code(), GrpcCode::kOk);
  EXPECT_EQ(Write(1), GrpcCode::kOk);
}

TEST_F(TableChangeActionTest, ARetryOfAWriteOfBeforeTheSealIsStillAnswered) {
  Start();
  Writer writer = OpenProducer("p");
  writer.SendSeq(1);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kMemory).size() == 1; }));
  ASSERT_EQ(OnOrders("seal").code(), GrpcCode::kOk);
  writer.SendSeq(1);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kMemory).size() == 2; }));
  writer.SendSeq(2);
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kFailedPrecondition);
}

TEST_F(TableChangeActionTest, WhereTheCatalogDoesNotTakeTheSealTheTableStaysOpen) {
  Start();
  EXPECT_EQ(Write(0), GrpcCode::kOk);
  ASSERT_TRUE(Await([&] { return ingest::AllCommitted(*engine); }));
  deployment.catalog_faults.Add(
      {.matches = OfKind("commit_table"), .error = MakeStatus(ErrorCode::kIoFailed, "no route")});
  EXPECT_EQ(OnOrders("seal").code(), GrpcCode::kUnavailable);
  EXPECT_EQ(Write(1), GrpcCode::kOk);
}

TEST_F(TableChangeActionTest, AnAlteredTableTakesStreamsOfItsNewSchema) {
  Start();
  EXPECT_EQ(Write(0), GrpcCode::kOk);
  const Asker altered =
      Do("alter_table", {{"table", "sales.orders"},
                         {"changes",
                          {{{"change", "add_column"}, {"name", "note"}, {"type", "string"}},
                           {{"change", "make_optional"}, {"name", "id"}}}}});
  ASSERT_EQ(altered.code(), GrpcCode::kOk) << altered.message();
  EXPECT_EQ(altered.results.at(0).at("columns").dump(),
            R"([{"name":"id","required":false,"type":"long"},)"
            R"({"name":"note","required":false,"type":"string"}])");
  EXPECT_EQ(Write(1), GrpcCode::kInvalidArgument) << "the old schema";
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("note", arrow::utf8())});
  Writer writer = Open();
  writer.SendSchema(*schema, {"streaming_write", "sales", "orders"});
  writer.SendBatch(*arrow::RecordBatch::FromStructArray(
                        arrow::MakeArrayOfNull(arrow::struct_(schema->fields()), 1).ValueOrDie())
                        .ValueOrDie());
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));
}

TEST_F(TableChangeActionTest, AlterationsThatMakeNoSenseAreRefusedAndNothingIsChanged) {
  Start();
  EXPECT_EQ(Write(0), GrpcCode::kOk);
  using Json = nlohmann::json;
  const Json good = {{"change", "add_column"}, {"name", "note"}, {"type", "string"}};
  for (const auto& [wrong, message] : std::vector<std::pair<Json, std::string>>{
           {{{"change", "add_column"}, {"name", "x"}}, "'type' is missing"},
           {{{"change", "add_column"}, {"name", "x"}, {"type", "text"}}, "type 'text'"},
           {{{"change", "add_column"}, {"name", "id"}, {"type", "long"}}, "'id' already"},
           {{{"change", "add_column"}, {"name", "_file"}, {"type", "long"}}, "_file"},
           {{{"change", "drop_column"}, {"name", "x"}}, "no column 'x'"},
           {{{"change", "drop_column"}, {"name", "id"}, {"to", "x"}}, "unknown key 'to'"},
           {{{"change", "paint"}, {"name", "id"}}, "add_column, drop_column"},
           {{{"change", "make_optional"}, {"name", 1}}, "no string at position 1"},
           {"x", "no object at position 1"}}) {
    const Asker refused =
        Do("alter_table", {{"table", "sales.orders"}, {"changes", {good, wrong}}});
    EXPECT_EQ(refused.code(), GrpcCode::kInvalidArgument) << wrong;
    EXPECT_THAT(refused.message(), HasSubstr(message));
  }
  const auto table = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  EXPECT_EQ(table.metadata->current_schema()->fields.size(), 1u);
  EXPECT_EQ(Do("alter_table", {{"table", "sales.none"}, {"changes", {good}}}).code(),
            GrpcCode::kNotFound);
}

TEST_F(TableChangeActionTest, AlterationsAreTriedAgainWhereOthersWereFirst) {
  Start();
  EXPECT_EQ(Write(0), GrpcCode::kOk);
  ASSERT_TRUE(Await([&] { return ingest::AllCommitted(*engine); }));
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"),
                                 .times = 3,
                                 .error = MakeStatus(ErrorCode::kCommitConflict, "too late")});
  const Asker altered = Do(
      "alter_table", {{"table", "sales.orders"},
                      {"changes", {{{"change", "rename_column"}, {"name", "id"}, {"to", "key"}}}}});
  EXPECT_EQ(altered.code(), GrpcCode::kOk) << altered.message();
  const auto table = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  EXPECT_EQ(table.metadata->current_schema()->fields.at(0).name, "key");
  EXPECT_THAT(table.metadata->properties.at("schema.name-mapping.default"),
              HasSubstr(R"("names":["id","key"])"));
}

TEST_F(TableChangeActionTest, ADroppedTableHasBeenCommittedFirstAndHoldsTheLogUpByNothing) {
  deployment.options.commit_interval = std::chrono::hours(1);
  Start();
  Writer writer = OpenOrders();
  for (int64_t id = 0; id < 5; ++id) writer.SendIds(id);
  ASSERT_TRUE(Await([&] { return last_lsn() == Lsn{1004}; }));
  const auto before = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  const Asker dropped = OnOrders("drop_table");
  ASSERT_EQ(dropped.code(), GrpcCode::kOk) << dropped.message();
  EXPECT_EQ(dropped.results.at(0).at("uuid"), before.metadata->table_uuid);
  EXPECT_FALSE(deployment.catalog_memory.LoadTable(kOrders).ok());
  EXPECT_EQ(engine->progress().watermarks.committed_lsn, Lsn{1004});
  writer.SendIds(5);
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kNotFound) << writer.message();
  EXPECT_THAT(writer.message(), HasSubstr("was dropped"));
  EXPECT_EQ(OnOrders("drop_table").code(), GrpcCode::kNotFound);

  EXPECT_EQ(Write(7), GrpcCode::kOk) << "a new one in its place";
  const auto after = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  EXPECT_NE(after.metadata->table_uuid, before.metadata->table_uuid);
}

TEST_F(TableChangeActionTest, ADropThatCannotCommitKeepsTheTableAndItTakesWritesAgain) {
  Start();
  EXPECT_EQ(Write(0), GrpcCode::kOk);
  ASSERT_TRUE(Await([&] { return ingest::AllCommitted(*engine); }));
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"),
                                 .times = kForGood,
                                 .error = MakeStatus(ErrorCode::kUnavailable, "away")});
  EXPECT_EQ(Write(1), GrpcCode::kOk);
  Asker asker = Ask("drop_table", R"({"table": "sales.orders"})");
  ASSERT_TRUE(Await([&] { return Write(2) == GrpcCode::kUnavailable; })) << "it is being dropped";
  asker.call->Cancel();
  ASSERT_TRUE(Await([&] { return Write(2) == GrpcCode::kOk; }));
  EXPECT_TRUE(deployment.catalog_memory.LoadTable(kOrders).ok());
}

TEST_F(TableChangeActionTest, PurgeIsNotPromised) {
  Start();
  EXPECT_EQ(Write(0), GrpcCode::kOk);
  EXPECT_EQ(Do("drop_table", {{"table", "sales.orders"}, {"purge", true}}).code(),
            GrpcCode::kUnimplemented);
  EXPECT_EQ(Do("drop_table", {{"table", "sales.orders"}, {"purge", 1}}).code(),
            GrpcCode::kInvalidArgument);
  EXPECT_EQ(Do("drop_table", {{"table", "sales.orders"}, {"purge", false}}).code(), GrpcCode::kOk);
}

}  // namespace
}  // namespace arka::flight
