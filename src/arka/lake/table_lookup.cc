#include "arka/lake/table_lookup.h"

#include <optional>
#include <sstream>
#include <vector>

namespace arka::lake {
namespace {

/// The table of that UUID among `names`, except `known`; what cannot be loaded is passed over.
std::optional<iceberg::Table> Search(iceberg::Catalog& catalog,
                                     const std::vector<iceberg::TableIdentifier>& names,
                                     const iceberg::TableIdentifier& known,
                                     const std::string& table_uuid) {
  for (const auto& name : names) {
    if (name == known) continue;
    auto loaded = catalog.LoadTable(name);
    if (loaded.ok() && loaded->metadata->table_uuid == table_uuid) return *std::move(loaded);
  }
  return std::nullopt;
}

}  // namespace

Result<iceberg::Table> FindTable(iceberg::Catalog& catalog, const iceberg::TableIdentifier& name,
                                 const std::string& table_uuid) {
  auto loaded = catalog.LoadTable(name);
  if (loaded.ok() && loaded->metadata->table_uuid == table_uuid) return loaded;
  if (!loaded.ok() && CodeOf(loaded.status()) != ErrorCode::kNotFound) return loaded;

  std::ostringstream problem;
  problem << "table " << name.ToString() << " (UUID " << table_uuid
          << ") is gone: the catalog has ";
  if (loaded.ok()) {
    problem << "another one of that name, with the UUID " << loaded->metadata->table_uuid;
  } else {
    problem << "no table of that name";
  }
  const auto names = catalog.ListTables();
  if (names.ok() && names->size() <= kMaxSearchedTables) {
    if (auto found = Search(catalog, *names, name, table_uuid)) return *std::move(found);
    problem << ", nor this one under another name";
  } else {
    problem << " (and was not searched for it under other names)";
  }
  problem << ". Its writes are kept in the log; bring the table back, and they land by themselves. "
             "Or, if nobody wants them any more: restart with --give-up-writes-of "
          << table_uuid;
  return MakeStatus(ErrorCode::kNotFound, problem.str());
}

Result<bool> HasTable(iceberg::Catalog& catalog, const iceberg::TableIdentifier& name,
                      const std::string& table_uuid) {
  const auto named = catalog.LoadTable(name);
  if (named.ok() && named->metadata->table_uuid == table_uuid) return true;
  if (!named.ok() && CodeOf(named.status()) != ErrorCode::kNotFound) return named.status();
  ARROW_ASSIGN_OR_RAISE(const auto names, catalog.ListTables());
  for (const auto& other : names) {
    const auto loaded = catalog.LoadTable(other);
    if (loaded.ok() && loaded->metadata->table_uuid == table_uuid) return true;
    if (!loaded.ok() && IsRetryable(CodeOf(loaded.status()))) {
      return WithContext(loaded.status(), "table " + other.ToString());
    }
  }
  return false;
}

}  // namespace arka::lake
