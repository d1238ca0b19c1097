// The HTTP client against a server of a few lines that reads one request per connection, then does
// what the test says.
#include "arka/io/curl_http_client.h"

#include <atomic>
#include <functional>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arka/testing/matchers.h"

namespace arka {
namespace {

using namespace std::chrono_literals;

/// Accepts until it is destroyed; `behave` gets each connection after its request was read.
class OneShotServer {
 public:
  explicit OneShotServer(std::function<void(int)> behave) : behave_(std::move(behave)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneShotServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + "/v1/x";
  }
  int connections() const { return connections_; }
  /// Of the last connection; read it after its answer.
  const std::string& request() const { return request_; }

 private:
  void Serve() {
    while (true) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      ++connections_;
      ReadRequest(connection);
      behave_(connection);
      close(connection);
    }
  }
  /// Up to the end of the head, and of the body where it ends with "END".
  void ReadRequest(int connection) {
    request_.clear();
    char buffer[4096];
    while (true) {
      const ssize_t count = recv(connection, buffer, sizeof(buffer), 0);
      if (count <= 0) return;
      request_.append(buffer, static_cast<size_t>(count));
      if (!request_.starts_with("GET") && !request_.starts_with("POST")) return;  // TLS
      const bool has_body = request_.starts_with("POST");
      if (request_.ends_with(has_body ? "END" : "\r\n\r\n")) return;
    }
  }

  const int listener_ = socket(AF_INET, SOCK_STREAM, 0);
  std::function<void(int)> behave_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::string request_;
  std::thread thread_;
};

std::function<void(int)> Answering(std::string text) {
  return [text = std::move(text)](int connection) {
    (void)send(connection, text.data(), text.size(), MSG_NOSIGNAL);
  };
}

std::function<void(int)> Closing() {
  return [](int) {};
}

/// Waits for the client to give up.
std::function<void(int)> Silent() {
  return [](int connection) {
    char byte = 0;
    (void)recv(connection, &byte, 1, 0);
  };
}

std::function<void(int)> Resetting() {
  return [](int connection) {
    const linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  };
}

Result<HttpResponse> Send(const HttpRequest& request, CurlHttpOptions options = {}) {
  return CurlHttpClient::Make(options).ValueOrDie()->Send(request);
}

HttpRequest Post(const OneShotServer& server) {
  return {.method = "POST",
          .url = server.url(),
          .headers = {{"Authorization", "Bearer t"}, {"Content-Type", "application/json"}},
          .body = R"({"a": 1} END)"};
}

TEST(CurlHttpClient, SendsARequestAndReadsTheAnswer) {
  OneShotServer server(
      Answering("HTTP/1.1 201 Created\r\nX-Seen:  yes \r\nContent-Length: 5\r\n\r\nhello"));
  const HttpResponse response = Send(Post(server)).ValueOrDie();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.Header("x-seen"), "yes");
  EXPECT_THAT(server.request(), testing::StartsWith("POST /v1/x HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(), testing::HasSubstr("\r\nAuthorization: Bearer t\r\n"));
  EXPECT_THAT(server.request(), testing::EndsWith("\r\n\r\n{\"a\": 1} END"));
}

TEST(CurlHttpClient, AnErrorStatusIsAnAnswer) {
  OneShotServer server(Answering("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}"));
  EXPECT_EQ(Send(Post(server))->status, 409);
}

TEST(CurlHttpClient, FollowsNoRedirect) {
  OneShotServer server(
      Answering("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n"
                "Location: http://169.254.169.254/latest\r\n\r\n"));
  const HttpResponse response = Send(Post(server)).ValueOrDie();
  EXPECT_EQ(response.status, 307);
  EXPECT_EQ(response.Header("location"), "http://169.254.169.254/latest");
}

TEST(CurlHttpClient, WithoutAConnectionNothingWasSent) {
  std::string url;
  {
    const OneShotServer gone(Closing());
    url = gone.url();
  }
  EXPECT_THAT(Send({.url = url}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(Send({.url = "http://no-such-host.invalid/"}), FailsWith(ErrorCode::kUnavailable));
  OneShotServer no_tls(Closing());
  EXPECT_THAT(Send({.url = no_tls.url("https")}), FailsWith(ErrorCode::kUnavailable));
}

TEST(CurlHttpClient, AConnectionThatClosesWithoutAnAnswerIsNotTriedAgain) {
  OneShotServer server(Closing());
  const auto client = CurlHttpClient::Make({}).ValueOrDie();
  EXPECT_THAT(client->Send(Post(server)), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(client->Send({.url = server.url()}), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(server.connections(), 2);
}

TEST(CurlHttpClient, EveryRequestHasAConnectionOfItsOwn) {
  // A server that would keep the connection, and close it under the second request.
  OneShotServer server(Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
  const auto client = CurlHttpClient::Make({}).ValueOrDie();
  ASSERT_THAT(client->Send(Post(server)), IsOk());
  ASSERT_THAT(client->Send(Post(server)), IsOk());
  EXPECT_EQ(server.connections(), 2);
}

TEST(CurlHttpClient, AResetAfterTheRequestLeavesItOpenWhatHappened) {
  OneShotServer server(Resetting());
  EXPECT_THAT(Send(Post(server)), FailsWith(ErrorCode::kIoFailed));
}

TEST(CurlHttpClient, AnAnswerCutOffInTheMiddleIsAnError) {
  OneShotServer server(Answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":"));
  EXPECT_THAT(Send(Post(server)), FailsWith(ErrorCode::kIoFailed));
}

TEST(CurlHttpClient, ASilentServerTimesOut) {
  OneShotServer server(Silent());
  EXPECT_THAT(Send(Post(server), {.request_timeout = 50ms}), FailsWith(ErrorCode::kTimedOut));
}

TEST(CurlHttpClient, AnAnswerOverTheLimitIsNotRead) {
  OneShotServer announced(Answering("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789A"));
  EXPECT_THAT(Send(Post(announced), {.max_response_bytes = 10}), FailsWith(ErrorCode::kTooLarge));
  OneShotServer endless(
      Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "8\r\n01234567\r\n8\r\n01234567\r\n"));
  EXPECT_THAT(Send(Post(endless), {.max_response_bytes = 10}), FailsWith(ErrorCode::kTooLarge));
  OneShotServer fits(Answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"));
  EXPECT_EQ(Send(Post(fits), {.max_response_bytes = 10})->body, "0123456789");
}

TEST(CurlHttpClient, HeadersWithoutEndAreNotRead) {
  OneShotServer server(Answering("HTTP/1.1 200 OK\r\n" + [] {
    std::string many;
    for (int i = 0; i < 40'000; ++i) many += "X-" + std::to_string(i) + ": 0123456789012345678\r\n";
    return many;
  }()));
  EXPECT_FALSE(Send(Post(server)).ok());
}

TEST(CurlHttpClient, RefusesWhatIsNoHttpUrlAndHeadersThatSmuggle) {
  EXPECT_THAT(Send({.url = "file:///etc/passwd"}), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(Send({.url = "gopher://127.0.0.1/"}), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(Send({.url = "http://127.0.0.1:1/", .headers = {{"A", "b\r\nC: d"}}}),
              FailsWith(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace arka
