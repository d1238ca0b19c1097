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

}  // namespace arka::iceberg
