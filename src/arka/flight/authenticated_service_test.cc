#include "arka/flight/authenticated_service.h"

#include <atomic>
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/auth/credentials_fixture_test.h"
#include "arka/base/base64.h"
#include "arka/flight/flight.pb.h"
#include "arka/testing/simulated_clock.h"
#include "arka/transport/in_process.h"

namespace arka::flight {
namespace {

namespace messages = ::arrow::flight::protocol;

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using transport::GrpcCode;
using transport::Metadata;

constexpr char kAnyMethod[] = "/arrow.flight.protocol.FlightService/DoAction";
constexpr char kHandshake[] = "/arrow.flight.protocol.FlightService/Handshake";
const std::string kBearer = std::string("Bearer ") + auth::kToken;

/// Answers every message with who sent it, and needs `write` on sales.orders.
class EchoService : public transport::Service {
 public:
  std::unique_ptr<transport::CallHandler> Start(transport::ServerCall& call) override {
    ++started;
    return std::make_unique<Echo>(call, alive);
  }

  std::atomic<int> started = 0;
  std::atomic<int> alive = 0;

 private:
  class Echo : public transport::CallHandler {
   public:
    Echo(transport::ServerCall& call, std::atomic<int>& alive) : call_(call), alive_(alive) {
      ++alive_;
    }
    ~Echo() override { --alive_; }
    void OnMessage(std::shared_ptr<arrow::Buffer> message) override {
      EXPECT_THAT(call_.caller().Require(auth::Right::kWrite, "sales.orders"), IsOk());
      call_.Write({arrow::Buffer::FromString(call_.caller().principal() + ": "), message});
    }
    void OnHalfClose() override { call_.Finish({}); }

   private:
    transport::ServerCall& call_;
    std::atomic<int>& alive_;
  };
};

class AuthenticatedServiceTest : public ::testing::Test {
 protected:
  AuthenticatedServiceTest() {
    service_.Bind({&transport_->loop()});
    transport_->StartThread();
  }

  std::unique_ptr<transport::InProcessCall> Call(const Metadata& metadata,
                                                 const char* method = kAnyMethod) {
    auto call = transport_->Open(method, metadata);
    call->Send("hello");
    call->HalfClose();
    EXPECT_TRUE(call->WaitForStatus(kPatience).has_value());
    return call;
  }
  /// The whole handshake with the Basic header; answers the token's header.
  std::string LogIn() {
    auto call = transport_->Open(kHandshake, {{"authorization", Basic(auth::kPassword)}});
    call->HalfClose();
    EXPECT_EQ(call->WaitForStatus(kPatience).value().code, GrpcCode::kOk);
    const auto headers = call->headers().value_or(Metadata{});
    return std::string(transport::Find(headers, "authorization").value_or("none"));
  }
  static std::string Text(const std::shared_ptr<arrow::Buffer>& message) {
    return message == nullptr ? "" : message->ToString();
  }
  static std::string Basic(const std::string& password) {
    return "Basic " + EncodeBase64("alice:" + password);
  }
  void Change(const std::string& credentials) {
    fixture_.Write(credentials);
    ASSERT_THAT(file_->Refresh(), IsOk());
  }
  /// Lets seconds pass until the call has ended.
  transport::CallStatus EndOf(transport::InProcessCall& call) {
    for (int i = 0; i < 500; ++i) {
      clock_.Advance(seconds(1));
      if (const auto status = call.WaitForStatus(milliseconds(20))) return *status;
    }
    ADD_FAILURE() << "the call goes on";
    return {};
  }
  /// A call of that caller is under way.
  std::unique_ptr<transport::InProcessCall> Running(const std::string& authorization) {
    auto call = transport_->Open(kAnyMethod, {{"authorization", authorization}});
    call->Send("1");
    EXPECT_NE(call->WaitForMessage(kPatience), nullptr);
    return call;
  }

