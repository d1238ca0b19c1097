#include "arka/wal/segment_pool.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <pthread.h>

#include "arka/base/thread_priority.h"

namespace arka::wal {

namespace {

constexpr std::string_view kPrefix = "spare-";
constexpr std::string_view kUnfinished = ".tmp";

constexpr int64_t kPieceBytes = 1 << 20;
// Between pieces: a moment in which the log shows whether it writes, and the pause where it did.
// So a spare of 64 MB takes a fraction of a second beside an idle log, 13 s beside a busy one.
constexpr std::chrono::milliseconds kMoment{2};
constexpr std::chrono::milliseconds kPauseForLog{200};
// After an error, such as a full disk.
constexpr std::chrono::seconds kPauseAfterError{10};

}  // namespace

Result<std::unique_ptr<SegmentPool>> SegmentPool::Make(Fs& fs, Clock& clock, Options options,
                                                       const std::vector<std::string>& names) {
  std::unique_ptr<SegmentPool> pool(new SegmentPool(fs, clock, std::move(options)));
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string path = pool->options_.directory + "/" + name;
    int64_t number = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
    pool->last_number_ = std::max(pool->last_number_, number);
    bool keep = !name.ends_with(kUnfinished) && pool->ready_.size() < pool->kept_ &&
                pool->Fits(pool->ready_.size() + 1);
    if (keep) {
      ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<File> file, fs.Open(path, OpenMode::kRead));
      ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
      keep = size == pool->options_.segment_bytes;
    }
    if (keep) {
      pool->ready_.push_back(path);
    } else {
      ARROW_RETURN_NOT_OK(fs.Remove(path));
    }
  }
  return pool;
}

SegmentPool::SegmentPool(Fs& fs, Clock& clock, Options options)
    : fs_(fs),
      clock_(clock),
      options_(std::move(options)),
      written_ahead_(static_cast<size_t>(std::max(options_.spare_segments, 0))),
      kept_(std::max(written_ahead_, static_cast<size_t>(std::max(options_.recycled_segments, 0)))),
      zeros_(static_cast<size_t>(std::min(kPieceBytes, options_.segment_bytes))),
      used_bytes_(options_.used_bytes) {}

bool SegmentPool::Fits(size_t spares) const {
  return options_.max_bytes == 0 ||
         used_bytes_ + static_cast<int64_t>(spares) * options_.segment_bytes <= options_.max_bytes;
}

Status SegmentPool::CheckRoomFor(int64_t size_bytes, int64_t new_bytes) const {
  if (options_.keep_free_bytes == 0) return Status::OK();
  const int64_t copies = options_.copies_on_disk * (used_bytes() + size_bytes);
  const Result<int64_t> free = fs_.FreeBytes(options_.directory);
  // Where it cannot be told, the file system refuses by itself.
  if (!free.ok() || *free - new_bytes >= options_.keep_free_bytes + copies) return Status::OK();
  return Error(ErrorCode::kBackpressure, "the disk of ", options_.directory, " has ", *free,
               " bytes free, of which the log leaves ", options_.keep_free_bytes,
               " (wal.keep_free_bytes) and ", copies, " for copies of its writes; it needs ",
               new_bytes, " more");
}

int64_t SegmentPool::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

int64_t SegmentPool::total_bytes() const {
  const std::lock_guard lock(mutex_);
  const size_t spares = ready_.size() + (writing_ ? 1 : 0);
  return used_bytes_ + static_cast<int64_t>(spares) * options_.segment_bytes;
}

SegmentPool::~SegmentPool() { Stop(); }

void SegmentPool::Start() {
  thread_ = std::jthread([this] { Run(); });
}

void SegmentPool::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  GiveUp();
}

std::optional<SegmentPool::Spare> SegmentPool::Take() {
  const bool room = CheckRoomFor(options_.segment_bytes, 0).ok();
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) return std::nullopt;
    path = std::move(ready_.back());
    ready_.pop_back();
    if (room) used_bytes_ += options_.segment_bytes;
  }
  wake_.notify_one();
  if (!room) {
    (void)fs_.Remove(path);  // where this fails, the next start finds a spare
    return std::nullopt;
  }
  Result<std::unique_ptr<File>> file = fs_.Open(path, OpenMode::kReadWrite);
  if (!file.ok()) {
    CountUsed(-options_.segment_bytes);
    return std::nullopt;
  }
  return Spare{std::move(path), std::move(*file)};
}

void SegmentPool::CountUsed(int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    used_bytes_ += bytes;
  }
  wake_.notify_one();
}

