#include "arka/transport/grpc_status.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

TEST(GrpcStatus, SaysOkWithoutAMessage) {
  EXPECT_EQ(GrpcTrailers({}), (Metadata{{"grpc-status", "0"}}));
}

TEST(GrpcStatus, PercentEncodesTheMessage) {
  const Metadata trailers = GrpcTrailers({GrpcCode::kNotFound, "no table 'ä'\n", {}});
  EXPECT_EQ(Find(trailers, "grpc-status"), "5");
  EXPECT_EQ(Find(trailers, "grpc-message"), "no table '%C3%A4'%0A");
}

TEST(GrpcStatus, EncodesBinaryTrailers) {
  const CallStatus status{GrpcCode::kInternal, "", {{"detail-bin", std::string("\0\xFF", 2)}}};
  EXPECT_EQ(Find(GrpcTrailers(status), "detail-bin"), "AP8");
}

TEST(GrpcStatus, LeavesOutWhatHttp2CannotCarry) {
  const CallStatus status{
      GrpcCode::kOk, "", {{"bad\nname", "x"}, {"Upper", "x"}, {":status", "500"}, {"v", "a\nb"}}};
  EXPECT_EQ(GrpcTrailers(status), (Metadata{{"grpc-status", "0"}}));
}

TEST(GrpcStatus, CutsAMessageThatNoClientWouldTake) {
  const Metadata trailers = GrpcTrailers({GrpcCode::kInternal, std::string(100'000, 'x'), {}});
  EXPECT_LE(Find(trailers, "grpc-message")->size(), 4096u);
}

}  // namespace
}  // namespace arka::transport
