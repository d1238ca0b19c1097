#include "arka/transport/http_exchange.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

TEST(HttpExchange, SplitsAndDecodesTheTarget) {
  HttpRequest request;
  ASSERT_TRUE(ParseTarget("/a%20b/c?x=%20&y", request));
  EXPECT_EQ(request.path, "/a b/c");
  EXPECT_EQ(request.query, "x=%20&y");
}

TEST(HttpExchange, TakesTheAbsoluteFormOfATarget) {
  HttpRequest request;
  ASSERT_TRUE(ParseTarget("http://localhost:8815/healthz", request));
  EXPECT_EQ(request.path, "/healthz");
  ASSERT_TRUE(ParseTarget("http://localhost:8815", request));
  EXPECT_EQ(request.path, "/");
}

TEST(HttpExchange, RefusesMalformedTargets) {
  HttpRequest request;
  for (const char* target : {"", "healthz", "/%", "/a%00"}) {
    EXPECT_FALSE(ParseTarget(target, request)) << target;
  }
}

TEST(HttpExchange, WritesDatesAsRfc9110DoesInItsExample) {
  EXPECT_EQ(HttpDate(WallTime(std::chrono::seconds(784'111'777))), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace arka::transport
