#include "arka/http/error_answer.h"

#include <atomic>
#include <cstdint>
#include <utility>

#include <spdlog/spdlog.h>

namespace arka::http {
namespace {

constexpr std::string_view kRetryAfterSeconds = "1";
constexpr size_t kMaxMessageBytes = 2000;

transport::HttpResponse Answer(int status, std::string_view code, std::string_view message,
                               bool retryable, nlohmann::ordered_json more) {
  nlohmann::ordered_json error = {
      {"code", code}, {"message", message.substr(0, kMaxMessageBytes)}, {"retryable", retryable}};
  if (more.is_object()) error.update(more);
  auto response = JsonAnswer(status, {{"error", std::move(error)}});
  if (retryable) response.headers.emplace_back("retry-after", kRetryAfterSeconds);
  return response;
}

}  // namespace

HttpError HttpErrorOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kSchemaMismatch:
      return {400, "INVALID_ARGUMENT"};
    case ErrorCode::kNotFound:
      return {404, "NOT_FOUND"};
    case ErrorCode::kAlreadyExists:
      return {409, "ALREADY_EXISTS"};
    case ErrorCode::kFailedPrecondition:
      return {409, "FAILED_PRECONDITION"};
    case ErrorCode::kTooLarge:
      return {413, "RESOURCE_EXHAUSTED"};
    case ErrorCode::kBackpressure:
      return {429, "RESOURCE_EXHAUSTED"};
    case ErrorCode::kUnimplemented:
      return {501, "UNIMPLEMENTED"};
    case ErrorCode::kUnauthenticated:
      return {401, "UNAUTHENTICATED"};
    case ErrorCode::kPermissionDenied:
      return {403, "PERMISSION_DENIED"};
    case ErrorCode::kUnavailable:
    case ErrorCode::kIoFailed:
    case ErrorCode::kCommitConflict:
    case ErrorCode::kShuttingDown:
      return {503, "UNAVAILABLE"};
    case ErrorCode::kTimedOut:
      return {504, "DEADLINE_EXCEEDED"};
    case ErrorCode::kCancelled:
      return {499, "CANCELLED"};
    case ErrorCode::kCorruption:
    case ErrorCode::kCommitUnknown:
    case ErrorCode::kInternal:
      break;
  }
  return {500, "INTERNAL"};
}

std::string JsonText(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

transport::HttpResponse JsonAnswer(int status, const nlohmann::ordered_json& value) {
  transport::HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = JsonText(value) + "\n";
  return response;
}

transport::HttpResponse ErrorAnswer(const Status& status, nlohmann::ordered_json more) {
  const ErrorCode code = CodeOf(status);
  const HttpError error = HttpErrorOf(code);
  std::string message = status.message();
  if (error.status == 500) {
    static std::atomic<int64_t> errors{0};
    const int64_t id = ++errors;
    spdlog::error("internal error h{}: {}", id, status.ToString());
    message = "internal error h" + std::to_string(id) + ", see the server's log for this number";
  }
  return Answer(error.status, error.code, message, IsRetryable(code), std::move(more));
}

transport::HttpResponse ErrorAnswer(int status, std::string_view code, std::string_view message) {
  return Answer(status, code, message, status == 429 || status == 503, {});
}

}  // namespace arka::http
