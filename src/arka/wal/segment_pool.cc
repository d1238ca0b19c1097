#include "arka/wal/segment_pool.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace arka::wal {

namespace {

constexpr std::string_view kPrefix = "spare-";
constexpr std::string_view kUnfinished = ".tmp";
constexpr int64_t kZeroChunk = 1 << 20;

}  // namespace

Result<std::unique_ptr<SegmentPool>> SegmentPool::Make(Fs& fs, std::string directory,
                                                       const std::vector<std::string>& names,
                                                       int64_t segment_bytes, int count) {
  std::unique_ptr<SegmentPool> pool(
      new SegmentPool(fs, std::move(directory), segment_bytes, count));
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string path = pool->directory_ + "/" + name;
    int64_t number = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
    pool->last_number_ = std::max(pool->last_number_, number);
    bool keep = !name.ends_with(kUnfinished) && pool->ready_.size() < pool->count_;
    if (keep) {
      ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<File> file, fs.Open(path, OpenMode::kRead));
      ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
      keep = size == segment_bytes;
    }
    if (keep) {
      pool->ready_.push_back(path);
    } else {
      ARROW_RETURN_NOT_OK(fs.Remove(path));
    }
  }
  return pool;
}

SegmentPool::SegmentPool(Fs& fs, std::string directory, int64_t segment_bytes, int count)
    : fs_(fs),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      count_(static_cast<size_t>(std::max(count, 0))) {}

SegmentPool::~SegmentPool() { Stop(); }

void SegmentPool::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void SegmentPool::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

std::optional<SegmentPool::Spare> SegmentPool::Take() {
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    ++takes_;
    if (!ready_.empty()) {
      path = std::move(ready_.front());
      ready_.pop_front();
    }
  }
  wake_.notify_one();
  if (path.empty()) return std::nullopt;
  Result<std::unique_ptr<File>> file = fs_.Open(path, OpenMode::kReadWrite);
  if (!file.ok()) return std::nullopt;
  return Spare{std::move(path), std::move(*file)};
}

Status SegmentPool::Recycle(const std::string& path, int64_t size_bytes) {
  bool wanted = size_bytes == segment_bytes_;
  {
    const std::lock_guard lock(mutex_);
    wanted = wanted && ready_.size() < count_;
  }
  if (!wanted) return fs_.Remove(path);
  std::string spare = NextPath();
  ARROW_RETURN_NOT_OK(fs_.Rename(path, spare));
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(spare));
  return Status::OK();
}

Result<bool> SegmentPool::Step() {
  {
    const std::lock_guard lock(mutex_);
    if (ready_.size() >= count_) return false;
  }
  ARROW_RETURN_NOT_OK(WriteSpare());
  return true;
}

// After an error, such as a full disk, it waits for the next Take before it tries again.
void SegmentPool::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Result<bool> wrote = Step();
    if (wrote.ok() && *wrote) continue;
    std::unique_lock lock(mutex_);
    const size_t ready = ready_.size();
    wake_.wait(lock, stop,
               [&] { return ready_.size() < ready || (wrote.ok() && ready_.size() < count_); });
  }
}

Status SegmentPool::WriteSpare() {
  std::string path = NextPath();
  const std::string unfinished = path + std::string(kUnfinished);
  ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<File> file,
                        fs_.Open(unfinished, OpenMode::kCreateNew));
  Status status = file->Allocate(segment_bytes_);
  if (status.ok()) status = WriteZeros(*file);
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = fs_.Rename(unfinished, path);
  if (!status.ok()) {
    (void)fs_.Remove(unfinished);  // the next start removes it otherwise
    return status;
  }
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(path));
  return Status::OK();
}

Status SegmentPool::WriteZeros(File& file) {
  const std::vector<std::byte> zeros(static_cast<size_t>(std::min(kZeroChunk, segment_bytes_)));
  for (int64_t offset = 0; offset < segment_bytes_; offset += kZeroChunk) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return Error(ErrorCode::kShuttingDown, "wal: the log closes");
    }
    const int64_t length = std::min(kZeroChunk, segment_bytes_ - offset);
    const ByteSpan parts[] = {ByteSpan(zeros).first(static_cast<size_t>(length))};
    ARROW_RETURN_NOT_OK(file.Write(offset, parts));
  }
  return Status::OK();
}

std::string SegmentPool::NextPath() {
  const std::lock_guard lock(mutex_);
  std::string digits = std::to_string(++last_number_);
  digits.insert(0, 20 - std::min<size_t>(digits.size(), 20), '0');
  return directory_ + "/" + std::string(kPrefix) + digits;
}

}  // namespace arka::wal
