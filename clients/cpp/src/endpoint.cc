#include "endpoint.h"

#include "status.h"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "arka/base/base64.h"
#include "arka/protocol/write_headers.h"

namespace arka::client {

namespace flight = arrow::flight;
using arrow::Result;
using arrow::Status;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view kAuthorization = "authorization";
constexpr std::string_view kBearer = "Bearer ";

class CallMiddleware : public flight::ClientMiddleware {
 public:
  CallMiddleware(std::shared_ptr<Credentials> credentials, std::shared_ptr<CallRecord> record)
      : credentials_(std::move(credentials)), record_(std::move(record)) {}

  void SendingHeaders(flight::AddCallHeaders* headers) override {
    if (!record_->authorization.empty()) {
      headers->AddHeader(std::string(kAuthorization), record_->authorization);
    }
  }

  void ReceivedHeaders(const flight::CallHeaders& headers) override {
    if (const auto found = headers.find(kAuthorization); found != headers.end()) {
      credentials_->Learn(found->second);
    }
    if (const auto found = headers.find(protocol::kRetryableTrailer); found != headers.end()) {
      record_->retryable = found->second == "true" ? 1 : 0;
    }
  }

  void CallCompleted(const Status&) override {}

 private:
  const std::shared_ptr<Credentials> credentials_;
  const std::shared_ptr<CallRecord> record_;
};

// Flight begins a call on the thread that asks for it and does not say which call it is, so the
// record of it is found by the thread.
thread_local std::shared_ptr<CallRecord> last_call;

class Middleware : public flight::ClientMiddlewareFactory {
 public:
  explicit Middleware(std::shared_ptr<Credentials> credentials)
      : credentials_(std::move(credentials)) {}

  void StartCall(const flight::CallInfo&,
                 std::unique_ptr<flight::ClientMiddleware>* middleware) override {
    last_call = std::make_shared<CallRecord>();
    last_call->authorization = credentials_->Header();
    *middleware = std::make_unique<CallMiddleware>(credentials_, last_call);
  }

 private:
  const std::shared_ptr<Credentials> credentials_;
};

}  // namespace

Credentials::Credentials(const ClientOptions& options) : token_(options.token) {
  if (!options.username.empty()) {
    basic_ = EncodeBase64(options.username + ":" + options.password);
    basic_.append((4 - basic_.size() % 4) % 4, '=');
    basic_.insert(0, "Basic ");
  }
}

std::string Credentials::Header() const {
  if (!basic_.empty()) {
    const std::lock_guard lock(mutex_);
    return learned_.empty() ? basic_ : learned_;
  }
  const std::string token = token_ ? token_() : std::string();
  return token.empty() ? token : std::string(kBearer) + token;
}

void Credentials::Learn(std::string_view header) {
  if (basic_.empty() || !header.starts_with(kBearer)) return;
  const std::lock_guard lock(mutex_);
  learned_ = header;
}

bool Credentials::Renew(const std::string& refused) {
  if (basic_.empty() || refused.empty() || refused == basic_) return false;
  const std::lock_guard lock(mutex_);
  if (learned_ == refused) learned_.clear();
  return true;
}

std::optional<bool> CallRecord::said() const {
  const int word = retryable;
  return word < 0 ? std::nullopt : std::optional(word == 1);
}

DialledClient::DialledClient(std::unique_ptr<flight::FlightClient> client,
                             std::shared_ptr<flight::ClientMiddlewareFactory> middleware)
    : client_(std::move(client)), middleware_(std::move(middleware)) {}

std::shared_ptr<CallRecord> DialledClient::LastCall() { return last_call; }

Endpoint::Endpoint(flight::Location location, const ClientOptions& options)
    : location_(std::move(location)),
      options_(flight::FlightClientOptions::Defaults()),
      credentials_(std::make_shared<Credentials>(options)) {
  options_.tls_root_certs = options.tls_root_certs;
  options_.cert_chain = options.client_cert;
  options_.private_key = options.client_key;
  // gRPC would wait for up to two minutes before it dials again, and share that wait between
  // connections. The pings find out a peer that is gone without a word, also while nothing is
  // written.
  options_.generic_options = {
      {"grpc.initial_reconnect_backoff_ms", 100}, {"grpc.min_reconnect_backoff_ms", 5000},
      {"grpc.max_reconnect_backoff_ms", 2000},    {"grpc.use_local_subchannel_pool", 1},
      {"grpc.keepalive_time_ms", 20'000},         {"grpc.keepalive_timeout_ms", 20'000},
      {"grpc.http2.max_pings_without_data", 0},
  };
}

