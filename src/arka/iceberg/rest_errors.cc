#include "arka/iceberg/rest_errors.h"

#include <optional>
#include <string>

#include "arka/iceberg/json_reader.h"

namespace arka::iceberg {
namespace {

/// The spec's ErrorModel; empty members where the server left them out.
struct ErrorModel {
  std::string type = {};
  std::string message = {};
};

std::optional<ErrorModel> ParseErrorModel(const std::string& body) {
  const auto json = ParseJson(body, "error");
  if (!json.ok() || !json->is_object()) return std::nullopt;
  const auto error = json->find("error");
  if (error == json->end() || !error->is_object()) return std::nullopt;
  const auto text = [&](const char* key) {
    const auto found = error->find(key);
    return found != error->end() && found->is_string() ? found->get<std::string>() : "";
  };
  return ErrorModel{text("type"), text("message")};
}

/// Whether it matters for the table if the call had its effect after all.
bool ChangesATable(RestCall call) {
  return call == RestCall::kCreateTable || call == RestCall::kCommitTable ||
         call == RestCall::kDropTable;
}

ErrorCode Undecided(RestCall call) {
  return ChangesATable(call) ? ErrorCode::kCommitUnknown : ErrorCode::kUnavailable;
}

ErrorCode CodeOfStatus(RestCall call, int status, const std::optional<ErrorModel>& model) {
  const bool commits = call == RestCall::kCommitTable;
  if (status >= 500) return Undecided(call);
  switch (status) {
    case 400:
      // Some catalogs say so, instead of 409.
      return commits && model && model->type == "CommitFailedException"
                 ? ErrorCode::kCommitConflict
                 : ErrorCode::kInvalidRequest;
    case 401:
    case 419:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return model ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    case 408:
      return Undecided(call);
    case 409:
      return commits ? ErrorCode::kCommitConflict : ErrorCode::kAlreadyExists;
    case 413:
      return ErrorCode::kTooLarge;
    case 429:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInvalidRequest;
  }
}

std::string HintFor(int status, const HttpResponse& answer, bool is_icebergs) {
  if (status == 401 || status == 419) return "; is catalog.token right?";
  if (status >= 300 && status < 400) {
    return " (to " + Quoted(answer.Header("location")) +
           "); redirects are not followed: is catalog.uri right?";
  }
  if (status == 404 && !is_icebergs) return ", not an Iceberg catalog's; is catalog.uri right?";
  return "";
}

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr size_t kMax = 500;
  std::string quoted(text.substr(0, kMax));
  for (char& c : quoted) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text.size() > kMax ? quoted + "…" : quoted;
}

Status ClassifyRestAnswer(RestCall call, const HttpResponse& answer) {
  const int status = answer.status;
  if (status >= 200 && status < 300) return Status::OK();
  const std::optional<ErrorModel> model = ParseErrorModel(answer.body);
  std::string said = std::to_string(status);
  if (model) {
    if (!model->type.empty()) said += " " + Quoted(model->type);
    if (!model->message.empty()) said += ": " + Quoted(model->message);
  }
  return Error(CodeOfStatus(call, status, model), "the catalog answered ", said,
               HintFor(status, answer, model.has_value()));
}

Status ClassifyNoAnswer(RestCall call, const Status& error) {
  switch (CodeOf(error)) {
    case ErrorCode::kInvalidRequest:
      return error;
    case ErrorCode::kUnavailable:
      return WithContext(error, "the catalog cannot be reached");
    case ErrorCode::kTooLarge:
      if (!ChangesATable(call)) return error;
      break;
    default:
      break;
  }
  return Error(Undecided(call), "no answer from the catalog: ", error.message());
}

Status ClassifyBadAnswer(RestCall call, const Status& error) {
  if (!ChangesATable(call)) return error;
  return Error(ErrorCode::kCommitUnknown, "the catalog's answer cannot be read: ", error.message());
}

}  // namespace arka::iceberg
