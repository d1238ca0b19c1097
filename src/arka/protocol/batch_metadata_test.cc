#include "arka/protocol/batch_metadata.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::protocol {
namespace {

TEST(BatchMetadata, ReadsTheSeqOfAnObject) {
  const std::pair<const char*, int64_t> cases[] = {
      {R"({"seq": 1})", 1},
      {R"({"seq":42})", 42},
      {" {\t\"seq\"\r\n: 7 } \n", 7},
      {R"({"seq": 9223372036854775807})", std::numeric_limits<int64_t>::max()},
  };
  for (const auto& [text, seq] : cases) {
    const auto parsed = ParseBatchSeq(text);
    ASSERT_THAT(parsed, IsOk()) << text;
    EXPECT_EQ(*parsed, seq) << text;
  }
}

TEST(BatchMetadata, RefusesEverythingElseAndSaysWhatWasExpected) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "no JSON object"},
      {"hello", "no JSON object"},
      {"[1]", "no JSON object"},
      {"{}", "no key"},
      {R"({"seq)", "without an end"},
      {R"({"seq" 1})", "no colon"},
      {R"({"seq": "1"})", "not a number"},
      {R"({"seq": null})", "not a number"},
      {R"({"seq": +1})", "not a number"},
      {R"({"seq": })", "not a number"},
      {R"({"seq":)", "not a number"},
      {R"({"seq": 1.5})", "not a whole number"},
      {R"({"seq": 1e3})", "not a whole number"},
      {R"({"seq": 0})", "seq 0"},
      {R"({"seq": -1})", "seq -1"},
      {R"({"seq": 007})", "leading zero"},
      {R"({"seq": 9223372036854775808})", "out of range"},
      {R"({"seq": 1, "seq": 2})", "more than one key"},
      {R"({"sequence": 1})", "unknown key 'sequence'"},
      {R"({"\u0073eq": 1})", "unknown key"},
      {R"({"seq": 1)", "no end of the object"},
      {R"({"seq": 1} x)", "after the object"},
      {R"({"seq": {"seq": 1}})", "not a number"},
      {std::string(100'000, '['), "over 4096"},
      {std::string(4096, '['), "no JSON object"},
      {std::string("{\"seq\"\0: 1}", 11), "no colon"},
  };
  for (const auto& [text, problem] : cases) {
    const auto parsed = ParseBatchSeq(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(CodeOf(parsed.status()), ErrorCode::kInvalidRequest);
    EXPECT_NE(parsed.status().message().find(problem), std::string::npos)
        << text.substr(0, 60) << " -> " << parsed.status().message();
    EXPECT_NE(parsed.status().message().find(R"({"seq": N})"), std::string::npos);
  }
}

}  // namespace
}  // namespace arka::protocol
