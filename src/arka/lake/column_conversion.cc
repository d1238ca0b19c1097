#include "arka/lake/column_conversion.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "arka/lake/microseconds.h"

namespace arka::lake {
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;
using BufferPointer = std::shared_ptr<arrow::Buffer>;

/// The validity bitmap of `array`, starting at bit 0; null where nothing is null.
Result<BufferPointer> ValidityOf(const arrow::Array& array) {
  if (array.null_count() == 0) return BufferPointer();
  if (array.offset() == 0) return array.null_bitmap();
  return arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                     array.offset(), array.length());
}

Result<ArrayPointer> Gather(const arrow::Array& values, const std::vector<int64_t>& indices) {
  const arrow::Int64Array index_array(static_cast<int64_t>(indices.size()),
                                      arrow::Buffer::Wrap(indices));
  return arrow::compute::Take(values, index_array, arrow::compute::TakeOptions::NoBoundsCheck());
}

/// The same lists, laid out anew: offset 0, null entries empty.
Result<ArrayPointer> Compacted(const arrow::Array& lists) {
  std::vector<int64_t> all(lists.length());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  return Gather(lists, all);
}

template <typename ListArray>
bool HasFilledNull(const ListArray& lists) {
  if (lists.null_count() == 0) return false;
  for (int64_t i = 0; i < lists.length(); ++i) {
    if (lists.IsNull(i) && lists.value_length(i) > 0) return true;
  }
  return false;
}

Result<ArrayPointer> Convert(const ArrayPointer& array, const arrow::Field& storage,
                             const std::string& path, Misfit& misfit);

/// Offsets from 0 as int32, of the lists' entries within the child's range [first, last).
template <typename ListArray>
Result<BufferPointer> RebasedOffsets(const ListArray& lists) {
  const int64_t first = lists.value_offset(0);
  if (lists.value_offset(lists.length()) - first > std::numeric_limits<int32_t>::max()) {
    return Error(ErrorCode::kTooLarge, "the lists hold more than 2^31 - 1 elements");
  }
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer((lists.length() + 1) * sizeof(int32_t)));
  auto* offsets = reinterpret_cast<int32_t*>(buffer->mutable_data());
  for (int64_t i = 0; i <= lists.length(); ++i) {
    offsets[i] = static_cast<int32_t>(lists.value_offset(i) - first);
  }
  return BufferPointer(std::move(buffer));
}

std::string ElementPath(const arrow::Field& storage, const std::string& path) {
  return storage.type()->id() == arrow::Type::MAP ? path : path + ".element";
}

/// ListArray, LargeListArray and MapArray.
template <typename ListArray>
Result<ArrayPointer> ConvertList(const ArrayPointer& array, const arrow::Field& storage,
                                 const std::string& path, Misfit& misfit) {
  ArrayPointer compacted = array;
  if (HasFilledNull(static_cast<const ListArray&>(*array))) {
    ARROW_ASSIGN_OR_RAISE(compacted, Compacted(*array));
  }
  const auto& lists = static_cast<const ListArray&>(*compacted);
  const int64_t first = lists.value_offset(0);
  const ArrayPointer elements =
      lists.values()->Slice(first, lists.value_offset(lists.length()) - first);
  auto converted = Convert(elements, *storage.type()->field(0), ElementPath(storage, path), misfit);
  if (!converted.ok()) {  // from the element's number to that of the list that holds it
    int64_t row = 0;
    while (row + 1 < lists.length() && lists.value_offset(row + 1) - first <= misfit.row) ++row;
    misfit.row = row;
    return converted.status();
  }
  const bool unchanged = *converted == elements && lists.type()->Equals(*storage.type());
  if (unchanged) return compacted;
  BufferPointer offsets = lists.data()->buffers[1];
  if (first != 0 || lists.offset() != 0 || array->type_id() == arrow::Type::LARGE_LIST) {
    ARROW_ASSIGN_OR_RAISE(offsets, RebasedOffsets(lists));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(lists));
  return arrow::MakeArray(arrow::ArrayData::Make(storage.type(), lists.length(),
                                                 {std::move(validity), std::move(offsets)},
                                                 {(*converted)->data()}, lists.null_count()));
}

