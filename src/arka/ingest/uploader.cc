#include "arka/ingest/uploader.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include <pthread.h>
#include <spdlog/spdlog.h>

#include "arka/base/thread_priority.h"

namespace arka::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdle{1000};
constexpr milliseconds kFirstBackoff{100};
constexpr milliseconds kMaxBackoff{10'000};
constexpr std::string_view kSuffix = ".arkalog";

std::string Prefix(const std::string& node) { return "log/" + node + "/"; }

// LSNs are padded so that keys sort as LSNs do.
std::string ObjectKey(const std::string& node, Lsn first, Lsn last) {
  char range[64];
  std::snprintf(range, sizeof(range), "%020lld-%020lld", static_cast<long long>(first.value),
                static_cast<long long>(last.value));
  return Prefix(node) + range + std::string(kSuffix);
}

// The last LSN that a key names, or kNoLsn where it is not one of ours.
Lsn LastLsnOf(std::string_view key) {
  if (!key.ends_with(kSuffix)) return kNoLsn;
  key.remove_suffix(kSuffix.size());
  const size_t dash = key.rfind('-');
  if (dash == std::string_view::npos) return kNoLsn;
  key.remove_prefix(dash + 1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), value);
  if (error != std::errc() || end != key.data() + key.size()) return kNoLsn;
  return Lsn{value};
}

}  // namespace

Uploader::Uploader(wal::Log& log, LogPins& pins, ObjectStore& store, CheckpointStore& checkpoints,
                   Clock& clock, Sequencer& sequencer, UploaderOptions options)
    : log_(log),
      pins_(pins),
      store_(store),
      checkpoints_(checkpoints),
      clock_(clock),
      sequencer_(sequencer),
      options_(std::move(options)) {}

Uploader::~Uploader() { Stop(); }

Result<Lsn> Uploader::FindUploaded(ObjectStore& store, const std::string& node,
                                   std::deque<std::pair<Lsn, std::string>>* objects) {
  ARROW_ASSIGN_OR_RAISE(auto found, store.List(Prefix(node)));
  Lsn last = kNoLsn;
  for (auto& object : found) {
    const Lsn object_last = LastLsnOf(object.key);
    if (object_last == kNoLsn) continue;
    last = std::max(last, object_last);
    objects->emplace_back(object_last, std::move(object.key));
  }
  return last;
}

Lsn Uploader::FirstLsnOf(std::string_view key) {
  key.remove_prefix(key.rfind('/') + 1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), value);
  return error == std::errc() && end != key.data() + key.size() && *end == '-' ? Lsn{value}
                                                                               : kNoLsn;
}

void Uploader::Start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    pthread_setname_np(pthread_self(), "arka-uploader");
    YieldToOtherThreads();
    while (!stop.stop_requested()) wake_.WaitUntil(clock_, Step());
  });
}

void Uploader::Hurry() {
  asked_to_hurry_ = true;
  wake_.Notify();
}

void Uploader::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake_.Notify();
  thread_.join();
}

void Uploader::Notify() {
  // The loop looks by itself once the interval has passed; between uploads it is left alone.
  if (idle_) wake_.Notify();
}

SteadyTime Uploader::Step() {
  sequencer_.PassTime();
  // Both before the look: what comes after it wakes the loop, or is there when it comes again.
  idle_ = true;
  if (asked_to_hurry_.exchange(false)) hurry_ = true;
  const Progress progress = sequencer_.progress();
  const Lsn unneeded = CoverCommitted(progress.watermarks);
  DeleteObjects(unneeded);
  ReleaseLog(unneeded);
  const SteadyTime now = clock_.Now();
  if (progress.watermarks.disk_lsn <= progress.watermarks.s3_lsn) {
    hurry_ = false;
    return now + kIdle;
  }
  idle_ = false;
  const bool hurry = backoff_.count() == 0 && hurry_;
  if (now < next_upload_ && !hurry) return next_upload_;
  next_upload_ = now + options_.interval;
  if (!UploadThrough(progress.watermarks)) {
    backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kMaxBackoff);
    next_upload_ = clock_.Now() + backoff_;
    return next_upload_;
  }
  backoff_ = milliseconds(0);
  return hurry_ ? clock_.Now() : next_upload_;
}

// Everything that is on disk now: an object ends where a segment does, so it may take several.
bool Uploader::UploadThrough(const protocol::Watermarks& watermarks) {
  Lsn uploaded = watermarks.s3_lsn;
  while (uploaded < watermarks.disk_lsn) {
    const Lsn before = uploaded;
    if (!UploadOnce(&uploaded)) return false;
    if (uploaded == before) break;
  }
  return true;
}

bool Uploader::UploadOnce(Lsn* uploaded) {
  auto object = log_.ReadObject(*uploaded, options_.max_object_bytes);
  if (!object.ok()) {
    Report(object.status());
    return false;
  }
  if (object->parts.empty()) return true;
  const std::string key = ObjectKey(options_.node, object->first_lsn, object->last_lsn);
  const Status put = store_.Put(key, object->parts);
  Report(WithContext(put, "upload of " + key));
  // A failed Put may have landed all the same, and the next try may reach further under another
  // key: so this one is remembered for deletion whatever came of it.
  if (objects_.empty() || objects_.back().second != key) {
    objects_.emplace_back(object->last_lsn, key);
  }
  if (!put.ok()) return false;
  *uploaded = object->last_lsn;
  sequencer_.OnObjectStorage(object->last_lsn);
  return true;
}

Lsn Uploader::CoverCommitted(const protocol::Watermarks& watermarks) {
  const Lsn committed = watermarks.committed_lsn;
  if (committed <= checkpoints_.published()) return committed;
  if (!checkpoints_.exists() && !sequencer_.needs_checkpoint()) return committed;
  if (clock_.Now() < next_checkpoint_) return checkpoints_.published();
  // Of no write that may still be lost: after that loss it is new when it is sent again.
  const Status published = checkpoints_.Publish(sequencer_.CheckpointAt(watermarks.s3_lsn));
  if (published.ok()) {
    if (std::exchange(checkpoint_backoff_, {}).count() > 0) Report(published);
    return committed;
  }
  Report(published);
  checkpoint_backoff_ = std::clamp(checkpoint_backoff_ * 2, kFirstBackoff, kMaxBackoff);
  next_checkpoint_ = clock_.Now() + checkpoint_backoff_;
  return checkpoints_.published();
}

void Uploader::DeleteObjects(Lsn through) {
  while (!objects_.empty() && objects_.front().first <= through) {
    const Status deleted = store_.Delete(objects_.front().second);
    if (!deleted.ok()) {
      spdlog::warn("uploader: cannot delete {} (tried again later): {}", objects_.front().second,
                   deleted.message());
      return;
    }
    objects_.pop_front();
  }
}

void Uploader::ReleaseLog(Lsn through) {
  const int64_t bound = options_.max_pinned_log_bytes;
  const bool no_room = bound > 0 && log_.used_bytes() > bound;
  const Status released = log_.Release(pins_.Release(through, no_room));
  if (!released.ok()) spdlog::warn("uploader: {}", released.message());
}

void Uploader::Report(Status status) {
  std::lock_guard lock(mutex_);
  if (!status.ok()) {
    spdlog::warn("uploader: {}; trying again", status.message());
  } else if (!last_error_.ok()) {
    spdlog::info("uploader: the object store answers again");
  }
  last_error_ = std::move(status);
}

Status Uploader::last_error() const {
  std::lock_guard lock(mutex_);
  return last_error_;
}

}  // namespace arka::ingest
