// Keeps the newest checkpoint twice: in the log's directory and in the object store.
//
// On disk two files, `producers.0` and `producers.1`, are written in turn, in place, so that a full
// disk cannot keep the log from being released; a file comes to life whole, written aside and
// renamed. In the object store each checkpoint is log/<node>/<lsn>.producers, and older ones are
// deleted after. Find runs while the log is opened, Publish on the uploader's thread; not
// thread-safe. Blocks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/ingest/producer_checkpoint.h"
#include "arka/io/fs.h"
#include "arka/io/object_store.h"

namespace arka::ingest {

class CheckpointStore {
 public:
  /// Both must outlive the store. `directory` is the log's.
  CheckpointStore(Fs& fs, ObjectStore& objects, std::string directory, std::string node);

  /// What a start needs where the log holds all above `after`: the newest checkpoint that is not
  /// older, of the disk, or else of the object store. Where none was ever made, an empty one of
  /// `after`. kCorruption where the only ones that would do are damaged or missing.
  Result<ProducerCheckpoint> Find(Lsn after);

  /// Makes `checkpoint` durable in both places; after an error the ones before still are.
  Status Publish(const ProducerCheckpoint& checkpoint);

  /// Whether there is any; once there is, there must be newer ones before more of the log goes.
  bool exists() const { return exists_; }
  /// The LSN of the last one that this store published; kNoLsn where it has not yet.
  Lsn published() const { return published_; }

  /// The LSN that an object's key names; nothing where it is not a checkpoint's key.
  static std::optional<Lsn> LsnOfKey(std::string_view key);
  /// The LSN of the newest checkpoint in an object store, kNoLsn where there is none.
  static Result<Lsn> NewestObject(ObjectStore& objects, const std::string& node);

 private:
  struct Slot {
    bool whole = false;  // the file is there, and its last write worked
    int64_t size_bytes = 0;
  };

  std::string SlotPath(size_t slot) const;
  Status ReadSlot(size_t slot, std::optional<ProducerCheckpoint>* newest, Status* damage);
  Status ReadObjects(std::optional<ProducerCheckpoint>* newest, Status* damage);
  Status WriteSlot(ByteSpan bytes);
  Status Overwrite(size_t slot, ByteSpan bytes);
  Status Replace(size_t slot, ByteSpan bytes);
  void DeleteOlder(const std::string& kept);

  Fs& fs_;
  ObjectStore& objects_;
  const std::string directory_;
  const std::string node_;
  std::array<Slot, 2> slots_;
  size_t newest_slot_ = 1;  // the other one is written next
  bool exists_ = false;
  Lsn published_ = kNoLsn;
  bool listed_ = false;
  std::vector<std::string> keys_;  // of checkpoints that may be in the object store
};

}  // namespace arka::ingest
