// The one place where an errno becomes a Status.
#pragma once

#include <string_view>

#include "arka/base/error.h"

namespace arka {

/// "cannot <action> <path>: <strerror> (errno 28)", with the ErrorCode that fs.h promises for
/// `error_number`: kNotFound, kAlreadyExists, kBackpressure (disk full), else kIoFailed. Where
/// the system's words leave open what to look at, it follows: are bytes or inodes used up?
Status ErrnoStatus(int error_number, std::string_view action, std::string_view path);

}  // namespace arka
