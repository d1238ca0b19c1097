#include "arka/iceberg/rest_errors.h"

#include <vector>

#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

constexpr char kConflictBody[] =
    R"({"error": {"message": "stale", "type": "CommitFailedException", "code": 400}})";
constexpr char kModelBody[] = R"({"error": {"message": "m", "type": "T", "code": 1}})";
constexpr char kProxyBody[] = "<html>nothing here</html>";

struct Row {
  int status;
  const char* body;
  ErrorCode read;              // of a configuration, a table, a list
  ErrorCode create_namespace;  //
  ErrorCode create_table;      //
  ErrorCode commit;            //
  ErrorCode drop;
};

using enum ErrorCode;

const std::vector<Row>& Table() {
  static const std::vector<Row> rows = {
      {301, "", kInvalidRequest, kInvalidRequest, kInvalidRequest, kInvalidRequest,
       kInvalidRequest},
      {307, "", kInvalidRequest, kInvalidRequest, kInvalidRequest, kInvalidRequest,
       kInvalidRequest},
      {400, kModelBody, kInvalidRequest, kInvalidRequest, kInvalidRequest, kInvalidRequest,
       kInvalidRequest},
      {400, kConflictBody, kInvalidRequest, kInvalidRequest, kInvalidRequest, kCommitConflict,
       kInvalidRequest},
      {401, "", kUnauthenticated, kUnauthenticated, kUnauthenticated, kUnauthenticated,
       kUnauthenticated},
      {403, kModelBody, kPermissionDenied, kPermissionDenied, kPermissionDenied, kPermissionDenied,
       kPermissionDenied},
      {404, kModelBody, kNotFound, kNotFound, kNotFound, kNotFound, kNotFound},
      {404, kProxyBody, kUnavailable, kUnavailable, kUnavailable, kUnavailable, kUnavailable},
      {405, "", kInvalidRequest, kInvalidRequest, kInvalidRequest, kInvalidRequest,
       kInvalidRequest},
      {408, "", kUnavailable, kUnavailable, kCommitUnknown, kCommitUnknown, kCommitUnknown},
      {409, kModelBody, kAlreadyExists, kAlreadyExists, kAlreadyExists, kCommitConflict,
       kAlreadyExists},
      {409, "", kAlreadyExists, kAlreadyExists, kAlreadyExists, kCommitConflict, kAlreadyExists},
      {413, "", kTooLarge, kTooLarge, kTooLarge, kTooLarge, kTooLarge},
      {419, kModelBody, kUnauthenticated, kUnauthenticated, kUnauthenticated, kUnauthenticated,
       kUnauthenticated},
      {422, kModelBody, kInvalidRequest, kInvalidRequest, kInvalidRequest, kInvalidRequest,
       kInvalidRequest},
      {429, "", kUnavailable, kUnavailable, kUnavailable, kUnavailable, kUnavailable},
      {500, kModelBody, kUnavailable, kUnavailable, kCommitUnknown, kCommitUnknown, kCommitUnknown},
      {501, "", kUnavailable, kUnavailable, kCommitUnknown, kCommitUnknown, kCommitUnknown},
      {502, kProxyBody, kUnavailable, kUnavailable, kCommitUnknown, kCommitUnknown, kCommitUnknown},
      {503, "", kUnavailable, kUnavailable, kCommitUnknown, kCommitUnknown, kCommitUnknown},
      {504, kConflictBody, kUnavailable, kUnavailable, kCommitUnknown, kCommitUnknown,
       kCommitUnknown},
      {599, "", kUnavailable, kUnavailable, kCommitUnknown, kCommitUnknown, kCommitUnknown},
  };
  return rows;
}

TEST(RestErrors, EveryStatusOfEveryCallMeansWhatTheTableSays) {
  for (const Row& row : Table()) {
    const HttpResponse answer{.status = row.status, .body = row.body};
    const auto expect = [&](RestCall call, ErrorCode code) {
      EXPECT_THAT(ClassifyRestAnswer(call, answer), FailsWith(code))
          << row.status << " of call " << static_cast<int>(call);
    };
    expect(RestCall::kGetConfig, row.read);
    expect(RestCall::kLoadTable, row.read);
    expect(RestCall::kList, row.read);
    expect(RestCall::kCreateNamespace, row.create_namespace);
    expect(RestCall::kCreateTable, row.create_table);
    expect(RestCall::kCommitTable, row.commit);
    expect(RestCall::kDropTable, row.drop);
  }
}

TEST(RestErrors, OnlyTwoHundredsAreAnswersToRead) {
  for (const int status : {200, 201, 204}) {
    EXPECT_THAT(ClassifyRestAnswer(RestCall::kCommitTable, {.status = status}), IsOk());
  }
  EXPECT_FALSE(ClassifyRestAnswer(RestCall::kCommitTable, {.status = 0}).ok());
}

TEST(RestErrors, NoAnswerToACommitIsUnknownUnlessNothingWasSent) {
  const auto of_commit = [](ErrorCode code) {
    return ClassifyNoAnswer(RestCall::kCommitTable, Error(code, "x"));
  };
  EXPECT_THAT(of_commit(kUnavailable), FailsWith(kUnavailable));
  EXPECT_THAT(of_commit(kInvalidRequest), FailsWith(kInvalidRequest));
  for (const ErrorCode code : {kTimedOut, kIoFailed, kTooLarge, kInternal}) {
    EXPECT_THAT(of_commit(code), FailsWith(kCommitUnknown));
  }
}

TEST(RestErrors, NoAnswerToAReadMayBeAskedForAgain) {
  for (const ErrorCode code : {kUnavailable, kTimedOut, kIoFailed}) {
    EXPECT_THAT(ClassifyNoAnswer(RestCall::kLoadTable, Error(code, "x")), FailsWith(kUnavailable));
  }
  EXPECT_THAT(ClassifyNoAnswer(RestCall::kLoadTable, Error(kTooLarge, "x")), FailsWith(kTooLarge));
}

TEST(RestErrors, AChangeWhoseAnswerCannotBeReadIsUnknown) {
  const Status bad = Error(kCorruption, "not JSON");
  EXPECT_THAT(ClassifyBadAnswer(RestCall::kCommitTable, bad), FailsWith(kCommitUnknown));
  EXPECT_THAT(ClassifyBadAnswer(RestCall::kCreateTable, bad), FailsWith(kCommitUnknown));
  EXPECT_THAT(ClassifyBadAnswer(RestCall::kLoadTable, bad), FailsWith(kCorruption));
}

TEST(RestErrors, MessagesAreCutShortAndCleaned) {
  const std::string text = "a\r\nb\x1b[31m" + std::string(10'000, 'x');
  const std::string quoted = Quoted(text);
  EXPECT_LT(quoted.size(), 600u);
  EXPECT_EQ(quoted.substr(0, 6), "a  b [");
}

}  // namespace
}  // namespace arka::iceberg
