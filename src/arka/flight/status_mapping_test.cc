#include "arka/flight/status_mapping.h"

#include <string>

#include <gtest/gtest.h>

#include "arka/protocol/write_headers.h"

namespace arka::flight {
namespace {

using transport::GrpcCode;

std::string RetryableTrailer(const transport::CallStatus& status) {
  return std::string(transport::Find(status.trailers, protocol::kRetryableTrailer).value_or(""));
}

TEST(StatusMapping, EveryErrorCodeHasItsGrpcCodeAndSaysWhetherToRetry) {
  for (size_t i = 0; i < kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    SCOPED_TRACE(ErrorCodeName(code));
    const auto status = ToCallStatus(Error(code, "the orders are late"));
    EXPECT_NE(status.code, GrpcCode::kOk);
    EXPECT_NE(status.code, GrpcCode::kUnknown);
    EXPECT_EQ(status.code, GrpcCodeOf(code));
    EXPECT_EQ(RetryableTrailer(status), IsRetryable(code) ? "true" : "false");
    const bool inside = status.code == GrpcCode::kInternal;
    EXPECT_EQ(status.message.find("late") == std::string::npos, inside) << status.message;
    // UNAVAILABLE is what clients retry by themselves: it must be safe.
    EXPECT_TRUE(status.code != GrpcCode::kUnavailable || IsRetryable(code));
    // What clients do not retry by themselves is no passing trouble, but for a full server.
    EXPECT_FALSE(status.code == GrpcCode::kInvalidArgument && IsRetryable(code));
  }
}

TEST(StatusMapping, TheCodesAreThoseOfTheWireContract) {
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kSchemaMismatch), GrpcCode::kInvalidArgument);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kInvalidRequest), GrpcCode::kInvalidArgument);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kNotFound), GrpcCode::kNotFound);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kAlreadyExists), GrpcCode::kAlreadyExists);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kFailedPrecondition), GrpcCode::kFailedPrecondition);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kTooLarge), GrpcCode::kResourceExhausted);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kBackpressure), GrpcCode::kResourceExhausted);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kShuttingDown), GrpcCode::kUnavailable);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kUnauthenticated), GrpcCode::kUnauthenticated);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kPermissionDenied), GrpcCode::kPermissionDenied);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kTimedOut), GrpcCode::kDeadlineExceeded);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kCancelled), GrpcCode::kCancelled);
  EXPECT_EQ(GrpcCodeOf(ErrorCode::kInternal), GrpcCode::kInternal);
}

TEST(StatusMapping, SuccessIsOkWithoutTrailers) {
  const auto status = ToCallStatus(Status::OK());
  EXPECT_EQ(status.code, GrpcCode::kOk);
  EXPECT_TRUE(status.message.empty());
  EXPECT_TRUE(status.trailers.empty());
}

TEST(StatusMapping, AnInternalErrorHidesItsTextBehindANumberOfItsOwn) {
  // A status without a code is a defect: nobody has thought of it.
  const auto first = ToCallStatus(Status::IOError("/var/secret/path"));
  const auto second = ToCallStatus(Status::IOError("/var/secret/path"));
  EXPECT_EQ(first.code, GrpcCode::kInternal);
  EXPECT_EQ(RetryableTrailer(first), "false");
  EXPECT_EQ(first.message.find("secret"), std::string::npos) << first.message;
  EXPECT_NE(first.message, second.message);
}

}  // namespace
}  // namespace arka::flight
