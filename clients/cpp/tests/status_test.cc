// Errors of one shape, whoever they come from.
#include "status.h"

#include <arrow/flight/types.h>
#include <gtest/gtest.h>

namespace arka::client {
namespace {

namespace flight = arrow::flight;
using arrow::Status;

void ExpectError(const Status& status, Code code, bool retryable, std::string_view message) {
  EXPECT_EQ(CodeOf(status), code) << status;
  EXPECT_EQ(IsRetryable(status), retryable) << status;
  EXPECT_EQ(status.message(), message);
}

TEST(ErrorTest, FlightsCodesAreThoseOfTheWireContract) {
  const auto made = [](flight::FlightStatusCode code) {
    return FromFlight(flight::MakeFlightError(code, "why"));
  };
  ExpectError(made(flight::FlightStatusCode::Unavailable), Code::kUnavailable, true, "why");
  ExpectError(made(flight::FlightStatusCode::TimedOut), Code::kDeadlineExceeded, true, "why");
  ExpectError(made(flight::FlightStatusCode::Unauthenticated), Code::kUnauthenticated, false,
              "why");
  ExpectError(made(flight::FlightStatusCode::Unauthorized), Code::kPermissionDenied, false, "why");
  ExpectError(FromFlight(Status::Invalid("why")), Code::kInvalidArgument, false, "why");
  ExpectError(FromFlight(Status::KeyError("why")), Code::kNotFound, false, "why");
  ExpectError(FromFlight(Status::AlreadyExists("why")), Code::kAlreadyExists, false, "why");
  ExpectError(FromFlight(Status::NotImplemented("why")), Code::kUnimplemented, false, "why");
}

TEST(ErrorTest, CodesThatArrowHasNoKindForAreReadFromItsWords) {
  ExpectError(FromFlight(Status::Invalid("gRPC returned resource exhausted error, with message: "
                                         "full. gRPC client debug context: UNKNOWN:Error")),
              Code::kResourceExhausted, false, "full");
  ExpectError(FromFlight(Status::Invalid("gRPC returned precondition failed error, with message: "
                                         "the table is sealed")),
              Code::kFailedPrecondition, false, "the table is sealed");
  ExpectError(FromFlight(Status::IOError("gRPC returned data loss error, with message: gone")),
              Code::kDataLoss, false, "gone");
}

TEST(ErrorTest, TheServersWordOnWhetherToRetryCounts) {
  const Status full = Status::Invalid("gRPC returned resource exhausted error, with message: full");
  EXPECT_TRUE(IsRetryable(FromFlight(full, true)));
  const Status away = flight::MakeFlightError(flight::FlightStatusCode::Unavailable, "away");
  EXPECT_FALSE(IsRetryable(FromFlight(away, false)));
}

TEST(ErrorTest, WhatIsAnErrorOfTheLibraryStaysAsItIs) {
  const Status failure = Failure(Code::kDataLoss, "seq ", 7);
  EXPECT_TRUE(FromFlight(failure, true).Equals(failure));
  ExpectError(failure, Code::kDataLoss, false, "seq 7");
  EXPECT_NE(failure.ToString().find("DATA_LOSS, not retryable"), std::string::npos);
  EXPECT_EQ(CodeOf(Status::Invalid("somebody else's")), Code::kUnknown);
}

}  // namespace
}  // namespace arka::client
