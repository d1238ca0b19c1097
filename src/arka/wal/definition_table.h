// All definitions that the log knows, by id. Thread-safe.
#pragma once

#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include "arka/wal/log.h"

namespace arka::wal {

class DefinitionTable {
 public:
  /// Keeps a copy of `definition` and answers it; nothing where it is known already. kCorruption
  /// where its id is known with other bytes.
  Result<std::optional<Definition>> Add(const Definition& definition);

  std::optional<Definition> Find(DefinitionId id) const;
  bool Contains(DefinitionId id) const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<uint32_t, Definition> by_id_;  // guarded by mutex_
};

}  // namespace arka::wal
