#include "arka/lake/column_projection.h"

#include <optional>
#include <string>
#include <utility>

#include <arrow/api.h>
#include <arrow/compute/cast.h>

#include "arka/lake/arrow_schema.h"
#include "arka/lake/column_name.h"

namespace arka::lake {
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;

Result<ArrayPointer> ProjectArray(const ArrayPointer& array, const arrow::DataType& source,
                                  const arrow::Field& target);

// The child with the id of `wanted`; nothing where there is none. A field without an id is an
// error: it would look like one that is not there.
Result<std::optional<int>> FindById(const arrow::FieldVector& fields, const arrow::Field& wanted) {
  const auto wanted_id = FieldIdOf(wanted);
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto id = FieldIdOf(*fields[i]);
    if (!id || !wanted_id) {
      return Error(ErrorCode::kUnimplemented, "column ", QuotedName(fields[i]->name()),
                   " carries no field id, and Arka does not read by name mapping");
    }
    if (id == wanted_id) return static_cast<int>(i);
  }
  return std::nullopt;
}

Result<ArrayPointer> Nulls(const arrow::Field& target, int64_t length) {
  if (!target.nullable()) {
    return Error(ErrorCode::kUnimplemented, "column ", QuotedName(target.name()),
                 " is required, and there are rows from before it was there; Arka does not know "
                 "default values");
  }
  return arrow::MakeArrayOfNull(target.type(), length);
}

// An array of the same entries over other children, which are as long as those before.
ArrayPointer WithChildren(const arrow::Array& array, const std::shared_ptr<arrow::DataType>& type,
                          const arrow::ArrayVector& children) {
  auto data = array.data()->Copy();
  data->type = type;
  data->child_data.clear();
  for (const auto& child : children) data->child_data.push_back(child->data());
  return arrow::MakeArray(std::move(data));
}

Result<ArrayPointer> ProjectStruct(const arrow::Array& array, const arrow::DataType& source,
                                   const arrow::DataType& target) {
  arrow::ArrayVector children;
  for (const auto& wanted : target.fields()) {
    ARROW_ASSIGN_OR_RAISE(const auto found, FindById(source.fields(), *wanted));
    ArrayPointer child;
    if (!found) {
      ARROW_ASSIGN_OR_RAISE(child, Nulls(*wanted, array.offset() + array.length()));
    } else {
      // As it lies: with the entries before the array's offset.
      const ArrayPointer values = arrow::MakeArray(array.data()->child_data[*found]);
      ARROW_ASSIGN_OR_RAISE(child, ProjectArray(values, *source.field(*found)->type(), *wanted));
    }
    children.push_back(std::move(child));
  }
  return WithChildren(array, arrow::struct_(target.fields()), children);
}

Result<ArrayPointer> ProjectLeaf(const ArrayPointer& array, const arrow::Field& target) {
  if (array->type()->Equals(*target.type())) return array;
  ArrayPointer values = array;
  if (values->type_id() == arrow::Type::EXTENSION) {
    values = static_cast<const arrow::ExtensionArray&>(*values).storage();
  }
  if (target.type()->id() == arrow::Type::EXTENSION) {
    const auto& extension = static_cast<const arrow::ExtensionType&>(*target.type());
    if (values->type()->Equals(*extension.storage_type())) {
      return arrow::ExtensionType::WrapArray(target.type(), values);
    }
  } else {
    auto cast = arrow::compute::Cast(*values, target.type());
    if (cast.ok()) return cast;
  }
  return Error(ErrorCode::kUnimplemented, "column ", QuotedName(target.name()), " is of type ",
               array->type()->ToString(), " in older rows, which cannot be read as ",
               target.type()->ToString());
}

Result<ArrayPointer> ProjectArray(const ArrayPointer& array, const arrow::DataType& source,
                                  const arrow::Field& target) {
  const arrow::DataType& wanted = *target.type();
  const arrow::Type::type id = array->type_id();
  if (wanted.id() == arrow::Type::STRUCT && id == arrow::Type::STRUCT) {
    return ProjectStruct(*array, source, wanted);
  }
  // A map's child is the struct of its entries, which has no id of its own.
  const bool is_list = wanted.id() == arrow::Type::LIST && id == arrow::Type::LIST;
  if (is_list || (wanted.id() == arrow::Type::MAP && id == arrow::Type::MAP)) {
    const ArrayPointer values = arrow::MakeArray(array->data()->child_data[0]);
    const auto& child_type = *source.field(0)->type();
    const auto& child_target = *wanted.field(0);
    ArrayPointer child;
    if (is_list) {
      ARROW_ASSIGN_OR_RAISE(child, ProjectArray(values, child_type, child_target));
    } else {
      ARROW_ASSIGN_OR_RAISE(child, ProjectStruct(*values, child_type, *child_target.type()));
    }
    return WithChildren(*array, target.type(), {child});
  }
  const bool is_other_list = id == arrow::Type::LARGE_LIST || id == arrow::Type::FIXED_SIZE_LIST;
  if (is_other_list && wanted.id() == arrow::Type::LIST) {
    ARROW_ASSIGN_OR_RAISE(const ArrayPointer list,
                          arrow::compute::Cast(*array, arrow::list(array->type()->field(0))));
    return ProjectArray(list, source, target);
  }
  return ProjectLeaf(array, target);
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> ProjectBatch(const arrow::RecordBatch& batch,
                                                         const arrow::Schema& source,
                                                         const arrow::Schema& target) {
  arrow::ArrayVector columns;
  for (const auto& wanted : target.fields()) {
    ARROW_ASSIGN_OR_RAISE(const auto found, FindById(source.fields(), *wanted));
    ArrayPointer column;
    if (!found) {
      ARROW_ASSIGN_OR_RAISE(column, Nulls(*wanted, batch.num_rows()));
    } else {
      ARROW_ASSIGN_OR_RAISE(
          column, ProjectArray(batch.column(*found), *source.field(*found)->type(), *wanted));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(target.fields(), target.metadata()),
                                  batch.num_rows(), std::move(columns));
}

}  // namespace arka::lake
