#include "arka/lake/object_file.h"

#include <algorithm>
#include <cstring>

namespace arka::lake {

Status ObjectFile::Close() {
  closed_ = true;
  return Status::OK();
}

Status ObjectFile::Seek(int64_t position) {
  position_ = position;
  return Status::OK();
}

Result<int64_t> ObjectFile::Read(int64_t nbytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, nbytes, out));
  position_ += read;
  return read;
}

Result<std::shared_ptr<arrow::Buffer>> ObjectFile::Read(int64_t nbytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, nbytes));
  position_ += buffer->size();
  return buffer;
}

Result<std::shared_ptr<arrow::Buffer>> ObjectFile::ReadAt(int64_t position, int64_t nbytes) {
  const int64_t length = std::clamp<int64_t>(size_bytes_ - position, 0, nbytes);
  return store_.GetRange(key_, position, length);
}

Result<int64_t> ObjectFile::ReadAt(int64_t position, int64_t nbytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const auto buffer, ReadAt(position, nbytes));
  std::memcpy(out, buffer->data(), static_cast<size_t>(buffer->size()));
  return buffer->size();
}

}  // namespace arka::lake
