#include "arka/server/arka_server.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/testing/temp_directory.h"

namespace arka {
namespace {

Config ConfigIn(const std::string& directory) {
  const std::vector<std::string> settings = {"server.data_dir=" + directory + "/data",
                                             "server.listen=127.0.0.1:0", "wal.segment_size=1MB",
                                             "server.max_batch_bytes=1MB", "wal.spare_segments=1"};
  return LoadConfig(std::nullopt, settings, {}).ValueOrDie();
}

TEST(ArkaServer, StartsTellsItsAddressAndShutsDownInOrder) {
  const TempDirectory directory;
  const Config config = ConfigIn(directory.path());
  for (int start = 0; start < 2; ++start) {  // the data directory serves again
    auto server = ArkaServer::Start(config);
    ASSERT_THAT(server, IsOk());
    EXPECT_EQ((*server)->address().find("127.0.0.1:"), 0u) << (*server)->address();
    EXPECT_EQ((*server)->address().find(":0"), std::string::npos) << (*server)->address();
    EXPECT_THAT((*server)->Shutdown(), IsOk());
  }
}

TEST(ArkaServer, ADataDirectoryServesOneServerAtATime) {
  const TempDirectory directory;
  const Config config = ConfigIn(directory.path());
  auto first = ArkaServer::Start(config);
  ASSERT_THAT(first, IsOk());
  const auto second = ArkaServer::Start(config);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find(directory.path() + "/data/lock"), std::string::npos)
      << second.status().ToString();
  EXPECT_NE(CodeOf(second.status()), ErrorCode::kInternal);
  first->reset();  // without Shutdown, as after a failure
  EXPECT_THAT(ArkaServer::Start(config), IsOk());
}

TEST(ArkaServer, WhatCannotBeOpenedIsNamed) {
  const TempDirectory directory;
  Config config = ConfigIn(directory.path());
  config.server.tls_cert_path = directory.path() + "/none.pem";
  config.server.tls_key_path = directory.path() + "/none.key";
  const auto refused = ArkaServer::Start(config);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("none.pem"), std::string::npos)
      << refused.status().ToString();
  config = ConfigIn("/proc/nowhere");
  EXPECT_NE(ArkaServer::Start(config).status().message().find("server.data_dir"),
            std::string::npos);
}

}  // namespace
}  // namespace arka