Status SegmentPool::Recycle(const std::string& path, int64_t size_bytes) {
  CountUsed(-size_bytes);
  bool wanted = size_bytes == options_.segment_bytes && CheckRoomFor(0, 0).ok();
  {
    const std::lock_guard lock(mutex_);
    const size_t spares = ready_.size() + (writing_ ? 1 : 0);
    wanted = wanted && ready_.size() < kept_ && Fits(spares + 1);
  }
  if (!wanted) {
    const Status removed = fs_.Remove(path);
    if (!removed.ok()) CountUsed(size_bytes);
    wake_.notify_one();
    return removed;
  }
  std::string spare = NextPath();
  if (const Status renamed = fs_.Rename(path, spare); !renamed.ok()) {
    CountUsed(size_bytes);
    return renamed;
  }
  {
    const std::lock_guard lock(mutex_);
    ready_.push_back(std::move(spare));
  }
  wake_.notify_one();
  return Status::OK();
}

Status SegmentPool::GiveOneUp() {
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    if (!HasTooMany()) return Status::OK();
    path = std::move(ready_.back());
    ready_.pop_back();
  }
  const Status removed = fs_.Remove(path);
  if (removed.ok()) return removed;
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(path));
  return removed;
}

Result<bool> SegmentPool::Step() {
  bool wanted = false;
  bool too_many = false;
  {
    const std::lock_guard lock(mutex_);
    wanted = !stopping_ && WantsSpare();
    too_many = !stopping_ && HasTooMany();
    writing_ = wanted;
  }
  if (too_many) {
    ARROW_RETURN_NOT_OK(GiveOneUp());
    return true;
  }
  if (!wanted) {
    GiveUp();
    return false;
  }
  Status status = unfinished_.has_value() ? Status::OK() : Begin();
  if (status.ok()) status = WritePiece();
  if (status.ok() && unfinished_->written == options_.segment_bytes) status = Finish();
  if (status.ok()) return true;
  GiveUp();
  return status;
}

void SegmentPool::Run() {
  pthread_setname_np(pthread_self(), "arka-segments");
  YieldToOtherThreads();
  int64_t seen = 0;
  const auto stopping = [&] { return stopping_; };
  for (;;) {
    const Result<bool> wrote = Step();
    const int64_t log_writes = log_writes_.load(std::memory_order_relaxed);
    const bool log_wrote = std::exchange(seen, log_writes) != log_writes;
    std::unique_lock lock(mutex_);
    if (!wrote.ok()) {
      clock_.WaitUntil(lock, wake_, clock_.Now() + kPauseAfterError, stopping);
    } else if (*wrote) {
      const std::chrono::milliseconds pause = log_wrote ? kPauseForLog : kMoment;
      clock_.WaitUntil(lock, wake_, clock_.Now() + pause, stopping);
    } else {
      wake_.wait(lock, [&] { return stopping_ || WantsSpare() || HasTooMany(); });
    }
    if (stopping_) return;
  }
}

Status SegmentPool::Begin() {
  ARROW_RETURN_NOT_OK(CheckRoomFor(0, options_.segment_bytes));
  unfinished_ = Unfinished();
  unfinished_->path = NextPath();
  ARROW_ASSIGN_OR_RAISE(unfinished_->file, fs_.Open(unfinished_->path + std::string(kUnfinished),
                                                    OpenMode::kCreateNew));
  return unfinished_->file->Allocate(options_.segment_bytes);
}

Status SegmentPool::WritePiece() {
  const int64_t offset = unfinished_->written;
  const int64_t length = std::min(kPieceBytes, options_.segment_bytes - offset);
  const ByteSpan parts[] = {ByteSpan(zeros_).first(static_cast<size_t>(length))};
  ARROW_RETURN_NOT_OK(unfinished_->file->Write(offset, parts));
  ARROW_RETURN_NOT_OK(unfinished_->file->Sync());
  unfinished_->written += length;
  return Status::OK();
}

Status SegmentPool::Finish() {
  ARROW_RETURN_NOT_OK(fs_.Rename(unfinished_->path + std::string(kUnfinished), unfinished_->path));
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(unfinished_->path));
  writing_ = false;
  unfinished_.reset();
  return Status::OK();
}

void SegmentPool::GiveUp() {
  if (!unfinished_.has_value()) return;
  // Where this fails, the next start removes it.
  (void)fs_.Remove(unfinished_->path + std::string(kUnfinished));
  unfinished_.reset();
  const std::lock_guard lock(mutex_);
  writing_ = false;
}

std::string SegmentPool::NextPath() {
  const std::lock_guard lock(mutex_);
  std::string digits = std::to_string(++last_number_);
  digits.insert(0, 20 - std::min<size_t>(digits.size(), 20), '0');
  return options_.directory + "/" + std::string(kPrefix) + digits;
}

}  // namespace arka::wal
