#include "arka/ingest/checkpoint_store.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include <spdlog/spdlog.h>

namespace arka::ingest {
namespace {

constexpr std::string_view kSuffix = ".producers";
constexpr int64_t kSlotStep = 64 << 10;

std::string Prefix(const std::string& node) { return "log/" + node + "/"; }

// LSNs are padded so that keys sort as LSNs do.
std::string KeyOf(const std::string& node, Lsn lsn) {
  char number[32];
  std::snprintf(number, sizeof(number), "%020lld", static_cast<long long>(lsn.value));
  return Prefix(node) + number + std::string(kSuffix);
}

// Of two of one LSN it is the one that more is lost of: between them writes were given up.
bool IsNewer(const ProducerCheckpoint& one, const ProducerCheckpoint& other) {
  if (one.lsn != other.lsn) return one.lsn > other.lsn;
  return LsnRanges(one.lost).count() > LsnRanges(other.lost).count();
}

}  // namespace

CheckpointStore::CheckpointStore(Fs& fs, ObjectStore& objects, std::string directory,
                                 std::string node)
    : fs_(fs), objects_(objects), directory_(std::move(directory)), node_(std::move(node)) {}

std::optional<Lsn> CheckpointStore::LsnOfKey(std::string_view key) {
  if (!key.ends_with(kSuffix)) return std::nullopt;
  key.remove_suffix(kSuffix.size());
  key.remove_prefix(key.rfind('/') + 1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), value);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return Lsn{value};
}

Result<Lsn> CheckpointStore::NewestObject(ObjectStore& objects, const std::string& node) {
  ARROW_ASSIGN_OR_RAISE(const auto found, objects.List(Prefix(node)));
  Lsn newest = kNoLsn;
  for (const auto& object : found) newest = std::max(newest, LsnOfKey(object.key).value_or(kNoLsn));
  return newest;
}

Result<ProducerCheckpoint> CheckpointStore::Find(Lsn after) {
  std::optional<ProducerCheckpoint> newest;
  Status damage;  // what is wrong with the checkpoints that cannot be used
  for (size_t slot = 0; slot < slots_.size(); ++slot) {
    ARROW_RETURN_NOT_OK(ReadSlot(slot, &newest, &damage));
  }
  if (!newest || newest->lsn < after) ARROW_RETURN_NOT_OK(ReadObjects(&newest, &damage));
  if (newest && newest->lsn >= after) return std::move(*newest);
  if (newest && damage.ok()) {
    damage = Error(ErrorCode::kCorruption, "the newest one is of LSN ", newest->lsn);
  }
  // Without any, the log must either hold everything, or never have held a producer's write.
  if (damage.ok() || after <= kNoLsn) {
    ProducerCheckpoint none;
    none.lsn = after;
    return none;
  }
  return Error(ErrorCode::kCorruption, "producers: the log begins after LSN ", after,
               " and no checkpoint that old can be read (", damage.message(),
               "): without it writes that producers send again would be written twice. Put ",
               SlotPath(0), " and ", SlotPath(1), " back from a copy, or ",
               objects_.Uri(Prefix(node_)), "<lsn>", kSuffix);
}

Status CheckpointStore::Publish(const ProducerCheckpoint& checkpoint) {
  const auto bytes = EncodeCheckpoint(checkpoint, node_);
  exists_ = true;  // from now on even where only part of it works
  ARROW_RETURN_NOT_OK(WithContext(
      WriteSlot(std::as_bytes(std::span(bytes->data(), static_cast<size_t>(bytes->size())))),
      "checkpoint on disk"));
  const std::string key = KeyOf(node_, checkpoint.lsn);
  if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) keys_.push_back(key);
  const std::vector parts = {bytes};
  ARROW_RETURN_NOT_OK(WithContext(objects_.Put(key, parts), "checkpoint " + key));
  published_ = checkpoint.lsn;
  DeleteOlder(key);
  return Status::OK();
}

std::string CheckpointStore::SlotPath(size_t slot) const {
  return directory_ + "/producers." + std::to_string(slot);
}

