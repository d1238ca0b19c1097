// A small file as text.
#pragma once

#include <cstdint>
#include <string>

#include "arka/base/error.h"
#include "arka/io/fs.h"

namespace arka {

/// All of the file; kTooLarge where it has more than `max_bytes`, other errors as Fs has them.
Result<std::string> ReadFileText(Fs& fs, const std::string& path, int64_t max_bytes = 4 << 20);

}  // namespace arka