Result<ArrayPointer> ConvertFixedSizeList(const ArrayPointer& array, const arrow::Field& storage,
                                          const std::string& path, Misfit& misfit) {
  const auto& lists = static_cast<const arrow::FixedSizeListArray&>(*array);
  const int64_t size = lists.list_type()->list_size();
  if (size * lists.length() > std::numeric_limits<int32_t>::max()) {
    return Error(ErrorCode::kTooLarge, "the lists hold more than 2^31 - 1 elements");
  }
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer((lists.length() + 1) * sizeof(int32_t)));
  auto* offsets = reinterpret_cast<int32_t*>(buffer->mutable_data());
  offsets[0] = 0;
  std::vector<int64_t> kept;
  const bool has_nulls = lists.null_count() > 0;
  for (int64_t i = 0; i < lists.length(); ++i) {
    const bool is_null = has_nulls && lists.IsNull(i);
    offsets[i + 1] = offsets[i] + static_cast<int32_t>(is_null ? 0 : size);
    for (int64_t j = 0; has_nulls && !is_null && j < size; ++j) {
      kept.push_back(lists.value_offset(i) + j);
    }
  }
  ArrayPointer elements = lists.values();
  if (has_nulls) {
    ARROW_ASSIGN_OR_RAISE(elements, Gather(*elements, kept));
  } else {
    elements = elements->Slice(lists.value_offset(0), size * lists.length());
  }
  auto converted = Convert(elements, *storage.type()->field(0), ElementPath(storage, path), misfit);
  if (!converted.ok()) {
    misfit.row = std::upper_bound(offsets, offsets + lists.length() + 1, misfit.row) - offsets - 1;
    return converted.status();
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(lists));
  return arrow::MakeArray(arrow::ArrayData::Make(storage.type(), lists.length(),
                                                 {std::move(validity), std::move(buffer)},
                                                 {(*converted)->data()}, lists.null_count()));
}

Result<ArrayPointer> ConvertStruct(const ArrayPointer& array, const arrow::Field& storage,
                                   const std::string& path, Misfit& misfit) {
  const auto& structs = static_cast<const arrow::StructArray&>(*array);
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  bool unchanged = structs.offset() == 0 && structs.type()->Equals(*storage.type());
  for (int i = 0; i < structs.num_fields(); ++i) {
    // Below a null struct nothing counts, and lists must be empty: let the children know.
    ArrayPointer child = structs.field(i);
    if (structs.null_count() > 0) {
      ARROW_ASSIGN_OR_RAISE(child, structs.GetFlattenedField(i));
    }
    const arrow::Field& field = *storage.type()->field(i);
    ARROW_ASSIGN_OR_RAISE(auto converted, Convert(child, field, path + "." + field.name(), misfit));
    unchanged = unchanged && converted == structs.field(i);
    children.push_back(converted->data());
  }
  if (unchanged) return array;
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(structs));
  return arrow::MakeArray(arrow::ArrayData::Make(storage.type(), structs.length(),
                                                 {std::move(validity)}, std::move(children),
                                                 structs.null_count()));
}

template <typename ViewArray>
Status CheckExpansion(const arrow::Array& array) {
  const auto& views = static_cast<const ViewArray&>(array);
  int64_t bytes = 0;
  for (int64_t i = 0; i < views.length(); ++i) {
    if (views.IsValid(i)) bytes += views.GetView(i).size();
  }
  if (bytes <= kMaxExpandedBytes) return Status::OK();
  return Error(ErrorCode::kTooLarge, "its views stand for ", bytes, " bytes, ", kMaxExpandedBytes,
               " are allowed in one batch");
}

Result<ArrayPointer> ConvertLeaf(const ArrayPointer& array, const arrow::Field& storage,
                                 Misfit& misfit) {
  const auto& to = storage.type();
  if (array->type()->Equals(*to)) return array;
  if (CanRescale(*array->type(), *to)) return RescaleTemporal(*array, to, misfit.row);
  if (array->type_id() == arrow::Type::STRING_VIEW) {
    ARROW_RETURN_NOT_OK(CheckExpansion<arrow::StringViewArray>(*array));
  } else if (array->type_id() == arrow::Type::BINARY_VIEW) {
    ARROW_RETURN_NOT_OK(CheckExpansion<arrow::BinaryViewArray>(*array));
  }
  auto cast = arrow::compute::Cast(*array, to, arrow::compute::CastOptions::Safe());
  if (cast.ok()) return cast;
  return Error(ErrorCode::kInvalidRequest, cast.status().message());
}

