#include "arka/query/table_naming.h"

#include <algorithm>

namespace arka::query {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Status TableNaming::CheckCatalog(std::string_view name) const {
  if (std::ranges::equal(name, catalog, {}, Lower, Lower)) return Status::OK();
  return Error(ErrorCode::kNotFound, "there is no catalog '", name.substr(0, 100),
               "': tables are named ", catalog, ".namespace.table, namespace.table, or table, ",
               "which lies in ", default_namespace);
}

Result<iceberg::TableIdentifier> TableNaming::Resolve(const sql::TableReference& reference) const {
  if (!reference.catalog.empty()) ARROW_RETURN_NOT_OK(CheckCatalog(reference.catalog));
  const bool is_short = reference.namespace_name.empty();
  return iceberg::TableIdentifier{is_short ? default_namespace : reference.namespace_name,
                                  reference.name};
}

}  // namespace arka::query
