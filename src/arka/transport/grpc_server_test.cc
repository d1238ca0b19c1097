// gRPC over real sockets: what a call sees of the wire and the wire of a call.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/transport/http2_peer_test.h"
#include "arka/transport/server_fixture_test.h"

namespace arka::transport {
namespace {

using testing::HasSubstr;

class GrpcServer : public ServerTest {};

TEST_F(GrpcServer, EchoesMessagesAndEndsWithTrailers) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo"));
  peer.Message(1, "hello");
  peer.Message(1, "", true);
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_EQ(answer.data, Framed("hello") + Framed(""));
  EXPECT_EQ(Find(answer.headers, ":status"), "200");
  EXPECT_EQ(Find(answer.headers, "content-type"), "application/grpc");
  EXPECT_EQ(answer.grpc_status(), "0");
  EXPECT_FALSE(answer.reset);
}

TEST_F(GrpcServer, TakesAMessageInPiecesOfOneByte) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo"));
  const std::string framed = Framed("piecemeal");
  for (const char byte : framed) peer.SendFrame(kData, 0, 1, {&byte, 1});
  peer.SendFrame(kData, kEndStream, 1);
  EXPECT_EQ(peer.AwaitEnd(1).data, framed);
}

TEST_F(GrpcServer, CarriesAMessageLargerThanAllWindows) {
  StartServer();
  Http2Peer peer(port(), {}, {{4, 32 << 20}});
  std::string large(20 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 4096) large[i] = static_cast<char>(i >> 12);
  const std::string framed = Framed(large);
  ASSERT_TRUE(peer.AwaitFrame(kSettings));
  peer.Request(1, GrpcRequest("/t/Echo"));
  // The server's window is 16 MiB: it gives it back while the message arrives.
  size_t window = 16 << 20;
  for (size_t at = 0; at < framed.size();) {
    const size_t size = std::min({framed.size() - at, size_t{1} << 20, window});
    if (size > 0) {
      peer.SendFrame(kData, 0, 1, std::string_view(framed).substr(at, size));
      at += size;
      window -= size;
      continue;
    }
    while (window == 0) {
      const auto update = peer.AwaitFrame(kWindowUpdate);
      ASSERT_TRUE(update);
      if (update->id == 1) window = 8 << 20;
    }
  }
  peer.SendFrame(kData, kEndStream, 1);
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_TRUE(answer.data == framed);
  EXPECT_EQ(answer.grpc_status(), "0");
}

TEST_F(GrpcServer, AnswersARefusalWithTrailersOnlyAndAnEncodedMessage) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Refuse"));
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_EQ(Find(answer.trailers, ":status"), "200");
  EXPECT_EQ(answer.grpc_status(), "5");
  EXPECT_EQ(Find(answer.trailers, "grpc-message"), "no 100 %25%0A");
  EXPECT_EQ(Find(answer.trailers, "reason"), "test");
  EXPECT_EQ(answer.data, "");
}

TEST_F(GrpcServer, ResetsWithoutErrorWhenItEndsWhileTheClientStillSends) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/First"));
  peer.Message(1, "one");
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "10");
  const auto reset = peer.AwaitFrame(kRstStream);
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->payload, BigEndian(NGHTTP2_NO_ERROR));
  // What was under way is thrown away, and the connection goes on.
  peer.Message(1, "two", true);
  peer.Request(3, GrpcRequest("/t/Echo"), true);
  EXPECT_EQ(peer.AwaitEnd(3).grpc_status(), "0");
}

TEST_F(GrpcServer, DecodesAndEncodesBinaryMetadata) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo", {{"x-bin", "AP8="}}), true);
  EXPECT_EQ(Find(peer.AwaitEnd(1).headers, "y-bin"), "AP8");
}

TEST_F(GrpcServer, RefusesEncodingsItDoesNotKnow) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo", {{"grpc-encoding", "gzip"}}));
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_EQ(answer.grpc_status(), "12");
  EXPECT_EQ(Find(answer.trailers, "grpc-accept-encoding"), "identity");
  EXPECT_EQ(journal_.Count("start"), 0u);
}

TEST_F(GrpcServer, EndsACallAtItsDeadline) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Hang", {{"grpc-timeout", "20m"}}));
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "4");
  EXPECT_TRUE(journal_.Await("cancelled 4"));
  EXPECT_TRUE(journal_.Await("destroyed"));
}

TEST_F(GrpcServer, RefusesAMalformedDeadline) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Hang", {{"grpc-timeout", "soon"}}));
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "13");
}

TEST_F(GrpcServer, TellsTheHandlerOfAReset) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Hang"));
  ASSERT_TRUE(journal_.Await("start"));
  peer.SendFrame(kRstStream, 0, 1, BigEndian(NGHTTP2_CANCEL));
  EXPECT_TRUE(journal_.Await("cancelled 1"));
  EXPECT_TRUE(journal_.Await("destroyed"));
}

