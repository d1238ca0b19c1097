// Plain HTTP, TLS and both address families on the one port.
#include <cstdlib>
#include <filesystem>
#include <fstream>

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
