#include "arka/lake/schema_mismatch.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>

#include "arka/lake/column_name.h"

namespace arka::lake {
namespace {

using iceberg::NestedField;
using iceberg::Type;
using iceberg::TypeId;

constexpr size_t kShownColumns = 12;    // of each schema
constexpr size_t kShownTypeBytes = 96;  // of each column

struct Difference {
  size_t column = 0;  // where in the schema, from 0
  std::string text;
};

/// The type as a reader would write it, without field ids: struct<a: int, b: string not null>.
void Print(const Type& type, std::ostream& out) {
  const auto required = [](const NestedField& field) { return field.required ? " not null" : ""; };
  switch (type.id) {
    case TypeId::kStruct:
      out << "struct<";
      for (size_t i = 0; i < type.fields.size(); ++i) {
        out << (i == 0 ? "" : ", ") << type.fields[i].name << ": ";
        Print(type.fields[i].type, out);
        out << required(type.fields[i]);
      }
      out << ">";
      return;
    case TypeId::kList:
      out << "list<";
      Print(type.element().type, out);
      out << required(type.element()) << ">";
      return;
    case TypeId::kMap:
      out << "map<";
      Print(type.key().type, out);
      out << ", ";
      Print(type.value().type, out);
      out << required(type.value()) << ">";
      return;
    default:
      out << type.ToString();
  }
}

std::string Printed(const Type& type) {
  std::ostringstream out;
  Print(type, out);
  std::string text = std::move(out).str();
  if (text.size() <= kShownTypeBytes) return text;
  size_t cut = kShownTypeBytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return text.substr(0, cut) + "…";
}

/// The columns around `center`, one a line.
std::string Printed(const iceberg::Schema& schema, size_t center) {
  const size_t count = schema.fields.size();
  size_t first = center > kShownColumns / 2 ? center - kShownColumns / 2 : 0;
  if (count > kShownColumns) first = std::min(first, count - kShownColumns);
  if (count <= kShownColumns) first = 0;
  const size_t last = std::min(count, first + kShownColumns);
  std::ostringstream out;
  if (first > 0) out << "\n  … " << first << " columns";
  for (size_t i = first; i < last; ++i) {
    const NestedField& field = schema.fields[i];
    out << "\n  " << i + 1 << ". " << QuotedName(field.name) << ": " << Printed(field.type)
        << (field.required ? " not null" : "");
  }
  if (last < count) out << "\n  … " << count - last << " more columns";
  return std::move(out).str();
}

bool SameParameters(const Type& a, const Type& b) {
  return a.id == b.id && a.precision == b.precision && a.scale == b.scale && a.length == b.length &&
         a.fields.size() == b.fields.size();
}

/// The first difference between two fields of the same place, or nothing.
std::optional<std::string> Compare(const NestedField& table, const NestedField& stream,
                                   const std::string& path) {
  if (!SameParameters(table.type, stream.type)) {
    return QuotedName(path) + ": the table has " + Printed(table.type) + ", the stream sent " +
           Printed(stream.type);
  }
  if (table.required && !stream.required) {
    return QuotedName(path) +
           ": the table does not allow nulls, the stream's field is nullable; send it as not null";
  }
  const bool named = table.type.id == TypeId::kStruct;
  for (size_t i = 0; i < table.type.fields.size(); ++i) {
    const NestedField& in_table = table.type.fields[i];
    const NestedField& in_stream = stream.type.fields[i];
    const std::string child = path + "." + in_table.name;
    if (named && in_table.name != in_stream.name) {
      return QuotedName(path) + ": field " + std::to_string(i + 1) + " is " +
             QuotedName(in_table.name) + " in the table, " + QuotedName(in_stream.name) +
             " in the stream";
    }
    if (auto difference = Compare(in_table, in_stream, child)) return difference;
  }
  return std::nullopt;
}

std::optional<Difference> FirstDifference(const iceberg::Schema& table,
                                          const iceberg::Schema& stream) {
  const size_t common = std::min(table.fields.size(), stream.fields.size());
  for (size_t i = 0; i < common; ++i) {
    const NestedField& in_table = table.fields[i];
    const NestedField& in_stream = stream.fields[i];
    const std::string column = "column " + std::to_string(i + 1) + " ";
    if (in_table.name != in_stream.name) {
      return Difference{i, column + "is " + QuotedName(in_table.name) + " in the table, " +
                               QuotedName(in_stream.name) + " in the stream"};
    }
    if (auto text = Compare(in_table, in_stream, in_table.name)) {
      return Difference{i, column + *text};
    }
  }
  if (table.fields.size() == stream.fields.size()) return std::nullopt;
  const bool missing = common < table.fields.size();
  const NestedField& extra = missing ? table.fields[common] : stream.fields[common];
  return Difference{common, "the table has " + std::to_string(table.fields.size()) +
                                " columns, the stream " + std::to_string(stream.fields.size()) +
                                "; column " + std::to_string(common + 1) + " " +
                                QuotedName(extra.name) +
                                (missing ? " is missing in the stream" : " is not in the table")};
}

}  // namespace

Status CheckSchemaMatches(const iceberg::Schema& table, const iceberg::Schema& stream) {
  const auto difference = FirstDifference(table, stream);
  if (!difference) return Status::OK();
  return Error(ErrorCode::kSchemaMismatch,
               "the stream's schema does not match the table's: ", difference->text,
               "\nthe table:", Printed(table, difference->column),
               "\nthe stream:", Printed(stream, difference->column),
               "\nSend the table's columns in its order and types, or write to another table.");
}

}  // namespace arka::lake
