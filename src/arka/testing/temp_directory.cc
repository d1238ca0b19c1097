#include "arka/testing/temp_directory.h"

#include <filesystem>
#include <system_error>

#include <stdlib.h>

#include "arka/base/check.h"

namespace arka {

TempDirectory::TempDirectory()
    : path_((std::filesystem::temp_directory_path() / "arka-test-XXXXXX").string()) {
  ARKA_CHECK(mkdtemp(path_.data()) != nullptr);
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;  // the test has its verdict by now
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace arka
