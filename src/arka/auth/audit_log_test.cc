#include "arka/auth/audit_log.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/simulated_clock.h"
#include "arka/testing/temp_directory.h"

namespace arka::auth {
namespace {

using testing::HasSubstr;

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(AuditLog, WritesOneLineOfJsonForEveryEntryInOrder) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/audit.json";
  SimulatedClock clock;
  {
    const auto log = AuditLog::Open(clock, path).ValueOrDie();
    log->Add({"alice", "token", "10.0.0.1:7", "DoPut", "write", "sales.orders", "OK"});
    log->Add({"", "", "10.0.0.1:7", "GET /", "", "", "UNAUTHENTICATED"});
    log->Add({"new\nline\xff", "jwt", "p", "c", "", "", "OK"});
  }
  const std::string text = TextOf(path);
  EXPECT_THAT(text, HasSubstr(R"("principal":"alice","proof":"token","peer":"10.0.0.1:7",)"
                              R"("call":"DoPut","right":"write","table":"sales.orders",)"
                              R"("result":"OK"})"
                              "\n{\"time\":"));
  EXPECT_THAT(text, HasSubstr(R"("principal":null,"proof":null,"peer":"10.0.0.1:7",)"
                              R"("call":"GET /","right":null,"table":null,)"
                              R"("result":"UNAUTHENTICATED"})"));
  EXPECT_THAT(text, HasSubstr(R"(new\nline)")) << "nobody can forge a line";
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(AuditLog, MayBeMovedAwayAtAnyTime) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/audit.json";
  SimulatedClock clock;
  auto log = AuditLog::Open(clock, path).ValueOrDie();
  log->Add({.principal = "before", .result = "OK"});
  log.reset();  // waits until it is written
  ASSERT_EQ(std::rename(path.c_str(), (path + ".1").c_str()), 0);
  log = AuditLog::Open(clock, path).ValueOrDie();
  log->Add({.principal = "after", .result = "OK"});
  log.reset();
  EXPECT_THAT(TextOf(path + ".1"), HasSubstr("before"));
  EXPECT_THAT(TextOf(path), HasSubstr("after"));
}

TEST(AuditLog, OneThatCannotBeWrittenStopsTheStart) {
  SimulatedClock clock;
  EXPECT_THAT(AuditLog::Open(clock, "/no/such/directory/audit").status().message(),
              HasSubstr("log.audit: cannot write to"));
}

}  // namespace
}  // namespace arka::auth
