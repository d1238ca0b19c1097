#include "arka/http/http_service.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "arka/http/error_answer.h"
#include "arka/http/openapi.h"

namespace arka::http {
namespace {

TEST(ErrorAnswer, HasAStatusAndACodeForEveryError) {
  for (size_t i = 0; i < kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const auto answer = ErrorAnswer(Error(code, "what \xff was wrong"));
    EXPECT_GE(answer.status, 400) << i;
    const auto error = nlohmann::json::parse(answer.body)["error"];
    EXPECT_EQ(error["retryable"], IsRetryable(code));
    EXPECT_EQ(transport::Find(answer.headers, "retry-after").has_value(), IsRetryable(code));
    EXPECT_EQ(error["code"], HttpErrorOf(code).code);
    // The inside of the server stays inside.
    const bool shows = error["message"].get<std::string>().find("was wrong") != std::string::npos;
    EXPECT_EQ(shows, answer.status != 500);
  }
}

TEST(OpenApi, DescribesThePathsThatAreAnswered) {
  const auto document = nlohmann::json::parse(OpenApiDocument());
  EXPECT_EQ(document["openapi"], "3.0.3");
  for (const auto& [path, unused] : document["paths"].items()) {
    const bool known = path.starts_with(kTablesPath) || path.starts_with(kAcksPath) ||
                       path == kOpenApiPath || path == kQueryPath || path == "/api/v1/status";
    EXPECT_TRUE(known) << path;
  }
  const auto& post = document["paths"]["/api/v1/tables/{namespace}/{table}"]["post"];
  for (const auto& [type, unused] : post["requestBody"]["content"].items()) {
    EXPECT_TRUE(RowFormatOf(type)) << type;
  }
}

TEST(Cors, AllowsWhoIsNamedAndNobodyByDefault) {
  transport::HttpRequest request;
  request.method = "OPTIONS";
  request.headers = {{"origin", "https://a.example"}, {"access-control-request-method", "POST"}};
  EXPECT_FALSE(Cors({}).IsPreflight(request));
  const Cors cors({{"https://a.example"}});
  ASSERT_TRUE(cors.IsPreflight(request));
  EXPECT_EQ(cors.AnswerPreflight(request).status, 200);
  transport::HttpResponse answer;
  cors.Allow(request, answer);
  EXPECT_EQ(transport::Find(answer.headers, "access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(transport::Find(answer.headers, "vary"), "origin");
  request.headers[0].second = "https://b.example";
  EXPECT_EQ(cors.AnswerPreflight(request).status, 403);
  EXPECT_EQ(Cors({{"*"}}).AnswerPreflight(request).status, 200);
}

}  // namespace
}  // namespace arka::http
