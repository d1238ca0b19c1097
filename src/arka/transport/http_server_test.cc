// Plain HTTP, TLS and both address families on the one port.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arka/testing/temp_directory.h"
#include "arka/transport/http2_peer_test.h"
#include "arka/transport/server_fixture_test.h"
#include "arka/transport/tls_certificate_test.h"

namespace arka::transport {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class HttpServer : public ServerTest {
 protected:
  /// Sends `request`, half-closes, answers all that comes.
  std::string Exchange(std::string_view request) {
    ByteStream stream(port());
    stream.Send(request);
    stream.HalfClose();
    return stream.ReceiveAll();
  }
  void StartTlsServer() {
    WriteTestCertificate(directory_.path());
    ServerOptions options;
    options.tls_cert_path = directory_.path() + "/cert.pem";
    options.tls_key_path = directory_.path() + "/key.pem";
    StartServer(options);
  }

  TempDirectory directory_;
};

TEST_F(HttpServer, AnswersAGetRequest) {
  StartServer();
  const std::string answer = Exchange("GET /a%20b?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("x-query: x=1\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a b "));
}

TEST_F(HttpServer, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  StartServer();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests += "GET " + std::string(i == 3 ? "/later" : "/") + std::to_string(i) +
                " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  requests += "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /last HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string answers = Exchange(requests);
  EXPECT_LT(answers.find("GET /98 "), answers.find("GET /99 "));
  EXPECT_LT(answers.find("GET /99 "), answers.find("GET /later "));
  EXPECT_LT(answers.find("GET /later "), answers.find("GET /last "));
  EXPECT_THAT(answers, HasSubstr("GET /last "));
}

TEST_F(HttpServer, SendsNoBodyForHead) {
  StartServer();
  const std::string answer = Exchange("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("content-length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServer, TakesABodyAndItsChunks) {
  StartServer();
  EXPECT_THAT(Exchange("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
              EndsWith("POST /x abc"));
  EXPECT_THAT(Exchange("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"),
              EndsWith("POST /x abcd"));
}

TEST_F(HttpServer, ClosesAfterAnHttp10Request) {
  StartServer();
  ByteStream stream(port());
  stream.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(stream.ReceiveAll(), HasSubstr("connection: close\r\n"));
}

TEST_F(HttpServer, TakesARequestByteByByte) {
  StartServer();
  ByteStream stream(port());
  for (const char byte : std::string("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
    stream.Send({&byte, 1});
  }
  EXPECT_THAT(stream.ReceiveAll(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpServer, RefusesWhatIsMalformedOrTooLarge) {
  ServerOptions options;
  options.max_http_body_bytes = 10;
  StartServer(options);
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nno colon\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n12345678901"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost: x\r\nl: " + std::string(20'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Exchange("POST /t/Echo HTTP/1.1\r\nHost: x\r\ncontent-type: application/grpc\r\n"
                       "Content-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 415 "));
}

TEST_F(HttpServer, AnswersPlainRequestsOverHttp2) {
  StartServer();
  Http2Peer peer(port());
  const Metadata post = {
      {":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/later"}};
  peer.Request(1, post);
  peer.SendFrame(kData, kEndStream, 1, "body");
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_EQ(Find(answer.headers, ":status"), "200");
  EXPECT_EQ(answer.data, "POST /later body");
}

TEST_F(HttpServer, RefusesALargeBodyOverHttp2) {
  ServerOptions options;
  options.max_http_body_bytes = 10;
  StartServer(options);
  Http2Peer peer(port());
  peer.Request(1, {{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/"}});
  peer.SendFrame(kData, 0, 1, "12345678901");
  EXPECT_EQ(Find(peer.AwaitEnd(1).headers, ":status"), "413");
}

constexpr size_t kPourBytes = size_t{64} << 20;

TEST_F(HttpServer, TakesALargeBodyWhereTheHandlerSaysSo) {
  ServerOptions options;
  options.max_http_body_bytes = 10;
  StartServer(options);
  const std::string body(1 << 20, 'x');
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  EXPECT_THAT(Exchange("POST /large HTTP/1.1\r\nHost: x\r\n" + length + body), EndsWith("xxx"));
  EXPECT_THAT(Exchange("POST /large HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "100001\r\n" +
                       body + "x\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(HttpServer, SaysContinueToWhoAsksBeforeTheBodyComes) {
  StartServer();
  ByteStream stream(port());
  stream.Send("POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(stream.Receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  stream.Send("abc");
  stream.HalfClose();
  EXPECT_THAT(stream.ReceiveAll(), EndsWith("POST /x abc"));
}

TEST_F(HttpServer, WaitsForTheBodyOfTheLastRequestToo) {
  StartServer();
  ByteStream stream(port());
  stream.Send("POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(journal_.Await("head /x"));
  stream.Send("abc");
  EXPECT_THAT(stream.ReceiveAll(), EndsWith("POST /x abc"));
}

TEST_F(HttpServer, RefusesBeforeTheBodyComes) {
  StartServer();
  for (const auto& [path, length, status] :
       {std::tuple("/refused", "3", "403"), {"/large", "1048577", "413"}}) {
    ByteStream stream(port());
    stream.Send(std::string("POST ") + path + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" +
                "Content-Length: " + length + "\r\n\r\n");
    const std::string answer = stream.ReceiveAll();
    EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + status));
    EXPECT_THAT(answer, HasSubstr("connection: close"));
    Http2Peer peer(port());
    peer.Request(1, {{":method", "POST"},
                     {":scheme", "http"},
                     {":authority", "x"},
                     {":path", path},
                     {"content-length", length}});
    EXPECT_EQ(Find(peer.AwaitEnd(1).headers, ":status"), status);
  }
  EXPECT_THAT(Exchange("GET /refused HTTP/1.1\r\nHost: x\r\n\r\n"
                       "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"),
              AllOf(HasSubstr("403"), EndsWith("GET /x ")));
  EXPECT_EQ(journal_.Count("head /refused"), 3u);
}

TEST_F(HttpServer, PaysForBodiesOutOfTheMemoryForMessagesUntilTheyAreLetGoOf) {
  ServerOptions options;
  options.message_memory_bytes = 100;
  StartServer(options);
  const std::string post = "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 80\r\n\r\n";
  ByteStream holds(port());
  holds.Send(post + std::string(80, 'x'));
  ASSERT_TRUE(journal_.Await("head /never"));
  while (server_->counters().message_bytes < 80) std::this_thread::yield();
  const std::string answer =
      Exchange("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n" + std::string(30, 'x'));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 429 "));
  Http2Peer peer(port());
  peer.Request(1, {{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/x"}});
  peer.SendFrame(kData, kEndStream, 1, std::string(30, 'x'));
  EXPECT_EQ(Find(peer.AwaitEnd(1).headers, ":status"), "429");
  http_.LetGo();
  while (server_->counters().message_bytes > 0) std::this_thread::yield();
}

TEST_F(HttpServer, StreamsAnAnswerAsFastAsItIsTaken) {
  StartServer();
  ByteStream stream(port());
  stream.Send("GET /pour HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(journal_.Await("poured", 3));
  EXPECT_LT(journal_.Count("poured"), 30u);
  std::string answer = stream.Receive();
  EXPECT_THAT(answer, HasSubstr("transfer-encoding: chunked\r\n"));
  answer += stream.ReceiveAll();
  EXPECT_TRUE(answer.ends_with("\r\n0\r\n\r\n"));
  const auto body = answer.begin() + static_cast<ptrdiff_t>(answer.find("\r\n\r\n"));
  EXPECT_EQ(static_cast<size_t>(std::count(body, answer.end(), 'p')), kPourBytes);

  Http2Peer peer(port());
  peer.Request(
      1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/pour"}}, true);
  const Answer whole = peer.AwaitEnd(1);
  EXPECT_EQ(whole.data.size(), kPourBytes);
  EXPECT_FALSE(whole.reset);
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(HttpServer, TakesTheNextRequestAfterAStreamedAnswer) {
  StartServer();
  const std::string answer =
      Exchange("GET /pour HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer.substr(answer.size() - 300), EndsWith("GET /x "));
  EXPECT_NE(answer.find("\r\n0\r\n\r\nHTTP/1.1 200"), std::string::npos);
  EXPECT_THAT(Exchange("HEAD /pour HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("\r\n\r\n"));
}

TEST_F(HttpServer, ShowsThatAStreamedAnswerIsNotComplete) {
  StartServer();
  const std::string answer = Exchange("GET /break HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, EndsWith("\r\n5\r\npiece\r\n"));
  Http2Peer peer(port());
  peer.Request(
      1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/break"}}, true);
  EXPECT_EQ(peer.AwaitEnd(1).reset, uint32_t{NGHTTP2_INTERNAL_ERROR});
}

TEST_F(HttpServer, EndsAStreamedAnswerWithItsConnectionForHttp10) {
  StartServer();
  ByteStream stream(port());
  stream.Send("GET /pour HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = stream.ReceiveAll();
  EXPECT_THAT(answer, testing::Not(HasSubstr("chunked")));
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, kPourBytes);
}

TEST_F(HttpServer, TellsAStreamThatItsClientHasGone) {
  StartServer();
  {
    ByteStream stream(port());
    stream.Send("GET /pour HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(journal_.Await("poured", 3));
  }
  EXPECT_TRUE(journal_.Await("body closed"));
  Http2Peer peer(port());
  peer.Request(
      1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/hang"}}, true);
  ASSERT_TRUE(peer.AwaitFrame(kData));
  peer.SendFrame(kRstStream, 0, 1, BigEndian(NGHTTP2_CANCEL));
  EXPECT_TRUE(journal_.Await("body closed", 2));
  EXPECT_TRUE(AwaitIdle());
}

TEST_F(HttpServer, EndsStreamedAnswersWhenItStops) {
  StartServer();
  ByteStream stream(port());
  stream.Send("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n");
  stream.Receive();
  Http2Peer peer(port());
  peer.Request(
      1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/hang"}}, true);
  ASSERT_TRUE(peer.AwaitFrame(kData));
  EXPECT_EQ(server_->counters().calls, 2);
  server_->Stop(std::chrono::seconds(5));
  EXPECT_EQ(journal_.Count("body closed"), 2u);
}

// Told of the reset again and again, the loop would not rest before the answer is made.
TEST_F(HttpServer, LetsGoOfAClientThatHasResetWhileItsAnswerIsMade) {
  StartServer();
  {
    ByteStream stream(port());
    stream.Send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(journal_.Await("head /never"));
    stream.ResetOnClose();
  }
  EXPECT_TRUE(AwaitIdle());
  EXPECT_TRUE(http_.AllClientsGone());
}

TEST_F(HttpServer, RefusesOtherVariantsOfGrpc) {
  StartServer();
  Http2Peer peer(port());
  peer.Request(1,
               {{":method", "POST"},
                {":scheme", "http"},
                {":authority", "x"},
                {":path", "/t/Echo"},
                {"content-type", "application/grpc-web"}},
               true);
  EXPECT_EQ(Find(peer.AwaitEnd(1).headers, ":status"), "415");
}

TEST_F(HttpServer, ListensOnBothLoopbackAddresses) {
  StartServer();
  EXPECT_EQ(server_->address(), "localhost:" + std::to_string(port()));
  std::ifstream addresses("/proc/net/if_inet6");
  if (!addresses.good() || addresses.peek() == EOF) GTEST_SKIP() << "this machine has no IPv6";
  ByteStream stream(port(), {}, "::1");
  stream.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(stream.ReceiveAll(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpServer, SaysWhyItCannotListen) {
  StartServer();
  ServerOptions options;
  options.port = port();
  const auto taken = Server::Make(options, service_, http_, clock_);
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.status().message(), HasSubstr("127.0.0.1:" + std::to_string(port())));
  options.host = "no-such-host.invalid";
  EXPECT_EQ(CodeOf(Server::Make(options, service_, http_, clock_).status()),
            ErrorCode::kInvalidRequest);
}

TEST_F(HttpServer, RefusesTlsWithAnAlertWhereItHasNoCertificate) {
  StartServer();
  EXPECT_EQ(Exchange("\x16\x03\x01\x02"), std::string("\x15\3\3\0\2\2\x28", 7));
}

TEST_F(HttpServer, NegotiatesHttp2OverTls) {
  StartTlsServer();
  Http2Peer peer(port(), "h2");
  peer.Request(1, GrpcRequest("/t/Echo"));
  const std::string large(3 << 20, 's');
  ASSERT_TRUE(peer.AwaitFrame(kSettings));
  for (int i = 0; i < 3; ++i) peer.Message(1, large.substr(0, 1'000'000));
  peer.SendFrame(kData, kEndStream, 1);
  const Answer answer = peer.AwaitEnd(1);
  EXPECT_EQ(answer.data.size(), 3 * 1'000'005u);
  EXPECT_EQ(answer.grpc_status(), "0");
}

TEST_F(HttpServer, NegotiatesHttp1OverTls) {
  StartTlsServer();
  ByteStream stream(port(), "http/1.1");
  EXPECT_EQ(stream.negotiated(), "http/1.1");
  stream.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(stream.ReceiveAll(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpServer, TellsAClientInTheClearThatItSpeaksTls) {
  StartTlsServer();
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("https://"));
}

TEST_F(HttpServer, SaysWhichCertificateDoesNotLoad) {
  ServerOptions options;
  options.port = 0;
  options.tls_cert_path = directory_.path() + "/missing.pem";
  EXPECT_THAT(Server::Make(options, service_, http_, clock_).status().message(),
              HasSubstr("given together"));
  options.tls_key_path = options.tls_cert_path;
  EXPECT_THAT(Server::Make(options, service_, http_, clock_).status().message(),
              HasSubstr("missing.pem"));
}

}  // namespace
}  // namespace arka::transport
