#include "arka/transport/grpc_timeout.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

TEST(GrpcTimeout, KnowsEveryUnit) {
  EXPECT_EQ(ParseGrpcTimeout("2H"), nanoseconds(2h));
  EXPECT_EQ(ParseGrpcTimeout("3M"), nanoseconds(3min));
  EXPECT_EQ(ParseGrpcTimeout("4S"), nanoseconds(4s));
  EXPECT_EQ(ParseGrpcTimeout("100m"), nanoseconds(100ms));
  EXPECT_EQ(ParseGrpcTimeout("5u"), nanoseconds(5us));
  EXPECT_EQ(ParseGrpcTimeout("0n"), 0ns);
}

TEST(GrpcTimeout, CapsWhatWouldOverflow) {
  ASSERT_TRUE(ParseGrpcTimeout("99999999H"));
  EXPECT_EQ(*ParseGrpcTimeout("99999999H"), 10 * 365 * 24h);
}

TEST(GrpcTimeout, RefusesWhatIsMalformed) {
  for (const char* text : {"", "S", "1", "1s", "-1S", "+1S", "1 S", "1.5S", "123456789S", "1SS"}) {
    EXPECT_EQ(ParseGrpcTimeout(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace arka::transport
