// What an answer of a REST catalog, or none, says about a call: the one place where statuses
// become ErrorCodes.
//
// The question that matters is whether a change may have been made. Answers that say "no" (4xx, no
// connection) are certain failures; whatever leaves it open (5xx, a time-out, a connection that
// broke after the request had begun) is kCommitUnknown for calls that change a table. Pure.
#pragma once

#include <string_view>

#include "arka/base/error.h"
#include "arka/io/http_client.h"

namespace arka::iceberg {

enum class RestCall {
  kGetConfig,
  kLoadTable,
  kList,             // of namespaces or tables
  kCreateNamespace,  // sending it again does no harm
  kCreateTable,
  kCommitTable,
  kDropTable,
};

/// OK for an answer of 2xx whose body is to be read; else what became of the call:
///   kCommitConflict    409, and 400 of the type CommitFailedException, of a commit
///   kAlreadyExists     409 of anything else that creates
///   kNotFound          404, where the answer is Iceberg's own: a proxy's is kUnavailable
///   kCommitUnknown     5xx and 408, of calls that change a table
///   kUnavailable       429 of any call; 5xx and 408 of the others
///   kUnauthenticated   401, 419
///   kPermissionDenied  403
///   kTooLarge          413
///   kInvalidRequest    the other 3xx (no redirect is followed) and 4xx
Status ClassifyRestAnswer(RestCall call, const HttpResponse& answer);

/// The same for a request that got no answer; `error` is HttpClient's.
Status ClassifyNoAnswer(RestCall call, const Status& error);

/// The same for an answer of 2xx that cannot be read: what was asked for has happened.
Status ClassifyBadAnswer(RestCall call, const Status& error);

/// Text from outside, fit for an error message: cut short, control characters replaced.
std::string Quoted(std::string_view text);

}  // namespace arka::iceberg
