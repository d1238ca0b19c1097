#include "arka/http/status_pages.h"

#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "arka/ingest/deployment_test.h"

namespace arka::http {
namespace {

class StatusPagesTest : public ::testing::Test {
 protected:
  transport::HttpResponse Get(const std::string& path, const std::string& accept = "",
                              const std::string& method = "GET") {
    transport::HttpRequest request;
    request.method = method;
    request.path = path;
    if (!accept.empty()) request.headers.emplace_back("accept", accept);
    transport::HttpResponse response;
    int answers = 0;
    pages_.Handle(std::move(request), [&](transport::HttpResponse answer) {
      response = std::move(answer);
      ++answers;
    });
    EXPECT_EQ(answers, 1);
    return response;
  }

  ingest::Deployment deployment_;
  std::unique_ptr<ingest::Engine> engine_ = deployment_.StartEngine();
  StatusPages pages_{*engine_};
};

TEST_F(StatusPagesTest, TheFirstPageIsTextForPeopleAndJsonForWhoAsks) {
  const auto text = Get("/", "text/html,*/*");
  EXPECT_EQ(text.status, 200);
  EXPECT_EQ(text.content_type, "text/plain; charset=utf-8");
  for (const char* part : {"Arka test", "node-1", "LOCAL_DISK", "999", "/api/v1/status"}) {
    EXPECT_NE(text.body.find(part), std::string::npos) << part << " in\n" << text.body;
  }
  EXPECT_EQ(text.body.find("NOT"), std::string::npos);
  const auto json = Get("/", "application/json");
  EXPECT_EQ(json.content_type, "application/json");
  EXPECT_EQ(nlohmann::json::parse(json.body)["node"], "node-1");
}

TEST_F(StatusPagesTest, TheStatusIsAlwaysJsonAndFollowsTheWrites) {
  ingest::IdStream orders;
  ASSERT_THAT(orders.Open(*engine_, ingest::kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine_, 0), IsOk());
  ASSERT_TRUE(deployment_.PassTimeUntil([&] { return ingest::AllCommitted(*engine_); }));
  for (const char* accept : {"", "text/html"}) {
    const auto response = Get("/api/v1/status", accept);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    const auto json = nlohmann::json::parse(response.body);
    EXPECT_EQ(json["last_lsn"], 1000);
    EXPECT_EQ(json["committed_lsn"], 1000);
    EXPECT_EQ(json["ready"], true);
    EXPECT_EQ(json["problem"], "");
  }
}

TEST_F(StatusPagesTest, HealthAndReadinessAreGreenWhileWritesAreTaken) {
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz", "", "HEAD").status, 200);
}

TEST_F(StatusPagesTest, ReadinessIsRedWhereTheLogHasFailedAndSaysWhy) {
  deployment_.disk_faults.Add({.matches = OfKind("sync"), .times = kForGood});
  ingest::IdStream orders;
  (void)orders.Open(*engine_, ingest::kOrders);
  if (orders.target != nullptr) (void)orders.Write(*engine_, 0);
  ASSERT_TRUE(deployment_.PassTimeUntil([&] { return !engine_->failure().ok(); }));
  const auto ready = Get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.body.find("injected fault"), std::string::npos) << ready.body;
  EXPECT_EQ(Get("/healthz").status, 200) << "the process lives";
  const auto page = Get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("NOT taking writes"), std::string::npos);
  EXPECT_NE(page.body.find("problem: "), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(Get("/api/v1/status").body)["ready"], false);
}

TEST_F(StatusPagesTest, ReadinessIsRedAtShutdown) {
  pages_.Shutdown();
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(StatusPagesTest, AProblemOfAnyBytesIsStillJson) {
  deployment_.object_faults.Add({.matches = OfKind("put"),
                                 .times = kForGood,
                                 .error = Error(ErrorCode::kIoFailed, "bucket \xff\xfe gone")});
  ingest::IdStream orders;
  ASSERT_THAT(orders.Open(*engine_, ingest::kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine_, 0), IsOk());
  ASSERT_TRUE(deployment_.PassTimeUntil([&] { return !engine_->status().problem.empty(); }));
  const auto json = nlohmann::json::parse(Get("/api/v1/status").body);
  EXPECT_NE(json["problem"].get<std::string>().find("gone"), std::string::npos);
  EXPECT_EQ(json["ready"], true) << "writes are taken while the object store is away";
}

TEST_F(StatusPagesTest, WhatIsNotThereIsNotFoundAndNothingIsWrittenTo) {
  for (const char* path : {"", "/nope", "/healthz/", "/../etc/passwd", "/API/v1/status"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "", "get"}) {
    const auto refused = Get("/", "", method);
    EXPECT_EQ(refused.status, 405) << method;
    EXPECT_EQ(transport::Find(refused.headers, "allow"), "GET, HEAD");
  }
}

}  // namespace
}  // namespace arka::http
