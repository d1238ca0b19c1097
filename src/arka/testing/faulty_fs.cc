#include "arka/testing/faulty_fs.h"

#include <utility>

#include "arka/testing/faulty_call.h"

namespace arka {
namespace {

int64_t SizeOf(std::span<const ByteSpan> parts) {
  size_t size = 0;
  for (const ByteSpan part : parts) size += part.size();
  return static_cast<int64_t>(size);
}

/// The first `size` bytes of `parts`.
std::vector<ByteSpan> FirstBytes(std::span<const ByteSpan> parts, int64_t size) {
  auto left = static_cast<size_t>(size);
  std::vector<ByteSpan> first;
  for (const ByteSpan part : parts) {
    first.push_back(part.first(std::min(left, part.size())));
    left -= first.back().size();
  }
  return first;
}

class FaultyFile final : public File {
 public:
  FaultyFile(std::unique_ptr<File> base, FaultPlan& plan, std::string path)
      : base_(std::move(base)), plan_(plan), path_(std::move(path)) {}

  Result<size_t> Read(int64_t offset, MutableByteSpan out) override {
    return CallUnderPlan(plan_, {"read", path_, offset, static_cast<int64_t>(out.size())},
                         [&] { return base_->Read(offset, out); });
  }
  Status Write(int64_t offset, std::span<const ByteSpan> parts) override {
    const int64_t size = SizeOf(parts);
    return CallUnderPlan(
        plan_, {"write", path_, offset, size}, [&] { return base_->Write(offset, parts); },
        [&] { return base_->Write(offset, FirstBytes(parts, size / 2)); });
  }
  Status Sync() override {
    return CallUnderPlan(plan_, {"sync", path_}, [&] { return base_->Sync(); });
  }
  Result<int64_t> Size() override {
    return CallUnderPlan(plan_, {"size", path_}, [&] { return base_->Size(); });
  }
  Status Truncate(int64_t size) override {
    return CallUnderPlan(plan_, {"truncate", path_, 0, size},
                         [&] { return base_->Truncate(size); });
  }
  Status Allocate(int64_t size) override {
    return CallUnderPlan(plan_, {"allocate", path_, 0, size},
                         [&] { return base_->Allocate(size); });
  }

 private:
  const std::unique_ptr<File> base_;
  FaultPlan& plan_;
  const std::string path_;
};

}  // namespace

Result<std::unique_ptr<File>> FaultyFs::Open(const std::string& path, OpenMode mode) {
  return CallUnderPlan(plan_, {"open", path}, [&]() -> Result<std::unique_ptr<File>> {
    ARROW_ASSIGN_OR_RAISE(auto file, base_.Open(path, mode));
    return std::make_unique<FaultyFile>(std::move(file), plan_, path);
  });
}

Result<bool> FaultyFs::Exists(const std::string& path) {
  return CallUnderPlan(plan_, {"exists", path}, [&] { return base_.Exists(path); });
}

Status FaultyFs::Rename(const std::string& from, const std::string& to) {
  return CallUnderPlan(plan_, {"rename", from + " -> " + to},
                       [&] { return base_.Rename(from, to); });
}

Status FaultyFs::Remove(const std::string& path) {
  return CallUnderPlan(plan_, {"remove", path}, [&] { return base_.Remove(path); });
}

Result<std::vector<std::string>> FaultyFs::List(const std::string& directory) {
  return CallUnderPlan(plan_, {"list", directory}, [&] { return base_.List(directory); });
}

Status FaultyFs::CreateDirs(const std::string& directory) {
  return CallUnderPlan(plan_, {"create_dirs", directory},
                       [&] { return base_.CreateDirs(directory); });
}

Status FaultyFs::SyncDir(const std::string& directory) {
  return CallUnderPlan(plan_, {"sync_dir", directory}, [&] { return base_.SyncDir(directory); });
}

Result<std::unique_ptr<FileLock>> FaultyFs::Lock(const std::string& path) {
  return CallUnderPlan(plan_, {"lock", path}, [&] { return base_.Lock(path); });
}

Result<int64_t> FaultyFs::FreeBytes(const std::string& path) {
  return CallUnderPlan(plan_, {"free_bytes", path}, [&] { return base_.FreeBytes(path); });
}

}  // namespace arka
