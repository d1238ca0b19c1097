// An error is the same error whichever way it goes out: Flight's code, HTTP's status and the word
// about a retry, as docs/spec/wire.md has them in "Errors".

#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "arka/flight/status_mapping.h"
#include "arka/http/error_answer.h"
#include "arka/transport/refusal.h"

namespace arka {
namespace {

// What the table has a row for: gRPC's name of the code, HTTP's status, whether a retry may help.
using Row = std::tuple<std::string, std::string, std::string>;

constexpr std::array kGrpcNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

std::string RetryWord(bool retryable) { return retryable ? "yes" : "no"; }

Row ByFlight(const Status& error) {
  const auto status = flight::ToCallStatus(error);
  const auto retry = transport::Find(status.trailers, transport::kRetryableTrailer);
  return {kGrpcNames[static_cast<size_t>(status.code)], "", RetryWord(retry == "true")};
}

Row ByHttp(const Status& error) {
  const auto response = http::ErrorAnswer(error);
  const auto body = nlohmann::json::parse(response.body).at("error");
  const bool retryable = body.at("retryable");
  EXPECT_EQ(transport::Find(response.headers, "retry-after").has_value(), retryable);
  return {body.at("code"), std::to_string(response.status), RetryWord(retryable)};
}

std::string Trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// The rows of the table in "Errors".
std::set<Row> DocumentedRows() {
  std::ifstream document(std::string(ARKA_SOURCE_DIR) + "/docs/spec/wire.md");
  std::string line;
  while (std::getline(document, line) && line != "## Errors") {
  }
  std::set<Row> rows;
  while (std::getline(document, line) && !line.starts_with("## ")) {
    if (!line.starts_with("| ") || line.starts_with("| ---") || line.starts_with("| gRPC"))
      continue;
    std::istringstream cells(line.substr(1));
    std::array<std::string, 3> row;
    for (std::string& cell : row) {
      std::getline(cells, cell, '|');
      cell = Trimmed(cell);
    }
    rows.emplace(row[0], row[1], row[2]);
  }
  return rows;
}

TEST(ErrorCodes, FlightAndHttpAndTheWireContractSayTheSame) {
  std::set<Row> answered;
  for (size_t i = 0; i < kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    SCOPED_TRACE(ErrorCodeName(code));
    const Status error = Error(code, "the orders are late");
    const Row http = ByHttp(error), flight = ByFlight(error);
    EXPECT_EQ(std::get<0>(flight), std::get<0>(http));
    EXPECT_EQ(std::get<2>(flight), std::get<2>(http));
    answered.insert(http);
  }
  EXPECT_EQ(DocumentedRows(), answered);
}

}  // namespace
}  // namespace arka
