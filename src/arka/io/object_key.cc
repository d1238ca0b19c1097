#include "arka/io/object_key.h"

#include <algorithm>
#include <string>

namespace arka {
namespace {

constexpr size_t kMaxKeySize = 1024;
constexpr size_t kMaxPartSize = 255;

Status Refuse(std::string_view key, std::string_view rule) {
  constexpr size_t kShownSize = 80;
  std::string shown(key.substr(0, kShownSize));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return Error(ErrorCode::kInvalidRequest, "object key '", shown, "': ", rule);
}

bool IsControl(unsigned char c) { return c < ' ' || c == 0x7F; }

}  // namespace

Status ValidateObjectKey(std::string_view key) {
  if (key.empty()) return Refuse(key, "is empty");
  if (key.size() > kMaxKeySize) return Refuse(key, "is longer than 1024 bytes");
  if (std::any_of(key.begin(), key.end(), IsControl)) return Refuse(key, "has a control character");
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    if (part.empty()) return Refuse(key, "has an empty part or is absolute");
    if (part == "." || part == "..") return Refuse(key, "has a part '.' or '..'");
    if (part.size() > kMaxPartSize) return Refuse(key, "has a part longer than 255 bytes");
    begin = end + 1;
  }
  return Status::OK();
}

Status ValidateObjectPrefix(std::string_view prefix) {
  const size_t slash = prefix.rfind('/');
  if (slash != std::string_view::npos) {
    ARROW_RETURN_NOT_OK(ValidateObjectKey(prefix.substr(0, slash)));
  }
  // The last part is the beginning of a name: it may be empty or one dot.
  const std::string_view last = prefix.substr(slash == std::string_view::npos ? 0 : slash + 1);
  return last.empty() || last == "." ? Status::OK() : ValidateObjectKey(last);
}

Status ValidateObjectRange(const ObjectInfo& object, int64_t offset, int64_t length) {
  if (offset >= 0 && length >= 0 && offset <= object.size_bytes - length) return Status::OK();
  return Error(ErrorCode::kInvalidRequest, "object '", object.key, "' of ", object.size_bytes,
               " bytes has no range ", offset, "+", length);
}

}  // namespace arka