Result<std::shared_ptr<Endpoint>> Endpoint::Make(const std::string& url,
                                                 const ClientOptions& options) {
  auto location = flight::Location::Parse(url);
  if (!location.ok()) return FromCaller(location.status());
  const std::string scheme = location->scheme();
  if (scheme != "grpc" && scheme != "grpc+tcp" && scheme != "grpc+tls") {
    return Failure(Code::kInvalidArgument, "'", url,
                   "': expected grpc://host:port or grpc+tls://host:port");
  }
  return std::shared_ptr<Endpoint>(new Endpoint(*std::move(location), options));
}

Result<std::unique_ptr<DialledClient>> Endpoint::Dial() const {
  auto middleware = std::make_shared<Middleware>(credentials_);
  auto options = options_;
  options.middleware.push_back(middleware);
  auto client = flight::FlightClient::Connect(location_, options);
  if (!client.ok()) return FromFlight(client.status());
  return std::make_unique<DialledClient>(*std::move(client), std::move(middleware));
}

flight::FlightCallOptions AlignedCallOptions() {
  flight::FlightCallOptions options;
  options.read_options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  return options;
}

Status Endpoint::Once(milliseconds timeout, const Call& make, Reading* read) {
  std::shared_ptr<DialledClient> client;
  {
    const std::lock_guard lock(mutex_);
    if (!calls_) {
      ARROW_ASSIGN_OR_RAISE(calls_, Dial());
    }
    client = calls_;
  }
  flight::FlightCallOptions options = AlignedCallOptions();
  options.timeout = timeout;
  while (true) {
    last_call.reset();
    const Status done = make(**client, options);
    if (done.ok()) return done;
    const std::shared_ptr<CallRecord> call = client->LastCall();
    const Status failed = read(done, call ? call->said() : std::nullopt);
    const bool again = CodeOf(failed) == Code::kUnauthenticated && call &&
                       credentials_->Renew(call->authorization);
    if (!again) return failed;
  }
}

Status Endpoint::Retried(Deadline until, const Call& make) {
  Backoff backoff;
  while (true) {
    const Status done = Once(Left(until), make, FromFlight);
    const milliseconds delay = backoff.Next();
    if (done.ok() || !IsRetryable(done) || Left(until) <= delay) return done;
    std::this_thread::sleep_for(delay);
  }
}

namespace {

Endpoint::Call ActionCall(const std::string& name, const nlohmann::json& body,
                          Endpoint::Answers* answers) {
  using Handler =
      nlohmann::json::error_handler_t;  // a name that is no UTF-8 is the server's to refuse
  const std::string text = body.dump(-1, ' ', false, Handler::replace);
  return [action = flight::Action{name, arrow::Buffer::FromString(text)}, answers](
             flight::FlightClient& client, const flight::FlightCallOptions& options) -> Status {
    answers->clear();  // of an attempt that broke off
    ARROW_ASSIGN_OR_RAISE(const auto results, client.DoAction(options, action));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto result, results->Next());
      if (!result) return Status::OK();
      const std::string text = result->body->ToString();
      auto answer = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (!answer.is_object()) return Violation(action.type, " answered '", text, "'");
      answers->push_back(std::move(answer));
    }
  };
}

Result<Endpoint::Answers> AnswersOf(const std::string& name, const Status& done,
                                    Endpoint::Answers answers) {
  ARROW_RETURN_NOT_OK(done);
  if (answers.empty()) return Violation(name, " answered nothing");
  return answers;
}

}  // namespace

Result<Endpoint::Answers> Endpoint::Action(const std::string& name, const nlohmann::json& body,
                                           milliseconds timeout) {
  Answers answers;
  const Status done = Once(timeout, ActionCall(name, body, &answers), FromStream);
  return AnswersOf(name, done, std::move(answers));
}

Result<Endpoint::Answers> Endpoint::RetriedAction(const std::string& name,
                                                  const nlohmann::json& body, Deadline until) {
  Answers answers;
  const Status done = Retried(until, ActionCall(name, body, &answers));
  return AnswersOf(name, done, std::move(answers));
}

std::optional<int64_t> NumberIn(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return {};
  return found->get<int64_t>();
}

std::string TextIn(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

namespace {

std::mt19937_64& Chance() {
  thread_local std::mt19937_64 chance{std::random_device{}()};
  return chance;
}

}  // namespace

milliseconds Backoff::Next() {
  std::uniform_real_distribution<double> part(0.5, 1);
  const milliseconds next(static_cast<int64_t>(delay_.count() * part(Chance())));
  delay_ = std::min(delay_ * 2, milliseconds(2000));
  return next;
}

std::string RandomName() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 32; ++i) name += "0123456789abcdef"[random() % 16];
  return name;
}

}  // namespace arka::client
