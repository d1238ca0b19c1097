// Feeds bytes to a whole connection without sockets: sniffing, HTTP/1.1, HTTP/2, gRPC, an echo
// service. The first byte chooses the size of the pieces; a 0xFF there adds the HTTP/2 preface.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <sys/uio.h>

#include "arka/base/check.h"
#include "arka/io/system_clock.h"
#include "arka/transport/shard.h"

namespace arka::transport {
namespace {

/// Gives out what it was made with, and takes a bounded amount of what is written.
class MemorySocket final : public Socket {
 public:
  MemorySocket(std::string input, size_t piece_bytes)
      : input_(std::move(input)), piece_bytes_(piece_bytes) {}

  IoResult Read(const iovec* to, int count) override {
    size_t left = std::min(piece_bytes_, input_.size() - at_);
    if (left == 0) return {IoOutcome::kClosed, 0};
    const size_t begin = at_;
    for (int i = 0; i < count && left > 0; ++i) {
      const size_t taken = std::min(left, to[i].iov_len);
      std::memcpy(to[i].iov_base, input_.data() + at_, taken);
      at_ += taken;
      left -= taken;
    }
    return {IoOutcome::kDone, at_ - begin};
  }
  IoResult Write(const iovec* from, int count) override {
    size_t size = 0;
    for (int i = 0; i < count; ++i) size += from[i].iov_len;
    written_ += size;
    if (written_ > kMaxWrittenBytes) return {IoOutcome::kWouldBlock, 0};
    return {IoOutcome::kDone, size};
  }
  void ShutdownWrite() override {}
  bool has_buffered() const override { return at_ < input_.size(); }
  int fd() const override { return -1; }

 private:
  static constexpr size_t kMaxWrittenBytes = 8 << 20;

  const std::string input_;
  const size_t piece_bytes_;
  size_t at_ = 0;
  size_t written_ = 0;
};

class EchoHandler final : public CallHandler {
 public:
  explicit EchoHandler(ServerCall& call) : call_(call) {}
  void OnMessage(std::shared_ptr<arrow::Buffer> message) override {
    if (message->size() == 1) call_.PauseReading();
    if (message->size() == 2) call_.Finish({GrpcCode::kAborted, message->ToString(), {}});
    if (message->size() == 3) call_.SendHeaders({{"x-bin", message->ToString()}});
    call_.Write({std::move(message)});
    if (!resumed_) call_.ResumeReading();
    resumed_ = true;
  }
  void OnHalfClose() override { call_.Finish({}); }

 private:
  ServerCall& call_;
  bool resumed_ = false;
};

class EchoService final : public Service {
 public:
  std::unique_ptr<CallHandler> Start(ServerCall& call) override {
    return std::make_unique<EchoHandler>(call);
  }
};

/// Ends in order, or not where the body is long.
class TwoPieces final : public BodyStream {
 public:
  explicit TwoPieces(std::string body) : body_(std::move(body)) {}
  void Start(BodySink& sink) override {
    sink.Write(arrow::Buffer::FromString(body_));
    sink.loop().Defer([this, weak = std::weak_ptr(alive_), &sink] {
      if (weak.expired()) return;
      alive_.reset();
      sink.Write(arrow::Buffer::FromString(body_));
      body_.size() > 100 ? sink.Abort() : sink.Finish();
    });
  }
  void OnClosed() override { alive_.reset(); }

 private:
  const std::string body_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class EchoHttpHandler final : public HttpHandler {
 public:
  BodyTerms Admit(const HttpRequest& head) override {
    if (head.path.starts_with("/no")) return {{}, HttpResponse{.status = 401}};
    if (head.path.starts_with("/big")) return {1 << 16, {}};
    return {};
  }
  void Handle(HttpRequest request, HttpResponder respond) override {
    HttpResponse response;
    response.body = request.path + request.query + std::string(request.body_text());
    if (request.path.ends_with('s')) response.stream = std::make_shared<TwoPieces>(response.body);
    respond(std::move(response));
  }
};

ServerOptions FuzzOptions() {
  ServerOptions options;
  options.max_message_bytes = 1 << 16;
  options.message_memory_bytes = 1 << 17;
  options.max_http_body_bytes = 1 << 12;
  return options;
}

}  // namespace
}  // namespace arka::transport

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace arka::transport;
  if (size < 1) return 0;
  arka::SystemClock clock;
  EchoService service;
  EchoHttpHandler http;
  ServerState state(FuzzOptions(), service, http, clock);
  {
    Shard shard(state);
    std::string input;
    if (data[0] == 0xFF)
      input = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
    input.append(reinterpret_cast<const char*>(data) + 1, size - 1);
    const size_t piece_bytes = data[0] == 0xFF ? size_t{1} << 20 : data[0] % 64 + 1;
    Connection* connection =
        shard.Adopt(std::make_unique<MemorySocket>(std::move(input), piece_bytes), "fuzz");
    for (int turn = 0; turn < 64 && !shard.idle(); ++turn) {
      if (turn == 0 || !connection->closed()) connection->OnReady(EPOLLIN);
      shard.loop().RunOnce(std::chrono::milliseconds(0));
    }
  }
  ARKA_CHECK(state.connections.load() == 0);
  ARKA_CHECK(state.calls.load() == 0);
  ARKA_CHECK(state.budget.used() == 0);
  return 0;
}
