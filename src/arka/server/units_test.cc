#include "arka/server/units.h"

#include <gmock/gmock.h>

#include "arka/testing/matchers.h"

namespace arka {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Size, UnitsArePowersOf1024) {
  EXPECT_EQ(ParseSize("1B").ValueOrDie(), 1);
  EXPECT_EQ(ParseSize("1KB").ValueOrDie(), 1024);
  EXPECT_EQ(ParseSize("128MB").ValueOrDie(), 134'217'728);
  EXPECT_EQ(ParseSize("128MiB").ValueOrDie(), 134'217'728);
  EXPECT_EQ(ParseSize("2 GB").ValueOrDie(), 2'147'483'648);
  EXPECT_EQ(ParseSize("1TiB").ValueOrDie(), 1'099'511'627'776);
  EXPECT_EQ(ParseSize("1.5KB").ValueOrDie(), 1536);
  EXPECT_EQ(ParseSize("0").ValueOrDie(), 0);
}

TEST(Size, SaysWhatItExpected) {
  EXPECT_THAT(ParseSize("128XB").status().message(),
              HasSubstr("'128XB' has an unknown unit: expected a size such as 128MB"));
  EXPECT_THAT(ParseSize("128").status().message(), HasSubstr("has no unit"));
  EXPECT_THAT(ParseSize("MB").status().message(), HasSubstr("has no number"));
  EXPECT_THAT(ParseSize("-1MB").status().message(), HasSubstr("is negative"));
  EXPECT_THAT(ParseSize("99999999TB").status().message(), HasSubstr("is too large"));
  EXPECT_THAT(ParseSize("0.5B").status().message(), HasSubstr("is no whole number"));
}

TEST(Size, RefusesWhatIsNoSize) {
  for (const char* text : {"", " ", "1 2MB", "1mb", "0x10MB", "1e3MB", "infMB", "nanMB", "1MB ",
                           " 1MB", "1MBMB", "1e999TB", "+1MB"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseSize(text), FailsWith(ErrorCode::kInvalidRequest));
  }
}

TEST(Size, FormatsInTheLargestUnitThatFits) {
  for (const char* text : {"0", "1B", "1023B", "64KB", "1536B", "128MB", "3GB", "1TB", "1025KB"}) {
    EXPECT_EQ(FormatSize(ParseSize(text).ValueOrDie()), text);
  }
}

TEST(Duration, ParsesEveryUnit) {
  EXPECT_EQ(ParseDuration("5us").ValueOrDie(), 5us);
  EXPECT_EQ(ParseDuration("100ms").ValueOrDie(), 100ms);
  EXPECT_EQ(ParseDuration("60s").ValueOrDie(), 60s);
  EXPECT_EQ(ParseDuration("1.5s").ValueOrDie(), 1500ms);
  EXPECT_EQ(ParseDuration("2m").ValueOrDie(), 2min);
  EXPECT_EQ(ParseDuration("1h").ValueOrDie(), 1h);
  EXPECT_EQ(ParseDuration("1d").ValueOrDie(), 24h);
  EXPECT_EQ(ParseDuration("0").ValueOrDie(), 0s);
}

TEST(Duration, SaysWhatItExpected) {
  EXPECT_THAT(ParseDuration("100").status().message(),
              HasSubstr("'100' has no unit: expected a duration such as 100ms"));
  EXPECT_THAT(ParseDuration("-5s").status().message(), HasSubstr("is negative"));
  EXPECT_THAT(ParseDuration("5 weeks").status().message(), HasSubstr("unknown unit"));
}

TEST(Duration, FormatsToTheSameValue) {
  for (const char* text : {"0ms", "1us", "1500us", "100ms", "60s", "90s", "1h", "24h"}) {
    EXPECT_EQ(FormatDuration(ParseDuration(text).ValueOrDie()), text);
  }
}

TEST(ListenAddress, ParsesNamesAndAddresses) {
  EXPECT_EQ(ParseListenAddress("localhost:8815").ValueOrDie(), (ListenAddress{"localhost", 8815}));
  EXPECT_EQ(ParseListenAddress("127.0.0.1:0").ValueOrDie(), (ListenAddress{"127.0.0.1", 0}));
  EXPECT_EQ(ParseListenAddress("[::1]:65535").ValueOrDie(), (ListenAddress{"::1", 65535}));
  for (const char* text : {"localhost:8815", "[::1]:80"}) {
    EXPECT_EQ(FormatListenAddress(ParseListenAddress(text).ValueOrDie()), text);
  }
}

TEST(ListenAddress, RefusesEverythingElse) {
  for (const char* text : {"", "localhost", ":8815", "localhost:", "localhost:65536",
                           "localhost:-1", "localhost:http", "::1:80", "[::1]", "[]:80",
                           "[localhost]:80", "http://localhost:80", "a b:80", "localhost:80 "}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseListenAddress(text), FailsWith(ErrorCode::kInvalidRequest));
  }
}

TEST(Bool, IsTrueOrFalse) {
  EXPECT_TRUE(ParseBool("true").ValueOrDie());
  EXPECT_FALSE(ParseBool("false").ValueOrDie());
  EXPECT_THAT(ParseBool("yes"), FailsWith(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace arka
