// A directory on the real disk that lives as long as the object.
#pragma once

#include <string>

namespace arka {

class TempDirectory {
 public:
  /// Makes it under $TMPDIR or /tmp; aborts the test program where that fails.
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace arka