  static constexpr seconds kPatience{60};
  auth::CredentialsFixture fixture_;
  SimulatedClock clock_;
  const std::unique_ptr<auth::CredentialsFile> file_ = fixture_.Open();
  auth::Authenticator authenticator_{*file_, clock_};
  EchoService echo_;
  AuthenticatedService service_{&authenticator_, nullptr, echo_};
  std::unique_ptr<transport::InProcessTransport> transport_ =
      transport::InProcessTransport::Make(service_, clock_);
};

TEST_F(AuthenticatedServiceTest, ACallerWithCredentialsIsLetInUnderHisName) {
  const auto call = Call({{"authorization", kBearer}});
  EXPECT_EQ(call->status()->code, GrpcCode::kOk);
  EXPECT_EQ(Text(call->TakeMessage()), "ingest: hello");
}

TEST_F(AuthenticatedServiceTest, ACallerWithoutIsRefusedBeforeTheServiceHearsOfHim) {
  for (const Metadata& metadata :
       {Metadata{}, Metadata{{"authorization", "Bearer x"}}, Metadata{{"authorization", "Basic x"}},
        Metadata{{"authorization", Basic("wrong")}}, Metadata{{"auth-token-bin", "x"}}}) {
    const auto call = Call(metadata);
    EXPECT_EQ(call->status()->code, GrpcCode::kUnauthenticated);
    EXPECT_EQ(call->TakeMessage(), nullptr);
  }
  EXPECT_EQ(echo_.started, 0);
}

TEST_F(AuthenticatedServiceTest, APasswordIsCheckedAsideAndAnsweredWithAToken) {
  const auto call = Call({{"authorization", Basic(auth::kPassword)}});
  EXPECT_EQ(call->status()->code, GrpcCode::kOk) << call->status()->message;
  EXPECT_EQ(Text(call->TakeMessage()), "alice: hello");
  const auto headers = call->headers().value();
  const std::string bearer(transport::Find(headers, "authorization").value());
  EXPECT_EQ(Text(Call({{"authorization", bearer}})->TakeMessage()), "alice: hello");
  EXPECT_EQ(Text(Call({{"auth-token-bin", bearer.substr(7)}})->TakeMessage()), "alice: hello");
}

TEST_F(AuthenticatedServiceTest, AHandshakeWithTheBasicHeaderAnswersAToken) {
  EXPECT_EQ(Text(Call({{"authorization", LogIn()}})->TakeMessage()), "alice: hello");
}

TEST_F(AuthenticatedServiceTest, AHandshakeWithABasicAuthMessageAnswersAToken) {
  for (const bool right : {true, false}) {
    messages::BasicAuth login;
    login.set_username("alice");
    login.set_password(right ? auth::kPassword : "wrong");
    messages::HandshakeRequest request;
    request.set_payload(login.SerializeAsString());
    const auto call = transport_->Open(kHandshake);
    call->Send(request.SerializeAsString());
    call->HalfClose();
    EXPECT_EQ(call->WaitForStatus(kPatience).value().code,
              right ? GrpcCode::kOk : GrpcCode::kUnauthenticated);
    messages::HandshakeResponse response;
    if (!right) continue;
    ASSERT_TRUE(response.ParseFromString(Text(call->TakeMessage())));
    EXPECT_EQ(Text(Call({{"authorization", "Bearer " + response.payload()}})->TakeMessage()),
              "alice: hello");
  }
}

TEST_F(AuthenticatedServiceTest, AHandshakeWithoutCredentialsIsRefused) {
  EXPECT_EQ(Call({}, kHandshake)->status()->code, GrpcCode::kUnauthenticated);
  const auto empty = transport_->Open(kHandshake);
  empty->HalfClose();
  EXPECT_EQ(empty->WaitForStatus(kPatience).value().code, GrpcCode::kUnauthenticated);
}

TEST_F(AuthenticatedServiceTest, WhatARunningCallNeedsIsLookedAtAgain) {
  const auto call = Running(kBearer);
  clock_.Advance(seconds(5));
  call->Send("2");
  EXPECT_EQ(Text(call->WaitForMessage(kPatience)), "ingest: 2");
  std::string without_write = auth::SampleCredentials();
  without_write.replace(without_write.find("[write]"), 7, "[read]");
  Change(without_write);
  const auto end = EndOf(*call);
  EXPECT_EQ(end.code, GrpcCode::kPermissionDenied);
  EXPECT_THAT(end.message, HasSubstr("no 'write' right on table 'sales.orders'"));
  EXPECT_EQ(echo_.alive, 0) << "nothing that was sent meanwhile may be looked at";
}

TEST_F(AuthenticatedServiceTest, ARunningCallEndsWhenItsTokenIsRevoked) {
  const auto call = Running(kBearer);
  std::string without_tokens = auth::SampleCredentials();
  const size_t token = without_tokens.find("[sha256");
  without_tokens.replace(token, without_tokens.find(']', token) - token, "[");
  Change(without_tokens);
  const auto end = EndOf(*call);
  EXPECT_EQ(end.code, GrpcCode::kUnauthenticated);
  EXPECT_THAT(end.message, HasSubstr("was revoked"));
}

TEST_F(AuthenticatedServiceTest, ARunningCallEndsWhenItsTokenExpires) {
  const auto call = Running(LogIn());
  clock_.Advance(std::chrono::minutes(58));
  call->Send("2");
  EXPECT_EQ(Text(call->WaitForMessage(kPatience)), "alice: 2");
  clock_.Advance(std::chrono::minutes(2));
  const auto end = EndOf(*call);
  EXPECT_EQ(end.code, GrpcCode::kUnauthenticated);
  EXPECT_THAT(end.message, HasSubstr("has expired"));
}

TEST_F(AuthenticatedServiceTest, WithoutAnAuthenticatorEverybodyIsLetIn) {
  AuthenticatedService open(nullptr, nullptr, echo_);
  const auto transport = transport::InProcessTransport::Make(open, clock_);
  open.Bind({&transport->loop()});
  const auto call = transport->Open(kAnyMethod);
  call->Send("hello");
  call->HalfClose();
  transport->RunUntilIdle();
  EXPECT_EQ(Text(call->TakeMessage()), "anonymous: hello");
  const auto handshake = transport->Open(kHandshake);
  transport->RunUntilIdle();
  EXPECT_EQ(handshake->status()->code, GrpcCode::kUnimplemented);
}

}  // namespace
}  // namespace arka::flight
