// The claim on server.data_dir: one server owns a data directory while it lives.
//
// First step of a start, before anything in the directory is read. Called by the composition root.
#pragma once

#include <memory>
#include <string>

#include "arka/io/fs.h"

namespace arka {

/// Makes the directory and its `log` where they are missing, and takes the lock. Errors name the
/// path that is in the way and say what to do; kUnavailable where another process has it.
Result<std::unique_ptr<FileLock>> ClaimDataDirectory(Fs& fs, const std::string& directory);

}  // namespace arka
