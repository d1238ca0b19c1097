#include "arka/iceberg/schema.h"

#include <algorithm>
#include <map>
#include <set>

namespace arka::iceberg {
namespace {

/// Deeper schemas are refused: nothing real is, and recursion over them must end.
constexpr int kMaxDepth = 64;

void Visit(const std::vector<NestedField>& fields,
           const std::function<void(const NestedField&)>& visit) {
  for (const NestedField& field : fields) {
    visit(field);
    Visit(field.type.fields, visit);
  }
}

void AssignFresh(std::vector<NestedField>& fields, int& last_id, std::map<int, int>& fresh) {
  for (NestedField& field : fields) {
    fresh.emplace(field.id, ++last_id);
    field.id = last_id;
  }
  for (NestedField& field : fields) AssignFresh(field.type.fields, last_id, fresh);
}

const NestedField* Find(const std::vector<NestedField>& fields, int id) {
  for (const NestedField& field : fields) {
    if (field.id == id) return &field;
    if (const NestedField* found = Find(field.type.fields, id)) return found;
  }
  return nullptr;
}

Status ValidateNames(const std::vector<NestedField>& fields, const std::string& parent, int depth) {
  if (depth > kMaxDepth) {
    return Error(ErrorCode::kInvalidRequest, "iceberg: column '", parent, "' nests deeper than ",
                 kMaxDepth, " levels");
  }
  std::set<std::string_view> names;
  for (const NestedField& field : fields) {
    const std::string path = parent.empty() ? field.name : parent + "." + field.name;
    if (field.name.empty()) {
      return Error(ErrorCode::kInvalidRequest, "iceberg: a column ",
                   parent.empty() ? "" : "in '" + parent + "' ", "has no name");
    }
    if (!names.insert(field.name).second) {
      return Error(ErrorCode::kInvalidRequest, "iceberg: there are two columns '", path, "'");
    }
    if (field.type.id == TypeId::kMap && !field.type.key().required) {
      return Error(ErrorCode::kInvalidRequest, "iceberg: the keys of map '", path,
                   "' must be required");
    }
    ARROW_RETURN_NOT_OK(ValidateNames(field.type.fields, path, depth + 1));
  }
  return Status::OK();
}

}  // namespace

const NestedField* Schema::FindField(int id) const { return Find(fields, id); }

const NestedField* Schema::FindColumn(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const NestedField& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

int Schema::HighestFieldId() const {
  int highest = 0;
  ForEachField([&](const NestedField& field) { highest = std::max(highest, field.id); });
  return highest;
}

void Schema::ForEachField(const std::function<void(const NestedField&)>& visit) const {
  Visit(fields, visit);
}

bool SameStructure(const Schema& a, const Schema& b) {
  return a.fields == b.fields && a.identifier_field_ids == b.identifier_field_ids;
}

Schema AssignFreshIds(const Schema& schema, int& last_column_id) {
  Schema fresh = schema;
  std::map<int, int> new_ids;
  AssignFresh(fresh.fields, last_column_id, new_ids);
  for (int& id : fresh.identifier_field_ids) {
    const auto found = new_ids.find(id);
    if (found != new_ids.end()) id = found->second;
  }
  return fresh;
}

Status ValidateSchema(const Schema& schema, int format_version) {
  ARROW_RETURN_NOT_OK(ValidateNames(schema.fields, "", 0));
  std::set<int> ids;
  const NestedField* repeated = nullptr;
  schema.ForEachField([&](const NestedField& field) {
    if (!ids.insert(field.id).second) repeated = &field;
  });
  if (repeated != nullptr) {
    return Error(ErrorCode::kInvalidRequest, "iceberg: two fields have the id ", repeated->id,
                 ", one of them is '", repeated->name, "'");
  }
  for (const NestedField& field : schema.fields) {
    const int needed = MinFormatVersion(field.type);
    if (needed > format_version) {
      return Error(ErrorCode::kInvalidRequest, "iceberg: column '", field.name, "' of type ",
                   field.type.ToString(), " needs format version ", needed, ", the table's is ",
                   format_version);
    }
  }
  for (const int id : schema.identifier_field_ids) {
    if (!ids.contains(id)) {
      return Error(ErrorCode::kInvalidRequest, "iceberg: identifier field ", id,
                   " is not in the schema");
    }
  }
  return Status::OK();
}

}  // namespace arka::iceberg
