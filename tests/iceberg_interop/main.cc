// The Iceberg library by hand, for tests/system/test_iceberg_interop.py: makes tables and commits
// data files that somebody else wrote.
//
//   arka_iceberg_interop DIR create NAMESPACE TABLE
//       a table with a column of every type; prints its location
//   arka_iceberg_interop DIR append NAMESPACE TABLE
//       commits the files of the JSON array on stdin, [{"path", "records", "size", "lower": {"1":
//       "hex"}, "upper", "counts", "nulls"}, …]; prints the snapshot id
//   arka_iceberg_interop DIR list
//       the catalog's tables, one a line
//
// DIR holds catalog.db and the warehouse.
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "arka/iceberg/fast_append.h"
#include "arka/iceberg/sqlite_catalog.h"
#include "arka/io/file_object_store.h"
#include "arka/io/os_random.h"
#include "arka/io/posix_fs.h"
#include "arka/io/system_clock.h"

namespace arka::iceberg {
namespace {

Schema EveryType() {
  const std::vector<std::pair<std::string, Type>> columns = {
      {"id", TypeId::kLong},
      {"boolean", TypeId::kBoolean},
      {"int", TypeId::kInt},
      {"float", TypeId::kFloat},
      {"double", TypeId::kDouble},
      {"decimal", Type::Decimal(18, 4)},
      {"date", TypeId::kDate},
      {"time", TypeId::kTime},
      {"timestamp", TypeId::kTimestamp},
      {"timestamptz", TypeId::kTimestampTz},
      {"string", TypeId::kString},
      {"uuid", TypeId::kUuid},
      {"fixed", Type::Fixed(5)},
      {"binary", TypeId::kBinary},
      {"list", Type::List(0, TypeId::kString, false)},
      {"map", Type::Map(0, TypeId::kString, 0, TypeId::kLong, false)},
      {"struct", Type::Struct({{.id = 0, .name = "a", .type = TypeId::kInt},
                               {.id = 0, .name = "b", .type = TypeId::kString}})},
  };
  Schema schema;
  for (const auto& [name, type] : columns) {
    schema.fields.push_back({.id = 0, .name = name, .type = type, .required = name == "id"});
  }
  return schema;
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

AppendRequest ReadRequest(std::istream& in) {
  const std::string text(std::istreambuf_iterator<char>(in), {});
  AppendRequest request;
  for (const nlohmann::json& item : nlohmann::json::parse(text)) {
    DataFile file;
    file.file_path = item.at("path");
    file.record_count = item.at("records");
    file.file_size_in_bytes = item.at("size");
    const auto each = [&](const char* key, auto visit) {
      if (!item.contains(key)) return;
      for (const auto& [id, value] : item.at(key).items()) visit(std::stoi(id), value);
    };
    each("lower", [&](int id, const std::string& hex) { file.lower_bounds[id] = FromHex(hex); });
    each("upper", [&](int id, const std::string& hex) { file.upper_bounds[id] = FromHex(hex); });
    each("counts", [&](int id, int64_t count) { file.value_counts[id] = count; });
    each("nulls", [&](int id, int64_t count) { file.null_value_counts[id] = count; });
    request.files.push_back(std::move(file));
  }
  request.summary["arka.last-lsn"] = "1042";
  request.properties["arka.committed-lsn.n1"] = "1042";
  return request;
}

Status Run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return Status::Invalid("usage: DIR create|append|list …");
  PosixFs fs;
  OsRandom random;
  SystemClock clock;
  ARROW_ASSIGN_OR_RAISE(auto warehouse,
                        FileObjectStore::Make(fs, random, arguments[0] + "/warehouse"));
  ARROW_ASSIGN_OR_RAISE(auto catalog, SqliteCatalog::Make({.path = arguments[0] + "/catalog.db"},
                                                          *warehouse, random, clock));
  if (arguments[1] == "list") {
    ARROW_ASSIGN_OR_RAISE(const auto tables, catalog->ListTables());
    for (const TableIdentifier& table : tables) std::cout << table.ToString() << "\n";
    return Status::OK();
  }
  if (arguments.size() != 4) return Status::Invalid("a namespace and a table are needed");
  const TableIdentifier identifier{.namespace_name = arguments[2], .name = arguments[3]};
  if (arguments[1] == "create") {
    ARROW_ASSIGN_OR_RAISE(const Table table,
                          catalog->CreateTable(identifier, {.schema = EveryType()}));
    std::cout << table.metadata->location << "\n";
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const Table table, catalog->LoadTable(identifier));
  ARROW_ASSIGN_OR_RAISE(const PreparedAppend append,
                        PrepareAppend(table, *warehouse, random, clock, ReadRequest(std::cin)));
  ARROW_RETURN_NOT_OK(
      catalog->CommitTable(identifier, append.requirements, append.updates).status());
  std::cout << append.snapshot_id << "\n";
  return Status::OK();
}

}  // namespace
}  // namespace arka::iceberg

int main(int argc, char** argv) {
  const arka::Status status = arka::iceberg::Run({argv + 1, argv + argc});
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
