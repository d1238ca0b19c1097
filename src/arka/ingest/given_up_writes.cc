#include "arka/ingest/given_up_writes.h"

#include <spdlog/spdlog.h>

#include "arka/lake/table_lookup.h"

namespace arka::ingest {

GivenUpWrites::GivenUpWrites(iceberg::Catalog& catalog, const std::vector<std::string>& asked_for)
    : catalog_(catalog) {
  for (const std::string& uuid : asked_for) asked_.try_emplace(uuid);
}

Result<bool> GivenUpWrites::Includes(const TableDefinition& table) {
  const auto found = asked_.find(table.table_uuid);
  if (found == asked_.end()) return false;
  Asked& asked = found->second;
  if (!asked.seen) {
    ARROW_ASSIGN_OR_RAISE(asked.there,
                          lake::HasTable(catalog_, table.identifier, table.table_uuid));
    asked.name = table.identifier.ToString();
    asked.seen = true;
  }
  return !asked.there;
}

void GivenUpWrites::Add(const std::string& table_uuid, Lsn lsn) {
  Asked& asked = asked_.at(table_uuid);
  if (WasGivenUp(lsn)) {
    ++asked.writes_before;
    return;
  }
  if (asked.first_lsn == kNoLsn) asked.first_lsn = lsn;
  asked.last_lsn = lsn;
  ++asked.writes;
  if (!ranges_.empty() && ranges_.back().last.next() == lsn) {
    ranges_.back().last = lsn;
  } else {
    ranges_.push_back({lsn, lsn});
  }
}

void GivenUpWrites::Report() const {
  for (const auto& [uuid, asked] : asked_) {
    if (!asked.seen) {
      spdlog::warn("recovery: --give-up-writes-of {}: the log holds no write to that table", uuid);
    } else if (asked.there) {
      spdlog::warn(
          "recovery: --give-up-writes-of {}: the catalog has that table ({}, when it was written "
          "to); nothing of it is given up",
          uuid, asked.name);
    } else if (asked.writes > 0) {
      spdlog::error(
          "recovery: GIVEN UP: {} write(s) to table {} (UUID {}), LSN {} to {}, which is gone: "
          "they "
          "are lost for good, as --give-up-writes-of asks for",
          asked.writes, asked.name, uuid, asked.first_lsn.value, asked.last_lsn.value);
    } else {
      spdlog::warn(
          "recovery: --give-up-writes-of {}: nothing to give up: {} write(s) in the log to table "
          "{} were given up by an earlier start",
          uuid, asked.writes_before, asked.name);
    }
  }
}

}  // namespace arka::ingest
