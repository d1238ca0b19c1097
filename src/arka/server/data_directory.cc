#include "arka/server/data_directory.h"

namespace arka {

Result<std::unique_ptr<FileLock>> ClaimDataDirectory(Fs& fs, const std::string& directory) {
  ARROW_RETURN_NOT_OK(WithContext(fs.CreateDirs(directory), "server.data_dir"));
  auto lock = fs.Lock(directory + "/lock");
  if (lock.ok()) {
    // Before anybody takes a log that cannot be reached for one that is missing.
    ARROW_RETURN_NOT_OK(WithContext(fs.CreateDirs(directory + "/log"), "server.data_dir"));
    return lock;
  }
  if (CodeOf(lock.status()) != ErrorCode::kUnavailable) {
    return WithContext(lock.status(), "server.data_dir");
  }
  return Error(ErrorCode::kUnavailable, "server.data_dir: ", lock.status().message(),
               ": one server owns a data directory; stop that process, or give this server a "
               "directory of its own");
}

}  // namespace arka
