// An error as HTTP carries it: a status code, and a JSON object that says the rest.
//
//   {"error": {"code": "INVALID_ARGUMENT", "message": …, "retryable": false}}
//
// The codes are gRPC's names, the same as Flight's for the same error (docs/spec/wire.md,
// "Errors").
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "arka/base/error.h"
#include "arka/transport/http.h"

namespace arka::http {

struct HttpError {
  int status;
  std::string_view code;  // gRPC's name
};

HttpError HttpErrorOf(ErrorCode code);

/// `value` as text, with whatever is not UTF-8 replaced.
std::string JsonText(const nlohmann::ordered_json& value);

transport::HttpResponse JsonAnswer(int status, const nlohmann::ordered_json& value);

/// The answer to a request that failed with `status`, with `more` beside code and message. Where a
/// retry helps, it says after how long. An internal error is logged under an id, and the message
/// carries the id instead of the inside of the server.
transport::HttpResponse ErrorAnswer(const Status& status, nlohmann::ordered_json more = {});

/// The same, for errors that only HTTP has: 405, 415.
transport::HttpResponse ErrorAnswer(int status, std::string_view code, std::string_view message);

}  // namespace arka::http
