// Finds a table by its UUID: under the name it had, or where that is no longer it, under another.
//
// A table that was renamed is still the same one, and what was written to it belongs into it; one
// that was dropped and made anew under the same name is not. No state; blocks.
#pragma once

#include <cstddef>
#include <string>

#include "arka/base/error.h"
#include "arka/iceberg/catalog.h"

namespace arka::lake {

/// In catalogs with more tables than this, tables are not searched for under other names.
inline constexpr size_t kMaxSearchedTables = 100;

/// The table of that UUID, with the name that it has now. kNotFound, saying what is there instead
/// and what to do, where the catalog has it neither under `name` nor, as far as it was searched,
/// under another one; other errors as LoadTable has them.
Result<iceberg::Table> FindTable(iceberg::Catalog& catalog, const iceberg::TableIdentifier& name,
                                 const std::string& table_uuid);

/// Whether the catalog has the table, under `name` or any other, however many there are. An error
/// where it is away, or does not say it of every table; one whose metadata is broken is none.
Result<bool> HasTable(iceberg::Catalog& catalog, const iceberg::TableIdentifier& name,
                      const std::string& table_uuid);

}  // namespace arka::lake