TEST_F(GrpcServer, TellsTheHandlerOfALostConnection) {
  StartServer();
  {
    Http2Peer peer(port());
    peer.Request(1, GrpcRequest("/t/Hang"));
    ASSERT_TRUE(journal_.Await("start"));
  }
  EXPECT_TRUE(journal_.Await("cancelled 1"));
  EXPECT_TRUE(journal_.Await("destroyed"));
}

TEST_F(GrpcServer, RefusesAnOversizeMessageAtItsPrefix) {
  ServerOptions options;
  options.max_message_bytes = 1000;
  StartServer(options);
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo"));
  peer.Message(1, "before");
  peer.SendFrame(kData, 0, 1, std::string_view("\0\0\0\x03\xE9", 5));
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_EQ(answer.data, Framed("before"));
  EXPECT_EQ(answer.grpc_status(), "8");
  EXPECT_THAT(std::string(*Find(answer.trailers, "grpc-message")), HasSubstr("1001"));
  EXPECT_TRUE(journal_.Await("cancelled 8"));
}

TEST_F(GrpcServer, RefusesAStreamThatEndsInsideAMessage) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Echo"));
  peer.SendFrame(kData, kEndStream, 1, Framed("cut").substr(0, 6));
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "13");
}

TEST_F(GrpcServer, RefusesMetadataOverTheLimit) {
  StartServer();
  Http2Peer peer(port());
  ASSERT_TRUE(peer.AwaitFrame(kSettings));
  peer.Request(1, GrpcRequest("/t/Echo", {{"large", std::string(20'000, 'x')}}));
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "8");
  EXPECT_EQ(journal_.Count("start"), 0u);
}

TEST_F(GrpcServer, HoldsOnePausedStreamBackAndNoOther) {
  StartServer();
  Http2Peer peer(port());
  ASSERT_TRUE(peer.AwaitFrame(kSettings));
  peer.Request(1, GrpcRequest("/t/Pause"));
  peer.Message(1, "one");
  ASSERT_TRUE(journal_.Await("paused"));
  for (int i = 0; i < 8; ++i) peer.Message(1, std::string(1'000'000, 'x'));
  peer.Message(1, "last", true);
  peer.Request(3, GrpcRequest("/t/Echo"));
  peer.Message(3, "other", true);
  ASSERT_EQ(peer.AwaitEnd(3).data, Framed("other"));
  EXPECT_EQ(journal_.Count("message"), 2u);
  EXPECT_GE(server_->counters().message_bytes, 8'000'000);
  service_.Resume();
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "0");
  EXPECT_EQ(journal_.Count("message"), 11u);
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(GrpcServer, StopsReadingAConnectionWhosePausedStreamFillsTheMemory) {
  ServerOptions options;
  options.message_memory_bytes = 8 << 20;
  StartServer(options);
  Http2Peer peer(port());
  ASSERT_TRUE(peer.AwaitFrame(kSettings));
  peer.Request(1, GrpcRequest("/t/Pause"));
  peer.Message(1, "one");
  ASSERT_TRUE(journal_.Await("paused"));
  std::thread sender([&peer] {
    for (int i = 0; i < 15; ++i) peer.Message(1, std::string(1'000'000, 'x'));
    peer.Message(1, "last", true);
  });
  while (server_->counters().message_bytes < (6 << 20)) std::this_thread::yield();
  service_.Resume();
  sender.join();
  EXPECT_EQ(peer.AwaitEnd(1).grpc_status(), "0");
  EXPECT_EQ(journal_.Count("message"), 17u);
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(GrpcServer, WritesToAReaderWhoGivesTheWindowBackSlowly) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Pour"));
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_EQ(answer.data.size(), 64u * ((1 << 20) + 5));
  EXPECT_EQ(answer.grpc_status(), "0");
}

TEST_F(GrpcServer, RunsAThousandStreamsAtOnce) {
  StartServer();
  Http2Peer peer(port());
  for (int32_t id = 1; id < 2000; id += 2) peer.Request(id, GrpcRequest("/t/Echo"));
  ASSERT_TRUE(journal_.Await("start", 1000));
  EXPECT_EQ(server_->counters().calls, 1000);
  for (int32_t id = 1; id < 2000; id += 2) peer.Message(id, std::to_string(id), true);
  for (int32_t id = 1; id < 2000; id += 2) {
    ASSERT_EQ(peer.AwaitEnd(id).data, Framed(std::to_string(id)));
  }
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(GrpcServer, RefusesStreamsOverTheLimitSoThatTheyMayBeTriedAgain) {
  ServerOptions options;
  options.max_streams_per_connection = 2;
  StartServer(options);
  Http2Peer peer(port());
  for (const int32_t id : {1, 3, 5}) peer.Request(id, GrpcRequest("/t/Hang"));
  EXPECT_EQ(peer.AwaitEnd(5).reset, uint32_t{NGHTTP2_REFUSED_STREAM});
}

}  // namespace
}  // namespace arka::transport
