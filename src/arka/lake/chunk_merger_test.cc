#include "arka/lake/chunk_merger.h"

#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/lake/testing_arrays.h"
#include "arka/testing/matchers.h"

namespace arka::lake {
namespace {

std::shared_ptr<arrow::Schema> ThreeColumns() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8()),
                        arrow::field("price", arrow::float64())});
}

/// Rows `first` .. `first` + `count` - 1 of an endless table, in buffers of their own.
std::shared_ptr<arrow::RecordBatch> Rows(int64_t first, int64_t count) {
  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  arrow::DoubleBuilder prices;
  for (int64_t i = first; i < first + count; ++i) {
    EXPECT_TRUE(ids.Append(i).ok());
    EXPECT_TRUE((i % 7 == 0 ? names.AppendNull() : names.Append("n" + std::to_string(i))).ok());
    EXPECT_TRUE(prices.Append(i * 0.5).ok());
  }
  return arrow::RecordBatch::Make(ThreeColumns(), count,
                                  {*ids.Finish(), *names.Finish(), *prices.Finish()});
}

std::shared_ptr<arrow::Table> TableOf(const arrow::RecordBatchVector& chunks) {
  return (*arrow::Table::FromRecordBatches(ThreeColumns(), chunks))->CombineChunks().ValueOrDie();
}

TEST(ChunkMerger, ManySmallBatchesBecomeFewChunksWithTheSameRows) {
  ChunkMerger merger(ThreeColumns());
  constexpr int64_t kRows = 20'000;
  for (int64_t i = 0; i < kRows; ++i) ASSERT_THAT(merger.Add(Rows(i, 1)), IsOk());
  EXPECT_EQ(merger.num_rows(), kRows);
  const auto chunks = merger.Take();
  ASSERT_THAT(chunks, IsOk());
  EXPECT_LE(chunks->size(), 2u);
  EXPECT_TRUE(TableOf(*chunks)->Equals(*TableOf({Rows(0, kRows)})));
  EXPECT_EQ(merger.num_rows(), 0);
  EXPECT_EQ(merger.size_bytes(), 0);
  EXPECT_TRUE(merger.Take()->empty());
}

