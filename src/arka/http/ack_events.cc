#include "arka/http/ack_events.h"

#include <chrono>
#include <string>
#include <utility>

#include "arka/http/ack_listener.h"
#include "arka/http/error_answer.h"
#include "arka/protocol/ack_json.h"
#include "arka/protocol/write_headers.h"

namespace arka::http {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};
constexpr std::chrono::seconds kKeepAliveEvery{15};
constexpr int64_t kMaxEvents = 1000;           // of one server-sent event
constexpr size_t kMaxQueuedBytes = 256 << 10;  // the rest waits for the client

class AckEventStream : public transport::BodyStream {
 public:
  AckEventStream(const ingest::Engine& engine, const Clock& clock, AckListener listener,
                 std::shared_ptr<const std::atomic<bool>> shutting_down)
      : engine_(engine),
        clock_(clock),
        listener_(std::move(listener)),
        shutting_down_(std::move(shutting_down)) {}

  void Start(transport::BodySink& sink) override {
    sink_ = &sink;
    // Something at once, so that the client knows that it is connected.
    Write(": connected\n\n");
    Tell();
    if (sink_ != nullptr) LookLater();
  }
  void OnWritable() override { Tell(); }
  void OnClosed() override { sink_ = nullptr; }

 private:
  void LookLater() {
    sink_->loop().PostAfter(kLookEvery, [weak = std::weak_ptr(self_)] {
      const auto alive = weak.lock();
      if (alive == nullptr || (*alive)->sink_ == nullptr) return;
      (*alive)->Tell();
      if ((*alive)->sink_ != nullptr) (*alive)->LookLater();
    });
  }

  void Tell() {
    if (sink_ == nullptr) return;
    const bool stops = *shutting_down_;
    const ingest::Progress progress = engine_.progress();
    const bool is_new = progress.watermarks.last_lsn != looked_at_;
    looked_at_ = progress.watermarks.last_lsn;
    // Streams tell of what they were given a moment after: so look once more than it moves.
    if (is_new || std::exchange(look_again_, is_new)) {
      if (!listener_.Look().ok()) return Finish();  // forgotten: all was told long ago
    }
    while (sink_->queued_bytes() < kMaxQueuedBytes) {
      const auto events = listener_.Take(kMaxEvents);
      if (events.empty()) break;
      std::string data = R"({"events":)" + protocol::EventsJson(events);
      if (listener_.forgotten_through() > forgotten_told_) {
        forgotten_told_ = listener_.forgotten_through();
        data += R"(,"forgotten_through":)" + std::to_string(forgotten_told_.value);
      }
      Write("id: " + ToId(listener_.position()) + "\nevent: acks\ndata: " + data + "}\n\n");
    }
    if (progress.failed) {
      Write("event: failure\ndata: " + FailureJson() + "\n\n");
      return Finish();
    }
    if (stops && listener_.AllTold()) return Finish();
    if (clock_.Now() - last_written_ >= kKeepAliveEvery) {
      Write("id: " + ToId(listener_.position()) + "\n: keep-alive\n\n");
    }
  }

  std::string FailureJson() const {
    const Status failure = engine_.failure();
    return JsonText({{"code", HttpErrorOf(CodeOf(failure)).code},
                     {"message", failure.message()},
                     {"retryable", IsRetryable(CodeOf(failure))}});
  }

  void Write(std::string text) {
    sink_->Write(arrow::Buffer::FromString(std::move(text)));
    last_written_ = clock_.Now();
  }
  void Finish() { std::exchange(sink_, nullptr)->Finish(); }

  const ingest::Engine& engine_;
  const Clock& clock_;
  AckListener listener_;
  const std::shared_ptr<const std::atomic<bool>> shutting_down_;
  const std::shared_ptr<AckEventStream*> self_ = std::make_shared<AckEventStream*>(this);
  transport::BodySink* sink_ = nullptr;
  Lsn looked_at_ = kNoLsn;
  bool look_again_ = false;
  Lsn forgotten_told_ = kNoLsn;
  SteadyTime last_written_{};
};

}  // namespace

void AckEvents::Handle(const transport::HttpRequest& request,
                       const transport::HttpResponder& respond) {
  respond(Answer(request));
}

transport::HttpResponse AckEvents::Answer(const transport::HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto refusal = ErrorAnswer(405, "UNIMPLEMENTED", "acks are listened to with GET");
    refusal.headers.emplace_back("allow", "GET, HEAD");
    return refusal;
  }
  const std::string session = request.path.substr(kAcksPath.size());
  if (!protocol::IsClientName(session)) {
    return ErrorAnswer(Error(ErrorCode::kInvalidRequest, "the session in the path must be 1 to ",
                             protocol::kMaxClientNameBytes, " printable characters"));
  }
  AckPosition told{};
  if (const auto id = transport::Find(request.headers, "last-event-id"); id && !id->empty()) {
    const auto position = ParseId(*id);
    if (!position) {
      return ErrorAnswer(Error(ErrorCode::kInvalidRequest, "header last-event-id: '",
                               id->substr(0, 80), "' is no id of these events; leave it out to ",
                               "hear everything from the start"));
    }
    told = *position;
  }
  AckListener listener(engine_, sessions_, clock_, request.caller->principal(), session, told);
  const Status known = listener.Look();
  if (!known.ok()) return ErrorAnswer(known);
  transport::HttpResponse response;
  response.content_type = "text/event-stream";
  response.headers = {{"cache-control", "no-store"}};
  response.stream =
      std::make_shared<AckEventStream>(engine_, clock_, std::move(listener), shutting_down_);
  return response;
}

}  // namespace arka::http
