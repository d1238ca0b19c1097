// A server with nothing behind the transport, for h2spec and clients in other languages.
//
// gRPC: every method answers each message with itself, ".../Sink" with nothing but OK, and
// ".../Fail" ends at once. HTTP: answers "ok", or the request's body. Prints its address on one
// line and runs until its standard input ends.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "arka/io/system_clock.h"
#include "arka/transport/server.h"

namespace arka::transport {
namespace {

constexpr size_t kMaxQueuedBytes = 1 << 20;

class EchoHandler final : public CallHandler {
 public:
  explicit EchoHandler(ServerCall& call) : call_(call) { call_.SendHeaders({}); }

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override {
    call_.Write({std::move(message)});
    if (call_.queued_bytes() > kMaxQueuedBytes) call_.PauseReading();
  }
  void OnWritable() override { call_.ResumeReading(); }
  void OnHalfClose() override { call_.Finish({}); }

 private:
  ServerCall& call_;
};

class SinkHandler final : public CallHandler {
 public:
  explicit SinkHandler(ServerCall& call) : call_(call) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> /*message*/) override {}
  void OnHalfClose() override { call_.Finish({}); }

 private:
  ServerCall& call_;
};

class EchoService final : public Service {
 public:
  std::unique_ptr<CallHandler> Start(ServerCall& call) override {
    if (call.method().ends_with("/Fail")) {
      call.Finish({GrpcCode::kInvalidArgument, "you asked for it: 100 % \n", {{"reason", "test"}}});
      return nullptr;
    }
    if (call.method().ends_with("/Sink")) return std::make_unique<SinkHandler>(call);
    return std::make_unique<EchoHandler>(call);
  }
};

class OkHandler final : public HttpHandler {
 public:
  void Handle(HttpRequest request, HttpResponder respond) override {
    HttpResponse response;
    response.body = request.body == nullptr ? "ok\n" : request.body->ToString();
    respond(std::move(response));
  }
};

int Main(int argc, char** argv) {
  ServerOptions options;
  options.port = 0;
  CLI::App app("Echoes gRPC messages and HTTP bodies");
  app.add_option("--host", options.host);
  app.add_option("--port", options.port);
  app.add_option("--loops", options.loops);
  app.add_option("--cert", options.tls_cert_path);
  app.add_option("--key", options.tls_key_path);
  CLI11_PARSE(app, argc, argv);

  SystemClock clock;
  EchoService service;
  OkHandler http;
  auto server = Server::Make(options, service, http, clock);
  const Status started = server.ok() ? (*server)->Start() : server.status();
  if (!started.ok()) {
    std::cerr << started.message() << "\n";
    return 1;
  }
  std::cout << (*server)->address() << std::endl;
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  (*server)->Stop(std::chrono::seconds(2));
  return 0;
}

}  // namespace
}  // namespace arka::transport

int main(int argc, char** argv) { return arka::transport::Main(argc, argv); }
