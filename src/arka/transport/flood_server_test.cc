// Peers that abuse HTTP/2: each is cut off, and others are served meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/transport/http2_peer_test.h"
#include "arka/transport/server_fixture_test.h"

namespace arka::transport {
namespace {

class FloodedServer : public ServerTest {
 protected:
  void ExpectServes() {
    Http2Peer peer(port());
    peer.Request(1, GrpcRequest("/t/Echo"));
    peer.Message(1, "still there", true);
    EXPECT_EQ(peer.AwaitEnd(1).data, Framed("still there"));
  }

  /// Sends `make(i)` until the server cuts the connection; false where it took a million.
  template <typename Make>
  static bool SendsUntilCut(Http2Peer& peer, Make make) {
    for (int i = 0; i < 1000; ++i) {
      std::string bytes;
      for (int k = 0; k < 1000; ++k) bytes += make(i * 1000 + k);
      if (!peer.SendRaw(bytes)) return true;
    }
    return false;
  }

  static std::string RawFrame(uint8_t type, uint8_t flags, int32_t id, const std::string& payload) {
    std::string frame = BigEndian(static_cast<uint32_t>(payload.size())).substr(1);
    frame.push_back(static_cast<char>(type));
    frame.push_back(static_cast<char>(flags));
    return frame + BigEndian(static_cast<uint32_t>(id)) + payload;
  }
};

TEST_F(FloodedServer, LetsAClientCancelAThousandCallsAtOnce) {
  StartServer();
  Http2Peer peer(port());
  for (int32_t id = 1; id < 2000; id += 2) peer.Request(id, GrpcRequest("/t/Hang"));
  ASSERT_TRUE(journal_.Await("start", 1000));
  for (int32_t id = 1; id < 2000; id += 2) peer.SendFrame(kRstStream, 0, id, BigEndian(8));
  EXPECT_TRUE(journal_.Await("destroyed", 1000));
  peer.Request(2001, GrpcRequest("/t/Echo"), true);
  EXPECT_EQ(peer.AwaitEnd(2001).grpc_status(), "0");
}

TEST_F(FloodedServer, CutsOffEndlessRapidResets) {
  StartServer();
  Http2Peer peer(port());
  const std::string head = HeaderBlock(GrpcRequest("/t/Hang"));
  EXPECT_TRUE(SendsUntilCut(peer, [&](int i) {
    return RawFrame(kHeaders, kEndHeaders, 2 * i + 1, head) +
           RawFrame(kRstStream, 0, 2 * i + 1, BigEndian(8));
  }));
  ExpectServes();
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(FloodedServer, CutsOffEndlessContinuations) {
  StartServer();
  Http2Peer peer(port());
  peer.SendFrame(kHeaders, 0, 1, HeaderBlock(GrpcRequest("/t/Hang")));
  const std::string more = HeaderBlock({{"x", std::string(100, 'y')}});
  EXPECT_TRUE(SendsUntilCut(peer, [&](int) { return RawFrame(kContinuation, 0, 1, more); }));
  ExpectServes();
}

TEST_F(FloodedServer, CutsOffPingsWhoseAnswersAreNotRead) {
  StartServer();
  Http2Peer peer(port());
  EXPECT_TRUE(SendsUntilCut(peer, [&](int) { return RawFrame(kPing, 0, 0, "12345678"); }));
  ExpectServes();
}

TEST_F(FloodedServer, CutsOffEndlessSettings) {
  StartServer();
  Http2Peer peer(port());
  const std::string setting = std::string("\0\4", 2) + BigEndian(65535);
  EXPECT_TRUE(SendsUntilCut(peer, [&](int) { return RawFrame(kSettings, 0, 0, setting); }));
  ExpectServes();
}

TEST_F(FloodedServer, CutsOffEndlessEmptyData) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Hang"));
  EXPECT_TRUE(SendsUntilCut(peer, [&](int) { return RawFrame(kData, 0, 1, ""); }));
  ExpectServes();
}

TEST_F(FloodedServer, CutsOffAPeerWhoMakesItResetStreamsWithoutEnd) {
  StartServer();
  Http2Peer peer(port());
  const std::string head = HeaderBlock(GrpcRequest("/t/Hang"));
  EXPECT_TRUE(SendsUntilCut(peer, [&](int i) {
    return RawFrame(kHeaders, kEndHeaders, 2 * i + 1, head) +
           RawFrame(kWindowUpdate, 0, 2 * i + 1, BigEndian(0));  // a stream error
  }));
  ExpectServes();
}

TEST_F(FloodedServer, ChargesNothingForPrefixesThatPromiseMuch) {
  StartServer();
  Http2Peer peer(port());
  for (int32_t id = 1; id < 200; id += 2) {
    peer.Request(id, GrpcRequest("/t/Echo"));
    peer.SendFrame(kData, 0, id, std::string("\0\3\0\0\0x", 6));  // 48 MiB, one byte of it
  }
  ASSERT_TRUE(journal_.Await("start", 100));
  ExpectServes();
  EXPECT_LE(server_->counters().message_bytes, 100);
}

TEST_F(FloodedServer, RefusesMessagesPastItsMemoryForThem) {
  ServerOptions options;
  options.message_memory_bytes = 1 << 20;
  StartServer(options);
  Http2Peer peer(port());
  ASSERT_TRUE(peer.AwaitFrame(kSettings));
  for (const int32_t id : {1, 3}) {
    peer.Request(id, GrpcRequest("/t/Echo"));
    peer.SendFrame(kData, 0, id, Framed(std::string(900'000, 'x')).substr(0, 800'000));
  }
  EXPECT_EQ(peer.AwaitEnd(3).grpc_status(), "8");
  EXPECT_LE(server_->counters().message_bytes, 1 << 20);
}

TEST_F(FloodedServer, BoundsWhatASlowReaderMakesItQueue) {
  StartServer();
  Http2Peer peer(port());
  peer.gives_windows_back = false;
  peer.Request(1, GrpcRequest("/t/Pour"));
  ASSERT_TRUE(journal_.Await("start"));
  // It reads nothing: 64 KiB of window are sent, the rest waits with the handler.
  ASSERT_TRUE(peer.AwaitFrame(kData));
  ExpectServes();
  EXPECT_EQ(journal_.Count("destroyed"), 1u);  // of ExpectServes
}

TEST_F(FloodedServer, ClosesSilentConnections) {
  ServerOptions options;
  options.handshake_timeout = std::chrono::milliseconds(50);
  StartServer(options);
  ByteStream silent(port());
  ByteStream half_preface(port());
  half_preface.Send("PRI * HT");
  ByteStream half_request(port());
  half_request.Send("GET / HTTP/1.1\r\nHost: ");
  EXPECT_EQ(silent.ReceiveAll(), "");
  EXPECT_EQ(half_preface.ReceiveAll(), "");
  EXPECT_EQ(half_request.ReceiveAll(), "");
}

TEST_F(FloodedServer, RefusesConnectionsOverTheLimit) {
  ServerOptions options;
  options.max_connections = 1;
  StartServer(options);
  Http2Peer first(port());
  ASSERT_TRUE(first.AwaitFrame(kSettings));
  ByteStream second(port());
  EXPECT_EQ(second.ReceiveAll(), "");
}

TEST_F(FloodedServer, PingsASilentPeerAndClosesWhereNoAnswerComes) {
  ServerOptions options;
  options.keepalive_interval = std::chrono::milliseconds(30);
  options.keepalive_timeout = std::chrono::milliseconds(30);
  StartServer(options);
  Http2Peer peer(port());
  peer.Request(1, GrpcRequest("/t/Hang"));
  // The first PING is answered, and the connection lives on until the next one is not.
  const auto ping = peer.AwaitFrame(kPing);
  ASSERT_TRUE(ping);
  size_t pings = 0;
  while (const auto frame = peer.ReadFrame()) pings += frame->type == kPing ? 1 : 0;
  EXPECT_EQ(pings, 1u);
  EXPECT_TRUE(journal_.Await("cancelled 1"));
}

}  // namespace
}  // namespace arka::transport