TEST(ChunkMerger, LargeBatchesPassUncopiedAndInOrder) {
  ChunkMerger merger(ThreeColumns());
  const auto large = Rows(2, 10'000);
  ASSERT_THAT(merger.Add(Rows(0, 1)), IsOk());
  ASSERT_THAT(merger.Add(Rows(1, 1)), IsOk());
  ASSERT_THAT(merger.Add(large), IsOk());
  ASSERT_THAT(merger.Add(Rows(10'002, 3)), IsOk());
  const auto chunks = merger.Take();
  ASSERT_THAT(chunks, IsOk());
  ASSERT_EQ(chunks->size(), 3u);
  EXPECT_EQ((*chunks)[1], large);
  EXPECT_TRUE(TableOf(*chunks)->Equals(*TableOf({Rows(0, 10'005)})));
}

TEST(ChunkMerger, AMillionOneRowBatchesCostWhatTheirRowsCost) {
  ChunkMerger merger(ThreeColumns());
  const int64_t before = arrow::default_memory_pool()->bytes_allocated();
  constexpr int64_t kBatches = 40'000;
  int64_t highest = 0;
  for (int64_t i = 0; i < kBatches; ++i) {
    ASSERT_THAT(merger.Add(Rows(i, 1)), IsOk());
    highest = std::max(highest, arrow::default_memory_pool()->bytes_allocated() - before);
  }
  // 28 bytes a row, and what is pending: 1,024 batches of three columns in padded buffers.
  EXPECT_LT(highest, kBatches * 40 + (2 << 20));
  EXPECT_NEAR(merger.size_bytes(), kBatches * 30, kBatches * 10);
}

TEST(ChunkMerger, ASmallBatchDoesNotPinTheBufferItCameIn) {
  ChunkMerger merger(ThreeColumns());
  for (int i = 0; i < 100; ++i) {
    const auto message = Rows(0, 100'000);  // 3 MB
    ASSERT_THAT(merger.Add(message->Slice(i, 1)), IsOk());
  }
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated(), 16 << 20);
  EXPECT_EQ(merger.num_rows(), 100);
  std::vector<std::shared_ptr<arrow::RecordBatch>> chunks = *merger.Take();
  EXPECT_TRUE(TableOf(chunks)->Equals(*TableOf({Rows(0, 100)})));
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated(), 1 << 20);
}

/// As Rows, in a column that has children.
std::shared_ptr<arrow::RecordBatch> NestedRows(int64_t first, int64_t count) {
  return OneColumn(Rows(first, count)->ToStructArray().ValueOrDie());
}

TEST(ChunkMerger, ManySmallNestedBatchesCostWhatTheirRowsCost) {
  ChunkMerger merger(NestedRows(0, 1)->schema());
  const int64_t before = arrow::default_memory_pool()->bytes_allocated();
  constexpr int64_t kBatches = 20'000;
  int64_t highest = 0;
  for (int64_t i = 0; i < kBatches; ++i) {
    ASSERT_THAT(merger.Add(NestedRows(i, 1)), IsOk());
    highest = std::max(highest, arrow::default_memory_pool()->bytes_allocated() - before);
  }
  EXPECT_LT(highest, kBatches * 40 + (2 << 20));
  const auto chunks = *merger.Take();
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_TRUE(chunks[0]->Equals(*NestedRows(0, kBatches)));
}

TEST(ChunkMerger, ASmallNestedBatchDoesNotPinTheBufferItCameIn) {
  ChunkMerger merger(NestedRows(0, 1)->schema());
  for (int i = 0; i < 100; ++i) {
    const auto message = NestedRows(0, 100'000);  // 3 MB
    ASSERT_THAT(merger.Add(message->Slice(i, 1)), IsOk());
  }
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated(), 16 << 20);
  const auto chunks = *merger.Take();
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_TRUE(chunks[0]->Equals(*NestedRows(0, 100)));
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated(), 1 << 20);
}

TEST(ChunkMerger, ALargeSliceOfAMuchLargerBufferIsCopied) {
  ChunkMerger merger(ThreeColumns());
  auto message = Rows(0, 200'000);
  const auto slice = message->Slice(10, 10'000);
  message.reset();
  ASSERT_THAT(merger.Add(slice), IsOk());
  const auto chunks = *merger.Take();
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_NE(chunks[0], slice);
  EXPECT_TRUE(TableOf(chunks)->Equals(*TableOf({Rows(10, 10'000)})));
}

TEST(ChunkMerger, MergesEveryStoredType) {
  using namespace arrow;  // NOLINT: the names of the types
  const auto type =
      struct_({field("b", boolean()), field("d", decimal128(20, 2)),
               field("f", fixed_size_binary(2)), field("l", list(utf8())),
               field("m", map(utf8(), int64())), field("s", struct_({field("x", date32())}))});
  const auto row =
      FromJson(type, R"([{"b": true, "d": "1.00", "f": "ab", "l": ["x", null], "m": [["k", 1]],
                 "s": {"x": 1}}, null])");
  const auto uuid = std::make_shared<ExtensionArray>(
      extension::uuid(), FromJson(fixed_size_binary(16), R"(["0123456789abcdef", null])"));
  const auto schema = arrow::schema({field("c", type), field("u", extension::uuid())});
  const auto batch = RecordBatch::Make(schema, 2, {row, uuid});
  ChunkMerger merger(schema);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(merger.Add(batch), IsOk());
  const auto chunks = merger.Take();
  ASSERT_THAT(chunks, IsOk());
  ASSERT_EQ(chunks->size(), 1u);
  EXPECT_THAT((*chunks)[0]->ValidateFull(), IsOk());
  EXPECT_TRUE((*chunks)[0]->Slice(4, 2)->Equals(*batch));
}

TEST(ChunkMerger, CountsTheBytesThatABatchRefersTo) {
  EXPECT_EQ(ReferencedBytes(*OneColumn(FromJson(arrow::int64(), "[1, 2, 3]"))), 24);
  const auto words = OneColumn(FromJson(arrow::utf8(), R"(["abc", "", "de"])"));
  EXPECT_EQ(ReferencedBytes(*words), 4 * 4 + 5);
  EXPECT_EQ(ReferencedBytes(*words->Slice(2, 1)), 2 * 4 + 2);
  EXPECT_EQ(ReferencedBytes(*words->Slice(3)), 0);
  const auto lists = OneColumn(FromJson(arrow::list(arrow::int32()), "[[1, 2], [3], []]"));
  EXPECT_EQ(ReferencedBytes(*lists->Slice(1)), 3 * 4 + 4);
}

TEST(ChunkMerger, IgnoresBatchesWithoutRows) {
  ChunkMerger merger(ThreeColumns());
  ASSERT_THAT(merger.Add(Rows(0, 0)), IsOk());
  EXPECT_TRUE(merger.Take()->empty());
}

}  // namespace
}  // namespace arka::lake
