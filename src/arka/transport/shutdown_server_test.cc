// How connections end from the server's side: drain, stop, age, idleness.
#include <gtest/gtest.h>

#include "arka/transport/http2_peer_test.h"
#include "arka/transport/server_fixture_test.h"

namespace arka::transport {
namespace {

using namespace std::chrono_literals;

class EndingServer : public ServerTest {};

TEST_F(EndingServer, DrainsWithGoAwayWhileRunningCallsGoOn) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo"));
  ASSERT_TRUE(journal_.Await("start"));
  server_->StopAccepting();
  const auto go_away = peer.AwaitFrame(kGoAway);
  ASSERT_TRUE(go_away);
  EXPECT_EQ(go_away->payload.substr(4), BigEndian(NGHTTP2_NO_ERROR));
  peer.Message(1, "still running", true);
  EXPECT_EQ(peer.AwaitEnd(1).data, Framed("still running"));
  EXPECT_EQ(peer.AwaitGoAwayAndClose(), std::nullopt);
}

TEST_F(EndingServer, RefusesNewCallsWhileItDrains) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Hang"));
  ASSERT_TRUE(journal_.Await("start"));
  server_->StopAccepting();
  ASSERT_TRUE(peer.AwaitFrame(kGoAway));
  peer.Request(3, GrpcRequest("/t/Echo"), true);
  peer.SendFrame(kRstStream, 0, 1, BigEndian(NGHTTP2_CANCEL));
  EXPECT_EQ(peer.AwaitGoAwayAndClose().value_or(NGHTTP2_NO_ERROR), uint32_t{NGHTTP2_NO_ERROR});
  EXPECT_EQ(journal_.Count("start"), 1u);
}

TEST_F(EndingServer, EndsRunningCallsAsUnavailableWhenStopped) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Hang"));
  ASSERT_TRUE(journal_.Await("start"));
  std::thread stopper([this] { server_->Stop(10s); });
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "14");
  peer.AwaitGoAwayAndClose();
  stopper.join();
  EXPECT_EQ(journal_.Count("cancelled 14"), 1u);
  EXPECT_EQ(journal_.Count("destroyed"), 1u);
  EXPECT_EQ(server_->counters().connections, 0);
  server_->Stop(10s);
}

TEST_F(EndingServer, StopsInTimeWhereAPeerDoesNotRead) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Pour"));
  ASSERT_TRUE(journal_.Await("start"));
  const auto begin = std::chrono::steady_clock::now();
  server_->Stop(50ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_EQ(journal_.Count("destroyed"), 1u);
}

TEST_F(EndingServer, EndsIdleConnections) {
  ServerOptions options;
  options.idle_timeout = 20ms;
  StartServer(options);
  Http2Peer peer(port());
  EXPECT_EQ(peer.AwaitGoAwayAndClose(), uint32_t{NGHTTP2_NO_ERROR});
}

TEST_F(EndingServer, EndsOldConnectionsOnceTheirCallsAreDone) {
  ServerOptions options;
  options.max_connection_age = 20ms;
  StartServer(options);
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo"));
  ASSERT_TRUE(peer.AwaitFrame(kGoAway));
  peer.Message(1, "last words", true);
  EXPECT_EQ(peer.AwaitEnd(1).data, Framed("last words"));
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(EndingServer, DropsAnswersThatComeTooLate) {
  StartServer();
  HttpResponder late;
  {
    class LateHandler final : public HttpHandler {
     public:
      explicit LateHandler(HttpResponder& responder, Journal& journal)
          : responder_(responder), journal_(journal) {}
      void Handle(HttpRequest, HttpResponder respond) override {
        responder_ = std::move(respond);
        journal_.Add("asked");
      }
      HttpResponder& responder_;
      Journal& journal_;
    } handler(late, journal_);
    ServerOptions options;
    options.port = 0;
    auto server = *Server::Make(options, service_, handler, clock_);
    ASSERT_TRUE(server->Start().ok());
    ByteStream stream(server->port());
    stream.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(journal_.Await("asked"));
  }
  late({});
}

TEST_F(EndingServer, RunsTasksOnItsLoopsInOrder) {
  ServerOptions options;
  options.loops = 2;
  StartServer(options);
  ASSERT_EQ(server_->loops().size(), 2u);
  EventLoop* loop = server_->loops().back();
  EXPECT_FALSE(loop->InLoop());
  loop->Post([this, loop] {
    loop->Defer([this] { journal_.Add(journal_.Count("first") == 1 ? "in order" : "too early"); });
    journal_.Add(loop->InLoop() ? "first" : "elsewhere");
  });
  loop->PostAfter(1ms, [this] { journal_.Add("timer"); });
  EXPECT_TRUE(journal_.Await("first"));
  EXPECT_TRUE(journal_.Await("in order"));
  EXPECT_TRUE(journal_.Await("timer"));
}

}  // namespace
}  // namespace arka::transport
