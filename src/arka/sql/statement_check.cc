#include "arka/sql/statement_check.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace arka::sql {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 1'000;  // DuckDB's own limit for expressions

/// Table functions that make up rows out of their arguments.
constexpr std::array<std::string_view, 8> kTableFunctions = {
    "range",      "generate_series", "unnest",    "repeat",
    "repeat_row", "json_each",       "json_tree", "summary"};

/// Functions that tell of the process that runs the statement, or reach out of it.
constexpr std::array<std::string_view, 17> kForbiddenFunctions = {"current_setting",
                                                                  "getvariable",
                                                                  "getenv",
                                                                  "write_log",
                                                                  "nextval",
                                                                  "currval",
                                                                  "txid_current",
                                                                  "current_query",
                                                                  "current_connection_id",
                                                                  "current_query_id",
                                                                  "current_transaction_id",
                                                                  "get_type",
                                                                  "in_search_path",
                                                                  "parse_duckdb_log_message",
                                                                  "json_serialize_sql",
                                                                  "json_deserialize_sql",
                                                                  "json_serialize_plan"};

template <size_t N>
bool IsOneOf(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string TextOf(const json& node, const char* member) {
  const auto found = node.find(member);
  return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// As DuckDB compares names.
std::string Folded(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

class Walk {
 public:
  /// `visible`: names of common table expressions that hide tables.
  Status Visit(const json& node, const std::set<std::string>& visible, int depth) {
    if (depth > kMaxDepth) {
      return Error(ErrorCode::kInvalidRequest, "the statement is nested deeper than ", kMaxDepth,
                   " levels");
    }
    if (node.is_array()) {
      for (const auto& child : node) ARROW_RETURN_NOT_OK(Visit(child, visible, depth + 1));
      return Status::OK();
    }
    if (!node.is_object()) return Status::OK();
    ARROW_RETURN_NOT_OK(Judge(node, visible));
    const auto ctes = node.find("cte_map");
    std::set<std::string> inner = visible;
    if (ctes != node.end()) ARROW_RETURN_NOT_OK(VisitCtes(*ctes, &inner, depth));
    // A recursive one sees itself, whatever its name was outside.
    if (TextOf(node, "type") == "RECURSIVE_CTE_NODE")
      inner.insert(Folded(TextOf(node, "cte_name")));
    for (const auto& [name, child] : node.items()) {
      if (name == "cte_map") continue;
      ARROW_RETURN_NOT_OK(Visit(child, inner, depth + 1));
    }
    return Status::OK();
  }

  std::set<TableReference> tables;

 private:
  // Each sees those before it.
  Status VisitCtes(const json& ctes, std::set<std::string>* visible, int depth) {
    const auto map = ctes.find("map");
    if (map == ctes.end() || !map->is_array()) return Status::OK();
    for (const auto& cte : *map) {
      const auto value = cte.find("value");
      if (value != cte.end()) ARROW_RETURN_NOT_OK(Visit(*value, *visible, depth + 1));
      visible->insert(Folded(TextOf(cte, "key")));
    }
    return Status::OK();
  }

  Status Judge(const json& node, const std::set<std::string>& visible) {
    const std::string type = TextOf(node, "type");
    if (type == "BASE_TABLE") return JudgeTable(node, visible);
    if (type == "TABLE_FUNCTION") {
      const auto function = node.find("function");
      const std::string name =
          function == node.end() ? std::string() : TextOf(*function, "function_name");
      if (IsOneOf(kTableFunctions, name)) return Status::OK();
      return Error(ErrorCode::kInvalidRequest, "the table function ", name,
                   " is not allowed: a query reads tables, and range, generate_series, unnest, "
                   "repeat, repeat_row, json_each and json_tree");
    }
    if (type == "SHOW_REF") {
      const auto query = node.find("query");
      if (query != node.end() && query->is_object()) return Status::OK();
      return Error(ErrorCode::kInvalidRequest,
                   "SHOW is not allowed; ListFlights and Flight SQL's GetTables list the tables, "
                   "DESCRIBE tells of one");
    }
    if (TextOf(node, "class") == "FUNCTION" &&
        IsOneOf(kForbiddenFunctions, TextOf(node, "function_name"))) {
      return Error(ErrorCode::kInvalidRequest, "the function ", TextOf(node, "function_name"),
                   " is not allowed in a query");
    }
    return Status::OK();
  }

  Status JudgeTable(const json& node, const std::set<std::string>& visible) {
    TableReference table{TextOf(node, "catalog_name"), TextOf(node, "schema_name"),
                         TextOf(node, "table_name")};
    const auto at = node.find("at_clause");
    if (at != node.end() && !at->is_null()) {
      return Error(ErrorCode::kInvalidRequest, "AT (", table.name,
                   "): a query reads tables as they are now");
    }
    const bool hidden = table.catalog.empty() && table.namespace_name.empty() &&
                        visible.contains(Folded(table.name));
    if (!hidden) tables.insert(std::move(table));
    return Status::OK();
  }
};

}  // namespace

Result<std::vector<TableReference>> CheckStatement(std::string_view syntax_tree) {
  const json tree = json::parse(syntax_tree, nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) {
    return Error(ErrorCode::kInternal, "the syntax tree of a statement does not parse");
  }
  const auto failed = tree.find("error");
  if (failed != tree.end() && failed->is_boolean() && failed->get<bool>()) {
    if (TextOf(tree, "error_type") == "not implemented") {
      return Error(ErrorCode::kInvalidRequest,
                   "only one SELECT statement is answered here (WITH, FROM, VALUES and DESCRIBE "
                   "are fine too; PIVOT needs an IN list); rows are written by Flight");
    }
    const std::string position = TextOf(tree, "position");
    return Error(ErrorCode::kInvalidRequest, TextOf(tree, "error_message"),
                 position.empty() ? "" : " (at character " + position + ")");
  }
  const auto statements = tree.find("statements");
  const size_t count = statements == tree.end() ? 0 : statements->size();
  if (count != 1) {
    return Error(ErrorCode::kInvalidRequest, "one SELECT statement is answered at a time, not ",
                 count);
  }
  Walk walk;
  ARROW_RETURN_NOT_OK(walk.Visit(*statements, {}, 0));
  return std::vector<TableReference>(walk.tables.begin(), walk.tables.end());
}

}  // namespace arka::sql
