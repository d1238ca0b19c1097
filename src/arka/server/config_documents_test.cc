// The example file and the reference say what the code does. After a change of the key table, run
// this test once with ARKA_UPDATE_DOCUMENTS=1 and commit what it wrote.

#include "arka/server/config_documents.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "arka/server/config.h"
#include "arka/server/key_table.h"
#include "arka/testing/matchers.h"

namespace arka {
namespace {

const std::string kRoot = ARKA_SOURCE_DIR;
const std::string kExamplePath = kRoot + "/config/arka.example.yaml";
const std::string kReferencePath = kRoot + "/docs/reference/configuration.md";

void ExpectFileHolds(const std::string& path, const std::string& text) {
  if (std::getenv("ARKA_UPDATE_DOCUMENTS") != nullptr) std::ofstream(path) << text;
  std::ostringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_EQ(found.str(), text) << path << ": see the top of this test";
}

TEST(ConfigDocuments, TheExampleFileHoldsEveryKey) {
  ExpectFileHolds(kExamplePath, RenderExampleFile());
}

TEST(ConfigDocuments, TheReferenceHoldsEveryKey) {
  ExpectFileHolds(kReferencePath, RenderReference());
}

TEST(ConfigDocuments, TheExampleFileChangesNothing) {
  const Config defaults = LoadConfig(std::nullopt, {}, {}).ValueOrDie();
  const auto example = LoadConfig(kExamplePath, {}, {});
  ASSERT_THAT(example, IsOk());
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_EQ(key.get(*example), key.get(defaults)) << key.name;
  }
}

}  // namespace
}  // namespace arka
