#include "arka/wal/definition_table.h"

#include <mutex>

namespace arka::wal {

Result<std::optional<Definition>> DefinitionTable::Add(const Definition& definition) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto at = by_id_.find(definition.id.value); at != by_id_.end()) {
      if (at->second.bytes->Equals(*definition.bytes)) return std::nullopt;
      return Error(ErrorCode::kCorruption, "definition ", definition.id.value,
                   " is given twice with different bytes");
    }
  }
  // A copy, so that it does not pin the segment that it was read from.
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                        definition.bytes->CopySlice(0, definition.bytes->size()));
  Definition kept{.id = definition.id, .bytes = std::move(bytes)};
  const std::unique_lock lock(mutex_);
  return by_id_.try_emplace(kept.id.value, kept).second ? std::optional(kept) : std::nullopt;
}

std::optional<Definition> DefinitionTable::Find(DefinitionId id) const {
  const std::shared_lock lock(mutex_);
  const auto at = by_id_.find(id.value);
  return at == by_id_.end() ? std::nullopt : std::optional(at->second);
}

bool DefinitionTable::Contains(DefinitionId id) const {
  const std::shared_lock lock(mutex_);
  return by_id_.contains(id.value);
}

}  // namespace arka::wal
