#include "arka/transport/server_fixture_test.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace arka::transport {
namespace {

using namespace std::chrono_literals;

class TestHandler final : public CallHandler {
 public:
  TestHandler(ServerCall& call, TestService& service)
      : call_(call), service_(service), method_(call.method()) {
    if (method_ == "/t/Pour") Pour();
  }
  ~TestHandler() override { service_.journal_.Add("destroyed"); }

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override {
    service_.journal_.Add("message");
    if (method_ == "/t/Echo") call_.Write({std::move(message)});
    if (method_ == "/t/First") call_.Finish({GrpcCode::kAborted, "enough", {}});
    if (method_ == "/t/Pause" && !std::exchange(paused_, true)) {
      call_.PauseReading();
      service_.resume_ = [this] { call_.loop().Post([this] { call_.ResumeReading(); }); };
      service_.journal_.Add("paused");
    }
  }
  void OnHalfClose() override {
    service_.journal_.Add("half-close");
    if (method_ != "/t/Hang") call_.Finish({});
  }
  void OnWritable() override {
    if (method_ == "/t/Pour") Pour();
  }
  void OnCancelled(const CallStatus& why) override {
    service_.journal_.Add("cancelled " + std::to_string(static_cast<int>(why.code)));
  }

 private:
  void Pour() {
    while (left_ > 0 && call_.queued_bytes() < (2 << 20)) {
      call_.Write({arrow::Buffer::FromString(std::string(1 << 20, 'p'))});
      --left_;
    }
    if (left_ == 0) call_.Finish({});
  }

  ServerCall& call_;
  TestService& service_;
  const std::string method_;
  int left_ = 64;
  bool paused_ = false;
};

class TestBody final : public BodyStream {
 public:
  TestBody(std::string path, Journal& journal) : path_(std::move(path)), journal_(journal) {}

  void Start(BodySink& sink) override {
    sink_ = &sink;
    if (path_ == "/pour") return OnWritable();
    sink.Write(arrow::Buffer::FromString("piece"));
    if (path_ == "/break") sink.Abort();
  }
  void OnWritable() override {
    journal_.Add("writable");
    while (left_ > 0 && sink_->queued_bytes() < (2 << 20)) {
      sink_->Write(arrow::Buffer::FromString(std::string(1 << 20, 'p')));
      journal_.Add("poured");
      --left_;
    }
    if (left_ == 0) sink_->Finish();
  }
  void OnClosed() override { journal_.Add("body closed"); }

 private:
  const std::string path_;
  Journal& journal_;
  BodySink* sink_ = nullptr;
  int left_ = 64;
};

}  // namespace

void Journal::Add(std::string event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  changed_.notify_all();
}

size_t Journal::Count(const std::string& event) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count(events_.begin(), events_.end(), event));
}

bool Journal::Await(const std::string& event, size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 10s, [&] {
    return static_cast<size_t>(std::count(events_.begin(), events_.end(), event)) >= count;
  });
}

std::unique_ptr<CallHandler> TestService::Start(ServerCall& call) {
  journal_.Add("start");
  if (call.method() == "/t/Refuse") {
    call.Finish({GrpcCode::kNotFound, "no 100 %\n", {{"reason", "test"}}});
    return nullptr;
  }
  if (const auto value = Find(call.metadata(), "x-bin"))
    call.SendHeaders({{"y-bin", std::string(*value)}});
  return std::make_unique<TestHandler>(call, *this);
}

void TestService::Resume() { resume_(); }

TestHttpHandler::~TestHttpHandler() {
  for (std::thread& thread : threads_) thread.join();
}

BodyTerms TestHttpHandler::Admit(const HttpRequest& head) {
  journal_.Add("head " + head.path);
  if (head.path == "/large") return {1 << 20, {}};
  if (head.path == "/refused") return {{}, HttpResponse{.status = 403, .body = "not here"}};
  return {};
}

void TestHttpHandler::Handle(HttpRequest request, HttpResponder respond) {
  HttpResponse response;
  if (request.path == "/never") {
    const std::lock_guard lock(mutex_);
    unanswered_.push_back(std::move(request));
    return;
  }
  if (request.path == "/pour" || request.path == "/break" || request.path == "/hang") {
    response.stream = std::make_shared<TestBody>(request.path, journal_);
    return respond(response);
  }
  response.headers = {{"x-query", request.query}};
  response.body = request.method + " " + request.path + " " + std::string(request.body_text());
  if (request.path == "/later") {
    threads_.emplace_back([respond, response] { respond(response); });
    return;
  }
  respond(response);
}

void TestHttpHandler::LetGo() {
  const std::lock_guard lock(mutex_);
  unanswered_.clear();
}

bool TestHttpHandler::AllClientsGone() const {
  const std::lock_guard lock(mutex_);
  return std::all_of(unanswered_.begin(), unanswered_.end(),
                     [](const HttpRequest& request) { return request.client.expired(); });
}

void ServerTest::StartServer(ServerOptions options) {
  options.port = 0;
  auto server = Server::Make(options, service_, http_, clock_);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = std::move(*server);
  const Status started = server_->Start();
  ASSERT_TRUE(started.ok()) << started;
}

bool ServerTest::AwaitIdle() {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < until) {
    const ServerCounters counters = server_->counters();
    if (counters.calls == 0 && counters.message_bytes == 0) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace arka::transport