Result<ArrayPointer> Convert(const ArrayPointer& array, const arrow::Field& storage,
                             const std::string& path, Misfit& misfit) {
  if (array->length() == 0 && !array->type()->Equals(*storage.type())) {
    return arrow::MakeEmptyArray(storage.type());
  }
  if (array->length() == 0) return array;
  switch (array->type_id()) {
    case arrow::Type::STRUCT:
      return ConvertStruct(array, storage, path, misfit);
    case arrow::Type::LIST:
      return ConvertList<arrow::ListArray>(array, storage, path, misfit);
    case arrow::Type::LARGE_LIST:
      return ConvertList<arrow::LargeListArray>(array, storage, path, misfit);
    case arrow::Type::MAP:
      return ConvertList<arrow::MapArray>(array, storage, path, misfit);
    case arrow::Type::FIXED_SIZE_LIST:
      return ConvertFixedSizeList(array, storage, path, misfit);
    default:
      misfit = {path, 0};
      return ConvertLeaf(array, storage, misfit);
  }
}

/// Whether element `i` of the arrays' children lies within structs that are all there.
bool IsReachable(const std::vector<const arrow::Array*>& structs, int64_t i) {
  return std::ranges::all_of(structs, [i](const auto* array) { return array->IsValid(i); });
}

std::optional<Misfit> FindNull(const arrow::Array& array, const arrow::Field& storage,
                               const std::string& path, std::vector<const arrow::Array*>& structs);

template <typename ListArray>
std::optional<Misfit> FindNullInLists(const ListArray& lists, const arrow::Field& storage,
                                      const std::string& path) {
  if (lists.length() == 0) return std::nullopt;
  const int64_t first = lists.value_offset(0);
  const auto elements = lists.values()->Slice(first, lists.value_offset(lists.length()) - first);
  std::vector<const arrow::Array*> structs;
  auto misfit = FindNull(*elements, *storage.type()->field(0), ElementPath(storage, path), structs);
  if (misfit) {
    int64_t row = 0;
    while (row + 1 < lists.length() && lists.value_offset(row + 1) - first <= misfit->row) ++row;
    misfit->row = row;
  }
  return misfit;
}

std::optional<Misfit> FindNull(const arrow::Array& array, const arrow::Field& storage,
                               const std::string& path, std::vector<const arrow::Array*>& structs) {
  if (!storage.nullable() && array.null_count() > 0) {
    for (int64_t i = 0; i < array.length(); ++i) {
      if (array.IsNull(i) && IsReachable(structs, i)) return Misfit{path, i};
    }
  }
  switch (array.type_id()) {
    case arrow::Type::STRUCT: {
      const auto& parent = static_cast<const arrow::StructArray&>(array);
      structs.push_back(&array);
      std::optional<Misfit> misfit;
      for (int i = 0; i < parent.num_fields() && !misfit; ++i) {
        const arrow::Field& field = *storage.type()->field(i);
        misfit = FindNull(*parent.field(i), field, path + "." + field.name(), structs);
      }
      structs.pop_back();
      return misfit;
    }
    case arrow::Type::LIST:
      return FindNullInLists(static_cast<const arrow::ListArray&>(array), storage, path);
    case arrow::Type::MAP:
      return FindNullInLists(static_cast<const arrow::MapArray&>(array), storage, path);
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& array,
                                                    const arrow::Field& storage,
                                                    const std::string& path, Misfit& misfit) {
  return Convert(array, storage, path, misfit);
}

std::optional<Misfit> FindForbiddenNull(const arrow::Array& array, const arrow::Field& storage,
                                        const std::string& path) {
  std::vector<const arrow::Array*> structs;
  return FindNull(array, storage, path, structs);
}

}  // namespace arka::lake
