#include "status.h"

#include <array>

#include <arrow/flight/types.h>

namespace arka::client {
namespace {

namespace flight = arrow::flight;

constexpr std::array<std::string_view, 14> kNames = {"INVALID_ARGUMENT",  "UNAUTHENTICATED",
                                                     "PERMISSION_DENIED", "NOT_FOUND",
                                                     "ALREADY_EXISTS",    "FAILED_PRECONDITION",
                                                     "UNIMPLEMENTED",     "RESOURCE_EXHAUSTED",
                                                     "UNAVAILABLE",       "DEADLINE_EXCEEDED",
                                                     "CANCELLED",         "DATA_LOSS",
                                                     "INTERNAL",          "UNKNOWN"};

constexpr const char* kTypeId = "arka::client::ErrorDetail";

// Arrow has fewer kinds of Status than gRPC has codes, and says the rest in these words.
struct Words {
  std::string_view text;
  Code code;
};
constexpr Words kWords[] = {
    {"resource exhausted", Code::kResourceExhausted},
    {"precondition failed", Code::kFailedPrecondition},
    {"failed precondition", Code::kFailedPrecondition},
    {"data loss", Code::kDataLoss},
    {"aborted", Code::kUnavailable},
    {"out of range", Code::kInvalidArgument},
};
constexpr std::string_view kWordsEnd = " error, with message: ";

Code CodeOfFlight(flight::FlightStatusCode code) {
  switch (code) {
    case flight::FlightStatusCode::Internal:
      return Code::kInternal;
    case flight::FlightStatusCode::TimedOut:
      return Code::kDeadlineExceeded;
    case flight::FlightStatusCode::Cancelled:
      return Code::kCancelled;
    case flight::FlightStatusCode::Unauthenticated:
      return Code::kUnauthenticated;
    case flight::FlightStatusCode::Unauthorized:
      return Code::kPermissionDenied;
    case flight::FlightStatusCode::Unavailable:
      return Code::kUnavailable;
    case flight::FlightStatusCode::Failed:
      return Code::kUnknown;
  }
  return Code::kUnknown;
}

Code CodeOfArrow(const arrow::Status& status) {
  if (const auto detail = flight::FlightStatusDetail::UnwrapStatus(status)) {
    return CodeOfFlight(detail->code());
  }
  switch (status.code()) {
    case arrow::StatusCode::Invalid:
    case arrow::StatusCode::TypeError:
      return Code::kInvalidArgument;
    case arrow::StatusCode::KeyError:
      return Code::kNotFound;
    case arrow::StatusCode::AlreadyExists:
      return Code::kAlreadyExists;
    case arrow::StatusCode::NotImplemented:
      return Code::kUnimplemented;
    case arrow::StatusCode::Cancelled:
      return Code::kCancelled;
    default:
      return Code::kUnknown;
  }
}

}  // namespace

std::string_view CodeName(Code code) { return kNames[static_cast<size_t>(code)]; }

const char* ErrorDetail::type_id() const { return kTypeId; }

std::string ErrorDetail::ToString() const {
  return std::string(CodeName(code_)) + (retryable_ ? ", retryable" : ", not retryable");
}

namespace {

const ErrorDetail* DetailOf(const arrow::Status& status) {
  const auto& detail = status.detail();
  const bool ours = detail && std::string_view(detail->type_id()) == kTypeId;
  return ours ? static_cast<const ErrorDetail*>(detail.get()) : nullptr;
}

}  // namespace

Code CodeOf(const arrow::Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  return detail ? detail->code() : Code::kUnknown;
}

bool IsRetryable(const arrow::Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  return detail && detail->retryable();
}

arrow::Status MakeError(Code code, bool retryable, std::string message) {
  arrow::StatusCode kind = arrow::StatusCode::IOError;
  if (code == Code::kInvalidArgument) kind = arrow::StatusCode::Invalid;
  if (code == Code::kNotFound) kind = arrow::StatusCode::KeyError;
  if (code == Code::kAlreadyExists) kind = arrow::StatusCode::AlreadyExists;
  if (code == Code::kUnimplemented) kind = arrow::StatusCode::NotImplemented;
  if (code == Code::kCancelled) kind = arrow::StatusCode::Cancelled;
  return arrow::Status(kind, std::move(message), std::make_shared<ErrorDetail>(code, retryable));
}

arrow::Status FromFlight(const arrow::Status& status, std::optional<bool> said) {
  if (status.ok() || DetailOf(status)) return status;
  std::string_view message = status.message();
  for (const std::string_view end : {". gRPC client debug context: ", ". Client context: "}) {
    message = message.substr(0, message.find(end));
  }
  Code code = CodeOfArrow(status);
  if (const size_t end = message.find(kWordsEnd); end != std::string_view::npos) {
    const std::string_view before = message.substr(0, end);
    for (const auto& [text, meant] : kWords) {
      if (before.ends_with(text)) code = meant;
    }
    message.remove_prefix(end + kWordsEnd.size());
  }
  const bool passes = code == Code::kUnavailable || code == Code::kDeadlineExceeded;
  return MakeError(code, said.value_or(passes), std::string(message));
}

arrow::Status FromStream(const arrow::Status& status, std::optional<bool> said) {
  const arrow::Status failure = FromFlight(status, said);
  const Code code = CodeOf(failure);
  const bool broken = code == Code::kInternal || code == Code::kUnknown || code == Code::kCancelled;
  if (said || !broken || DetailOf(status)) return failure;
  return MakeError(code, true, failure.message());
}

arrow::Status FromCaller(const arrow::Status& status) {
  if (status.ok() || DetailOf(status)) return status;
  return MakeError(Code::kInvalidArgument, false, status.message());
}

}  // namespace arka::client
