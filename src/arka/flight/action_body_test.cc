#include "arka/flight/action_body.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::flight {
namespace {

Result<ActionBody> Parse(std::string_view text) {
  return ActionBody::Parse("ask", text, {"name", "count", "lsns"});
}

TEST(ActionBody, ReadsWhatIsThere) {
  const auto body =
      Parse(R"({"name": "till 4", "count": -3, "lsns": [1000, 9223372036854775807]})");
  ASSERT_THAT(body, IsOk());
  EXPECT_EQ(body->Text("name").ValueOrDie(), "till 4");
  EXPECT_EQ(body->OptionalInteger("count").ValueOrDie(), -3);
  EXPECT_EQ(body->Integers("lsns", 2).ValueOrDie(),
            (std::vector<int64_t>{1000, 9223372036854775807}));
  EXPECT_EQ(Parse("{}")->OptionalInteger("count").ValueOrDie(), std::nullopt);
}

TEST(ActionBody, RefusesWhatIsNoObjectOfTheKnownKeys) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "not JSON"},
      {"\xff\xfe", "not JSON"},
      {"[]", "array"},
      {"7", "number"},
      {R"({"name": "a")", "not JSON"},
      {R"({"nam": "a"})", "unknown key 'nam'"},
      {std::string(100'000, '['), "nested"},
      {R"({"lsns":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}", "nested"},
      {std::string(kMaxActionBodyBytes + 1, ' '), "over"},
  };
  for (const auto& [text, problem] : cases) {
    const auto body = Parse(text);
    ASSERT_FALSE(body.ok()) << text.substr(0, 50);
    EXPECT_EQ(CodeOf(body.status()), ErrorCode::kInvalidRequest);
    EXPECT_NE(body.status().message().find(problem), std::string::npos) << body.status().message();
    EXPECT_NE(body.status().message().find("ask"), std::string::npos);
  }
}

TEST(ActionBody, RefusesValuesOfTheWrongTypeByName) {
  for (const char* text : {R"({"name": 7})", R"({"name": ""})", R"({"name": null})", "{}"}) {
    const auto name = Parse(text)->Text("name");
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_NE(name.status().message().find("'name'"), std::string::npos);
  }
  for (const char* text : {R"({"count": 1.5})", R"({"count": "1"})", R"({"count": 1e3})",
                           R"({"count": 9223372036854775808})", R"({"count": true})"}) {
    EXPECT_FALSE(Parse(text)->OptionalInteger("count").ok()) << text;
  }
  for (const char* text : {R"({"lsns": 7})", R"({"lsns": []})", R"({"lsns": [1, 2, 3]})",
                           R"({"lsns": [1, "2"]})", R"({"lsns": [1, null]})", "{}"}) {
    EXPECT_FALSE(Parse(text)->Integers("lsns", 2).ok()) << text;
  }
}

}  // namespace
}  // namespace arka::flight
