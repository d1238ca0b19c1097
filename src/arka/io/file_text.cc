#include "arka/io/file_text.h"

#include <span>

namespace arka {

Result<std::string> ReadFileText(Fs& fs, const std::string& path, int64_t max_bytes) {
  ARROW_ASSIGN_OR_RAISE(const auto file, fs.Open(path, OpenMode::kRead));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
  if (size > max_bytes) {
    return Error(ErrorCode::kTooLarge, path, " has ", size, " bytes; expected at most ", max_bytes);
  }
  std::string text(static_cast<size_t>(size), '\0');
  ARROW_ASSIGN_OR_RAISE(const size_t count, file->Read(0, std::as_writable_bytes(std::span(text))));
  text.resize(count);
  return text;
}

}  // namespace arka
