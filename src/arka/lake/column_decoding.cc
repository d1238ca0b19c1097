#include "arka/lake/column_decoding.h"

#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>

namespace arka::lake {
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;

/// About how many bytes element `i` takes when it is copied.
int64_t ValueBytes(const arrow::Array& array, int64_t i) {
  const auto elements = [](const auto& list, int64_t position) {
    int64_t bytes = sizeof(int32_t);
    for (int64_t j = 0; j < list.value_length(position); ++j) {
      bytes += ValueBytes(*list.values(), list.value_offset(position) + j);
    }
    return bytes;
  };
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return sizeof(int32_t) + static_cast<const arrow::BinaryArray&>(array).value_length(i);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return sizeof(int64_t) + static_cast<const arrow::LargeBinaryArray&>(array).value_length(i);
    case arrow::Type::LIST:
      return elements(static_cast<const arrow::ListArray&>(array), i);
    case arrow::Type::LARGE_LIST:
      return elements(static_cast<const arrow::LargeListArray&>(array), i);
    case arrow::Type::MAP:
      return elements(static_cast<const arrow::MapArray&>(array), i);
    case arrow::Type::FIXED_SIZE_LIST:
      return elements(static_cast<const arrow::FixedSizeListArray&>(array), i);
    case arrow::Type::STRUCT: {
      const auto& structs = static_cast<const arrow::StructArray&>(array);
      int64_t bytes = 1;
      for (const auto& field : structs.fields()) bytes += ValueBytes(*field, i);
      return bytes;
    }
    case arrow::Type::EXTENSION:
      return ValueBytes(*static_cast<const arrow::ExtensionArray&>(array).storage(), i);
    default:  // fixed width; views keep their data where it is
      return arrow::is_fixed_width(array.type_id())
                 ? arrow::bit_util::BytesForBits(array.type()->bit_width())
                 : 16;
  }
}

/// Takes the bytes of `count` values off the budget: those at `index_of(0)`, `index_of(1)` …, a
/// null where that is negative. Costs no more than copying them, and stops where the budget is used
/// up.
template <typename IndexOf>
Status Charge(const arrow::Array& values, int64_t count, const IndexOf& index_of,
              int64_t& budget_bytes) {
  int64_t bytes = 0;
  for (int64_t i = 0; i < count && bytes <= budget_bytes; ++i) {
    const int64_t index = index_of(i);
    bytes += index < 0 ? 1 : ValueBytes(values, index);
  }
  if (bytes > budget_bytes) {
    return Error(ErrorCode::kTooLarge,
                 "the batch's encoded values stand for more bytes than one batch may have; send "
                 "fewer rows in a batch");
  }
  budget_bytes -= bytes;
  return Status::OK();
}

Result<ArrayPointer> DecodeDictionary(const arrow::DictionaryArray& array,
                                      const std::shared_ptr<arrow::DataType>& logged,
                                      int64_t& budget_bytes) {
  ARROW_ASSIGN_OR_RAISE(auto values, DecodeColumn(array.dictionary(), logged, budget_bytes));
  const auto index_of = [&](int64_t i) { return array.IsNull(i) ? -1 : array.GetValueIndex(i); };
  ARROW_RETURN_NOT_OK(Charge(*values, array.length(), index_of, budget_bytes));
  return arrow::compute::Take(*values, *array.indices());
}

template <typename RunEnd>
std::vector<int64_t> RunOfEachRow(const arrow::RunEndEncodedArray& array) {
  const RunEnd* ends = array.run_ends()->data()->template GetValues<RunEnd>(1);
  std::vector<int64_t> runs(array.length());
  int64_t run = 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    while (static_cast<int64_t>(ends[run]) <= array.offset() + i) ++run;
    runs[i] = run;
  }
  return runs;
}

Result<ArrayPointer> DecodeRunEnds(const arrow::RunEndEncodedArray& array, int64_t& budget_bytes) {
  std::vector<int64_t> runs;
  switch (array.run_ends()->type_id()) {
    case arrow::Type::INT16:
      runs = RunOfEachRow<int16_t>(array);
      break;
    case arrow::Type::INT32:
      runs = RunOfEachRow<int32_t>(array);
      break;
    default:
      runs = RunOfEachRow<int64_t>(array);
  }
  const auto index_of = [&](int64_t i) { return runs[i]; };
  ARROW_RETURN_NOT_OK(Charge(*array.values(), array.length(), index_of, budget_bytes));
  const arrow::Int64Array indices(array.length(), arrow::Buffer::Wrap(runs));
  return arrow::compute::Take(*array.values(), indices);
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> DecodeColumn(const std::shared_ptr<arrow::Array>& array,
                                                   const std::shared_ptr<arrow::DataType>& logged,
                                                   int64_t& budget_bytes) {
  if (array->type()->Equals(*logged)) return array;
  switch (array->type_id()) {
    case arrow::Type::DICTIONARY:
      return DecodeDictionary(static_cast<const arrow::DictionaryArray&>(*array), logged,
                              budget_bytes);
    case arrow::Type::RUN_END_ENCODED:
      return DecodeRunEnds(static_cast<const arrow::RunEndEncodedArray&>(*array), budget_bytes);
    default:
      break;
  }
  // A nested type with encoded values further down: the same layout over decoded children.
  auto decoded = array->data()->Copy();
  decoded->type = logged;
  for (size_t i = 0; i < decoded->child_data.size(); ++i) {
    const ArrayPointer child = arrow::MakeArray(decoded->child_data[i]);
    ARROW_ASSIGN_OR_RAISE(
        auto values, DecodeColumn(child, logged->field(static_cast<int>(i))->type(), budget_bytes));
    decoded->child_data[i] = values->data();
  }
  return arrow::MakeArray(std::move(decoded));
}

}  // namespace arka::lake