Status CheckpointStore::ReadSlot(size_t slot, std::optional<ProducerCheckpoint>* newest,
                                 Status* damage) {
  const std::string path = SlotPath(slot);
  ARROW_ASSIGN_OR_RAISE(const bool there, fs_.Exists(path));
  if (!there) return Status::OK();
  exists_ = true;
  ARROW_ASSIGN_OR_RAISE(const auto file, fs_.Open(path, OpenMode::kRead));
  ARROW_ASSIGN_OR_RAISE(slots_[slot].size_bytes, file->Size());
  std::vector<std::byte> bytes(static_cast<size_t>(slots_[slot].size_bytes));
  ARROW_ASSIGN_OR_RAISE(const size_t read, file->Read(0, bytes));
  bytes.resize(read);
  auto checkpoint = DecodeCheckpoint(bytes);
  if (!checkpoint.ok()) {
    *damage = WithContext(checkpoint.status(), path);
    return Status::OK();
  }
  slots_[slot].whole = true;
  if (*newest && !IsNewer(*checkpoint, **newest)) return Status::OK();
  newest_slot_ = slot;
  *newest = std::move(*checkpoint);
  return Status::OK();
}

Status CheckpointStore::ReadObjects(std::optional<ProducerCheckpoint>* newest, Status* damage) {
  ARROW_ASSIGN_OR_RAISE(const Lsn lsn, NewestObject(objects_, node_));
  if (lsn == kNoLsn || (*newest && (*newest)->lsn >= lsn)) return Status::OK();
  exists_ = true;
  const std::string key = KeyOf(node_, lsn);
  ARROW_ASSIGN_OR_RAISE(const auto bytes, objects_.Get(key));
  auto checkpoint =
      DecodeCheckpoint(std::as_bytes(std::span(bytes->data(), static_cast<size_t>(bytes->size()))));
  if (checkpoint.ok()) {
    *newest = std::move(*checkpoint);
  } else {
    *damage = WithContext(checkpoint.status(), objects_.Uri(key));
  }
  return Status::OK();
}

// The older of the two: the other must not be touched before.
Status CheckpointStore::WriteSlot(ByteSpan bytes) {
  const size_t index = 1 - newest_slot_;
  Slot& slot = slots_[index];
  const bool fits = slot.whole && std::cmp_less_equal(bytes.size(), slot.size_bytes);
  slot.whole = false;
  ARROW_RETURN_NOT_OK(fits ? Overwrite(index, bytes) : Replace(index, bytes));
  slot.whole = true;
  newest_slot_ = index;
  return Status::OK();
}

Status CheckpointStore::Overwrite(size_t slot, ByteSpan bytes) {
  ARROW_ASSIGN_OR_RAISE(const auto file, fs_.Open(SlotPath(slot), OpenMode::kReadWrite));
  const std::array<ByteSpan, 1> parts = {bytes};
  ARROW_RETURN_NOT_OK(file->Write(0, parts));
  return file->Sync();
}

Status CheckpointStore::Replace(size_t slot, ByteSpan bytes) {
  const std::string aside = directory_ + "/producers.tmp";
  ARROW_ASSIGN_OR_RAISE(const bool leftover, fs_.Exists(aside));
  if (leftover) ARROW_RETURN_NOT_OK(fs_.Remove(aside));
  ARROW_ASSIGN_OR_RAISE(const auto file, fs_.Open(aside, OpenMode::kCreateNew));
  // With room to grow, so that the next ones need no blocks.
  const auto size = (2 * static_cast<int64_t>(bytes.size()) / kSlotStep + 1) * kSlotStep;
  ARROW_RETURN_NOT_OK(file->Allocate(size));
  const std::array<ByteSpan, 1> parts = {bytes};
  ARROW_RETURN_NOT_OK(file->Write(0, parts));
  ARROW_RETURN_NOT_OK(file->Sync());
  ARROW_RETURN_NOT_OK(fs_.Rename(aside, SlotPath(slot)));
  ARROW_RETURN_NOT_OK(fs_.SyncDir(directory_));
  slots_[slot].size_bytes = size;
  return Status::OK();
}

// A failure costs nothing but room: tried again after the next checkpoint.
void CheckpointStore::DeleteOlder(const std::string& kept) {
  if (!listed_) {
    const auto found = objects_.List(Prefix(node_));
    if (!found.ok()) return;
    listed_ = true;
    for (const auto& object : *found) {
      if (LsnOfKey(object.key)) keys_.push_back(object.key);
    }
  }
  std::erase_if(keys_, [&](const std::string& key) {
    if (key == kept) return false;
    const Status deleted = objects_.Delete(key);
    if (!deleted.ok()) spdlog::warn("checkpoint: cannot delete {}: {}", key, deleted.message());
    return deleted.ok();
  });
}

}  // namespace arka::ingest
