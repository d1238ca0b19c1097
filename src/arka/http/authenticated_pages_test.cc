#include "arka/http/authenticated_pages.h"

#include <future>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/auth/credentials_fixture_test.h"
#include "arka/base/base64.h"
#include "arka/testing/simulated_clock.h"
#include "arka/transport/local_loop.h"

namespace arka::http {
namespace {

using testing::HasSubstr;
using transport::HttpRequest;
using transport::HttpResponse;

/// Says who asked.
struct EchoPages : transport::HttpHandler {
  void Handle(HttpRequest request, transport::HttpResponder respond) override {
    HttpResponse response;
    response.body = "'" + request.caller->principal() + "'";
    response.stream = stream;
    readable = request.caller->May(auth::Right::kRead, "sales.orders");
    respond(std::move(response));
  }
  transport::BodyTerms Admit(const HttpRequest& head) override {
    asked_about = head.caller->principal();
    return {};
  }
  bool readable = false;
  std::string asked_about;
  std::shared_ptr<transport::BodyStream> stream;
};

class AuthenticatedPagesTest : public ::testing::Test {
 protected:
  static HttpRequest Request(const std::string& path, const std::string& authorization) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.peer = "10.0.0.1:1";
    if (!authorization.empty()) request.headers = {{"authorization", authorization}};
    return request;
  }
  HttpResponse Get(const std::string& path, const std::string& authorization = "") {
    std::promise<HttpResponse> answer;
    pages_.Handle(Request(path, authorization),
                  [&](HttpResponse response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }

  auth::CredentialsFixture fixture_;
  SimulatedClock clock_;
  const std::unique_ptr<auth::CredentialsFile> file_ = fixture_.Open();
  auth::Authenticator authenticator_{*file_, clock_};
  EchoPages echo_;
  AuthenticatedPages pages_{&authenticator_, nullptr, echo_};
};

TEST_F(AuthenticatedPagesTest, EverythingButTheProbesNeedsCredentials) {
  for (const char* path : {"/", "/api/v1/status", "/api/v1/tables/sales/orders", "/metrics", "/x",
                           "/healthz/", "/readyz2", "//healthz"}) {
    const HttpResponse refused = Get(path);
    EXPECT_EQ(refused.status, 401) << path;
    EXPECT_THAT(std::string(transport::Find(refused.headers, "www-authenticate").value_or("")),
                HasSubstr("Bearer"));
  }
  for (const char* path : {"/healthz", "/readyz"}) {
    EXPECT_EQ(Get(path).body, "''") << path;
    EXPECT_FALSE(echo_.readable) << "a probe may see no table";
  }
}

TEST_F(AuthenticatedPagesTest, TokensAndPasswordsAreTheirUsers) {
  EXPECT_EQ(Get("/", std::string("Bearer ") + auth::kToken).body, "'ingest'");
  EXPECT_EQ(Get("/", "Basic " + EncodeBase64(std::string("alice:") + auth::kPassword)).body,
            "'alice'");
  EXPECT_EQ(Get("/", "Basic " + EncodeBase64("alice:wrong")).status, 401);
  EXPECT_EQ(Get("/", "Bearer wrong").status, 401);
}

TEST_F(AuthenticatedPagesTest, ABodyIsNotTakenInFromWhoIsNobody) {
  EXPECT_EQ(pages_.Admit(Request("/", "")).refusal.value().status, 401);
  EXPECT_EQ(pages_.Admit(Request("/", "Bearer x")).refusal.value().status, 401);
  EXPECT_FALSE(pages_.Admit(Request("/", std::string("Bearer ") + auth::kToken)).refusal);
  EXPECT_EQ(echo_.asked_about, "ingest");
  EXPECT_FALSE(pages_.Admit(Request("/healthz", "")).refusal);
}

/// What the transport sees of a body.
struct SinkOfTest : transport::BodySink {
  explicit SinkOfTest(transport::EventLoop& event_loop) : loop_(event_loop) {}
  transport::EventLoop& loop() override { return loop_; }
  void Write(std::shared_ptr<arrow::Buffer> bytes) override { written += bytes->ToString(); }
  size_t queued_bytes() const override { return 0; }
  void Finish() override { end = "finished"; }
  void Abort() override { end = "aborted"; }

  transport::EventLoop& loop_;
  std::string written, end;
};

/// Never ends by itself.
struct EndlessBody : transport::BodyStream {
  void Start(transport::BodySink& sink) override { sink.Write(arrow::Buffer::FromString("x")); }
  void OnClosed() override { closed = true; }
  bool closed = false;
};

TEST_F(AuthenticatedPagesTest, ABodyEndsWhenItsCallerIsTakenOutOfTheFile) {
  transport::LocalLoop loop(clock_);
  SinkOfTest sink(loop);
  const auto endless = std::make_shared<EndlessBody>();
  echo_.stream = endless;
  const HttpResponse response = Get("/", std::string("Bearer ") + auth::kToken);
  ASSERT_NE(response.stream, nullptr);
  response.stream->Start(sink);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(std::chrono::seconds(1));
    loop.RunUntilIdle();
  }
  EXPECT_EQ(sink.written, "x");
  EXPECT_EQ(sink.end, "");
  fixture_.Write("users: {}\n");
  ASSERT_THAT(file_->Refresh(), IsOk());
  clock_.Advance(std::chrono::seconds(1));
  loop.RunUntilIdle();
  EXPECT_EQ(sink.end, "aborted");
  EXPECT_TRUE(endless->closed);
}

TEST_F(AuthenticatedPagesTest, WithoutAnAuthenticatorEverybodyIsLetIn) {
  AuthenticatedPages open(nullptr, nullptr, echo_);
  EXPECT_FALSE(open.Admit(Request("/", "")).refusal);
  open.Handle(Request("/", ""),
              [](const HttpResponse& response) { EXPECT_EQ(response.body, "'anonymous'"); });
}

}  // namespace
}  // namespace arka::http
