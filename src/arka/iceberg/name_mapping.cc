#include "arka/iceberg/name_mapping.h"

#include <utility>

#include "arka/iceberg/json_reader.h"

namespace arka::iceberg {
namespace {

OrderedJson MappedFields(const std::vector<NestedField>& fields) {
  OrderedJson array = OrderedJson::array();
  for (const NestedField& field : fields) {
    OrderedJson mapped = {{"field-id", field.id}, {"names", {field.name}}};
    if (field.type.is_nested()) mapped["fields"] = MappedFields(field.type.fields);
    array.push_back(std::move(mapped));
  }
  return array;
}

}  // namespace

std::string NameMappingJson(const Schema& schema) { return DumpJson(MappedFields(schema.fields)); }

std::string ExtendedNameMapping(const std::string& mapping, const Schema& schema) {
  OrderedJson entries = OrderedJson::parse(mapping, nullptr, /*allow_exceptions=*/false);
  if (!entries.is_array()) return mapping;
  for (const OrderedJson& fresh : MappedFields(schema.fields)) {
    bool known = false;
    for (OrderedJson& entry : entries) {
      if (!entry.is_object() || !entry.contains("names") || !entry["names"].is_array()) {
        return mapping;
      }
      OrderedJson names = OrderedJson::array();
      for (const OrderedJson& name : entry["names"]) {
        if (name != fresh["names"][0]) names.push_back(name);
      }
      if (entry.value("field-id", OrderedJson()) == fresh["field-id"]) {
        known = true;
        names.push_back(fresh["names"][0]);
      }
      entry["names"] = std::move(names);
    }
    if (!known) entries.push_back(fresh);
  }
  return DumpJson(entries);
}

}  // namespace arka::iceberg
