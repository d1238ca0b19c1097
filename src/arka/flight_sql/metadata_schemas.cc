#include "arka/flight_sql/metadata_schemas.h"

#include <arrow/type.h>

namespace arka::flight_sql {

using arrow::field;

std::shared_ptr<arrow::Schema> CatalogsSchema() {
  return arrow::schema({field("catalog_name", arrow::utf8(), false)});
}

std::shared_ptr<arrow::Schema> DbSchemasSchema() {
  return arrow::schema(
      {field("catalog_name", arrow::utf8()), field("db_schema_name", arrow::utf8(), false)});
}

std::shared_ptr<arrow::Schema> TablesSchema(bool with_table_schema) {
  arrow::FieldVector fields = {
      field("catalog_name", arrow::utf8()), field("db_schema_name", arrow::utf8()),
      field("table_name", arrow::utf8(), false), field("table_type", arrow::utf8(), false)};
  if (with_table_schema) fields.push_back(field("table_schema", arrow::binary(), false));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Schema> TableTypesSchema() {
  return arrow::schema({field("table_type", arrow::utf8(), false)});
}

std::shared_ptr<arrow::Schema> PrimaryKeysSchema() {
  return arrow::schema(
      {field("catalog_name", arrow::utf8()), field("db_schema_name", arrow::utf8()),
       field("table_name", arrow::utf8(), false), field("column_name", arrow::utf8(), false),
       field("key_name", arrow::utf8()), field("key_sequence", arrow::int32(), false)});
}

std::shared_ptr<arrow::Schema> ForeignKeysSchema() {
  return arrow::schema(
      {field("pk_catalog_name", arrow::utf8()), field("pk_db_schema_name", arrow::utf8()),
       field("pk_table_name", arrow::utf8(), false), field("pk_column_name", arrow::utf8(), false),
       field("fk_catalog_name", arrow::utf8()), field("fk_db_schema_name", arrow::utf8()),
       field("fk_table_name", arrow::utf8(), false), field("fk_column_name", arrow::utf8(), false),
       field("key_sequence", arrow::int32(), false), field("fk_key_name", arrow::utf8()),
       field("pk_key_name", arrow::utf8()), field("update_rule", arrow::uint8(), false),
       field("delete_rule", arrow::uint8(), false)});
}

std::shared_ptr<arrow::Schema> SqlInfoSchema() {
  const auto value = arrow::dense_union(
      {field("string_value", arrow::utf8(), false), field("bool_value", arrow::boolean(), false),
       field("bigint_value", arrow::int64(), false), field("int32_bitmask", arrow::int32(), false),
       field("string_list", arrow::list(arrow::utf8()), false),
       field("int32_to_int32_list_map", arrow::map(arrow::int32(), arrow::list(arrow::int32())),
             false)});
  return arrow::schema({field("info_name", arrow::uint32(), false), field("value", value, false)});
}

std::shared_ptr<arrow::Schema> XdbcTypeInfoSchema() {
  return arrow::schema(
      {field("type_name", arrow::utf8(), false), field("data_type", arrow::int32(), false),
       field("column_size", arrow::int32()), field("literal_prefix", arrow::utf8()),
       field("literal_suffix", arrow::utf8()),
       field("create_params", arrow::list(field("item", arrow::utf8(), false))),
       field("nullable", arrow::int32(), false), field("case_sensitive", arrow::boolean(), false),
       field("searchable", arrow::int32(), false), field("unsigned_attribute", arrow::boolean()),
       field("fixed_prec_scale", arrow::boolean(), false),
       field("auto_increment", arrow::boolean()), field("local_type_name", arrow::utf8()),
       field("minimum_scale", arrow::int32()), field("maximum_scale", arrow::int32()),
       field("sql_data_type", arrow::int32(), false), field("datetime_subcode", arrow::int32()),
       field("num_prec_radix", arrow::int32()), field("interval_precision", arrow::int32())});
}

}  // namespace arka::flight_sql
