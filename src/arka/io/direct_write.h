// Writing past the page cache: O_DIRECT through an aligned buffer of one megabyte. For PosixFile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arka/io/fs.h"

namespace arka {

/// Writes the leading whole blocks of `parts`, one after the other, to the open file `descriptor`
/// at `offset`; answers how many bytes, from the first on, have landed. That is none where offset
/// or file system do not allow direct writing, and fewer than all whole blocks after an error: the
/// caller writes the rest in the usual way. Blocks; any thread.
size_t WriteDirect(int descriptor, int64_t offset, std::span<const ByteSpan> parts);

}  // namespace arka
