#include "arka/ingest/stream_decoder.h"

#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::ingest {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

/// An IPC message whose bytes can be changed.
struct IpcBytes {
  std::string header;
  std::string body;

  /// The same with every `from`, as a number of T in the header, made `to`.
  template <typename T>
  IpcBytes WithHeader(T from, T to) const {
    IpcBytes changed = *this;
    EXPECT_GT(Replace(&changed.header, from, to), 0) << from;
    return changed;
  }
  template <typename T>
  IpcBytes WithBody(T from, T to) const {
    IpcBytes changed = *this;
    EXPECT_GT(Replace(&changed.body, from, to), 0) << from;
    return changed;
  }

  template <typename T>
  static int Replace(std::string* bytes, T from, T to) {
    int replaced = 0;
    for (size_t at = 0; at + sizeof(T) <= bytes->size(); at += 4) {
      T value;
      std::memcpy(&value, bytes->data() + at, sizeof(T));
      if (value != from) continue;
      std::memcpy(bytes->data() + at, &to, sizeof(T));
      ++replaced;
    }
    return replaced;
  }
};

IpcBytes BytesOf(const arrow::ipc::Message& message) {
  return {message.metadata()->ToString(), message.body() ? message.body()->ToString() : ""};
}

/// The messages of a stream of `batches`: the schema first.
std::vector<IpcBytes> MessagesOf(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
    arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults()) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = arrow::ipc::MakeStreamWriter(sink, batches[0]->schema(), options).ValueOrDie();
  for (const auto& batch : batches) EXPECT_THAT(writer->WriteRecordBatch(*batch), IsOk());
  EXPECT_THAT(writer->Close(), IsOk());
  arrow::io::BufferReader reader(sink->Finish().ValueOrDie());
  std::vector<IpcBytes> messages;
  while (auto message = arrow::ipc::ReadMessage(&reader).ValueOrDie()) {
    messages.push_back(BytesOf(*message));
  }
  return messages;
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::shared_ptr<arrow::Array>& column) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("c", column->type())}),
                                  column->length(), {column});
}

std::shared_ptr<arrow::Array> Ints(int64_t count, bool with_null = false) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) EXPECT_THAT(builder.Append(i), IsOk());
  EXPECT_THAT(with_null ? builder.AppendNull() : Status::OK(), IsOk());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Texts(const std::vector<std::string>& texts) {
  arrow::StringBuilder builder;
  EXPECT_THAT(builder.AppendValues(texts), IsOk());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Encoded(const std::vector<std::string>& dictionary,
                                      const std::vector<int32_t>& indices) {
  arrow::Int32Builder builder;
  EXPECT_THAT(builder.AppendValues(indices), IsOk());
  return arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int32(), arrow::utf8()),
                                            builder.Finish().ValueOrDie(), Texts(dictionary))
      .ValueOrDie();
}

/// A decoder that is fed a stream's messages.
class Feed {
 public:
  explicit Feed(const IpcBytes& schema, DecodeLimits limits = {}) {
    const auto header = arrow::Buffer::FromString(schema.header);
    const auto stream_schema = DecodeSchema(header).ValueOrDie();
    decoder_ = StreamDecoder::Make(
                   header, lake::TableSchema::FromArrow(*stream_schema).ValueOrDie(), limits)
                   .ValueOrDie();
  }

  Result<std::optional<DecodedWrite>> Give(const IpcBytes& message) {
    // Allocated, so that sanitizers know where each ends.
    auto body = arrow::AllocateBuffer(message.body.size()).ValueOrDie();
    std::memcpy(body->mutable_data(), message.body.data(), message.body.size());
    return decoder_->Decode(arrow::Buffer::FromString(message.header), std::move(body));
  }

 private:
  std::unique_ptr<StreamDecoder> decoder_;
};

TEST(StreamDecoder, ABatchIsLoggedAsItCameAndStoredAsTheTableHasIt) {
  const auto batch = BatchOf(Ints(3));
  const auto messages = MessagesOf({batch});
  auto write = Feed(messages[0]).Give(messages[1]).ValueOrDie();
  ASSERT_TRUE(write.has_value());
  EXPECT_EQ(write->header->ToString(), messages[1].header);
  EXPECT_EQ(write->body->ToString(), messages[1].body);
  EXPECT_TRUE(write->stored->column(0)->Equals(batch->column(0)));
  EXPECT_GE(write->size_bytes(), write->body->size());
}

TEST(StreamDecoder, DictionariesAreDecodedForTheLogAndMayBeReplaced) {
  const auto messages =
      MessagesOf({BatchOf(Encoded({"a", "b"}, {1, 0})), BatchOf(Encoded({"c"}, {0, 0}))});
  ASSERT_EQ(messages.size(), 5u);  // schema, dictionary, batch, dictionary, batch
  Feed feed(messages[0]);
  EXPECT_FALSE(feed.Give(messages[1]).ValueOrDie().has_value());
  EXPECT_EQ(feed.Give(messages[2]).ValueOrDie()->stored->column(0)->ToString(),
            Texts({"b", "a"})->ToString());
  EXPECT_FALSE(feed.Give(messages[3]).ValueOrDie().has_value());
  const auto write = feed.Give(messages[4]).ValueOrDie();
  EXPECT_EQ(write->stored->column(0)->ToString(), Texts({"c", "c"})->ToString());
  const auto logged = arrow::ipc::Message::Open(write->header, write->body).ValueOrDie();
  EXPECT_TRUE(arrow::ipc::ReadRecordBatch(*logged,
                                          arrow::schema({arrow::field("c", arrow::utf8())}),
                                          nullptr, arrow::ipc::IpcReadOptions::Defaults())
                  .ok());
}

TEST(StreamDecoder, DeltasGrowADictionary) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.emit_dictionary_deltas = true;
  const auto messages =
      MessagesOf({BatchOf(Encoded({"a"}, {0})), BatchOf(Encoded({"a", "b"}, {1, 0}))}, options);
  Feed feed(messages[0]);
  for (size_t i = 1; i < 4; ++i) ASSERT_THAT(feed.Give(messages[i]), IsOk());
  EXPECT_EQ(feed.Give(messages[4]).ValueOrDie()->stored->column(0)->ToString(),
            Texts({"b", "a"})->ToString());
}

TEST(StreamDecoder, WhatIsUnpackedOrConvertedCountsAsMemory) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = arrow::util::Codec::Create(arrow::Compression::ZSTD).ValueOrDie();
  constexpr int64_t kRows = 100'000;
  const auto packed = MessagesOf({BatchOf(Ints(kRows))}, options);
  const auto unpacked = Feed(packed[0]).Give(packed[1]).ValueOrDie();
  ASSERT_LT(unpacked->body->size(), 8 * kRows);
  EXPECT_GE(unpacked->size_bytes(), 8 * kRows);

  const auto halves = arrow::MakeArrayOfNull(arrow::float16(), kRows).ValueOrDie();
  const auto messages = MessagesOf({BatchOf(halves)});
  const auto widened = Feed(messages[0]).Give(messages[1]).ValueOrDie();
  EXPECT_GE(widened->size_bytes(), (2 + 4) * kRows);
}

TEST(StreamDecoder, CompressedBodiesAreRead) {
  for (const auto compression : {arrow::Compression::LZ4_FRAME, arrow::Compression::ZSTD}) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.codec = arrow::util::Codec::Create(compression).ValueOrDie();
    const auto messages = MessagesOf({BatchOf(Ints(1000))}, options);
    auto write = Feed(messages[0]).Give(messages[1]).ValueOrDie();
    EXPECT_TRUE(write->stored->column(0)->Equals(Ints(1000)));
    // A body that does not unpack.
    IpcBytes damaged = messages[1];
    for (size_t i = 8; i < damaged.body.size(); ++i) damaged.body[i] ^= 0x5a;
    EXPECT_THAT(Feed(messages[0]).Give(damaged), FailsWith(ErrorCode::kInvalidRequest));
  }
}

TEST(StreamDecoder, ABombIsRefusedBeforeItIsUnpacked) {
  constexpr int64_t kZeros = 4 << 20;
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = arrow::util::Codec::Create(arrow::Compression::ZSTD).ValueOrDie();
  const auto zeros = arrow::MakeArrayFromScalar(arrow::Int64Scalar(0), kZeros / 8).ValueOrDie();
  const auto messages = MessagesOf({BatchOf(zeros)}, options);
  ASSERT_LT(messages[1].body.size(), 10'000u);
  DecodeLimits limits;
  limits.max_unpacked_bytes = 1 << 20;
  const int64_t before = arrow::default_memory_pool()->total_bytes_allocated();
  EXPECT_THAT(Feed(messages[0], limits).Give(messages[1]), FailsWith(ErrorCode::kTooLarge));
  EXPECT_LT(arrow::default_memory_pool()->total_bytes_allocated() - before, kZeros);
  // The length that it claims to unpack to may lie: up, past the limit, and down.
  EXPECT_THAT(Feed(messages[0]).Give(messages[1].WithBody<int64_t>(kZeros, kMax)),
              FailsWith(ErrorCode::kTooLarge));
  for (const int64_t lie : {int64_t{0}, int64_t{64}, kZeros - 8, kZeros + 8, int64_t{-2}}) {
    EXPECT_THAT(Feed(messages[0]).Give(messages[1].WithBody<int64_t>(kZeros, lie)),
                FailsWith(ErrorCode::kInvalidRequest))
        << lie;
  }
}

TEST(StreamDecoder, LengthsThatLieAreRefused) {
  constexpr int64_t kRows = 12'345;
  const auto messages = MessagesOf({BatchOf(Ints(kRows))});
  for (const int64_t rows : {kMax, int64_t{-1}, std::numeric_limits<int64_t>::min(),
                             int64_t{1} << 61, kRows + 1000, (int64_t{1} << 20) + 1}) {
    const auto refused = Feed(messages[0]).Give(messages[1].WithHeader<int64_t>(kRows, rows));
    ASSERT_FALSE(refused.ok()) << rows;
    EXPECT_TRUE(CodeOf(refused.status()) == ErrorCode::kInvalidRequest ||
                CodeOf(refused.status()) == ErrorCode::kTooLarge)
        << refused.status().ToString();
  }
  const auto body_bytes = static_cast<int64_t>(messages[1].body.size());
  for (const int64_t size : {kMax, int64_t{-1}, int64_t{-8}, body_bytes + 8}) {
    EXPECT_THAT(Feed(messages[0]).Give(messages[1].WithHeader<int64_t>(body_bytes, size)),
                FailsWith(ErrorCode::kInvalidRequest))
        << size;
  }
  for (const int64_t size : {kMax, int64_t{-1}, kMax - 8, body_bytes + 1}) {
    EXPECT_THAT(Feed(messages[0]).Give(messages[1].WithHeader<int64_t>(kRows * 8, size)),
                FailsWith(ErrorCode::kInvalidRequest))
        << size;
  }
  EXPECT_THAT(Feed(messages[0]).Give(messages[1].WithHeader<int64_t>(kRows * 8, 800)),
              FailsWith(ErrorCode::kInvalidRequest));
}

TEST(StreamDecoder, ABodyThatWasCutOffIsRefused) {
  const auto messages = MessagesOf({BatchOf(Texts({std::string(1003, 'a'), "b"}))});
  for (size_t size = 0; size < messages[1].body.size(); size += 7) {
    IpcBytes cut = messages[1];
    cut.body.resize(size);
    EXPECT_THAT(Feed(messages[0]).Give(cut), FailsWith(ErrorCode::kInvalidRequest)) << size;
  }
}

TEST(StreamDecoder, OffsetsMustRiseWithinTheData) {
  const auto messages = MessagesOf(
      {BatchOf(Texts({std::string(1003, 'a'), std::string(1004, 'b'), std::string(1005, 'c')}))});
  ASSERT_THAT(Feed(messages[0]).Give(messages[1]), IsOk());
  struct Change {
    int32_t from;
    int32_t to;
  };
  for (const Change change :
       {Change{1003, 2008}, Change{1003, -1}, Change{2007, 5}, Change{3012, 1 << 30},
        Change{3012, std::numeric_limits<int>::min()}, Change{3012, 3020}}) {
    EXPECT_THAT(Feed(messages[0]).Give(messages[1].WithBody<int32_t>(change.from, change.to)),
                FailsWith(ErrorCode::kInvalidRequest))
        << change.from << " to " << change.to;
  }
}

TEST(StreamDecoder, BitmapsMustBeLongEnough) {
  const auto messages = MessagesOf({BatchOf(Ints(12'344, /*with_null=*/true))});
  ASSERT_THAT(Feed(messages[0]).Give(messages[1]), IsOk());
  for (const int64_t size : {0, 1, 1000}) {
    // Where no bitmap is there, its null count is a lie: refused, or taken as no null at all.
    const auto answer = Feed(messages[0]).Give(messages[1].WithHeader<int64_t>(1544, size));
    if (size == 0) continue;
    EXPECT_THAT(answer, FailsWith(ErrorCode::kInvalidRequest)) << size;
  }
}

TEST(StreamDecoder, TextMustBeUtf8) {
  const auto messages = MessagesOf({BatchOf(Texts({"abcdefgh"}))});
  for (const char* bytes :
       {"\xff\xff\xff\xff", "ab\xc3\x28", "\xed\xa0\x80z", "\xf5\x80\x80\x80"}) {
    uint32_t from = 0, to = 0;
    std::memcpy(&from, "abcd", 4);
    std::memcpy(&to, bytes, 4);
    EXPECT_THAT(Feed(messages[0]).Give(messages[1].WithBody<uint32_t>(from, to)),
                FailsWith(ErrorCode::kInvalidRequest));
  }
}

TEST(StreamDecoder, DictionaryIndicesMustBeInRangeAndDictionariesThere) {
  const auto messages = MessagesOf({BatchOf(Encoded({"a", "b"}, {1, 1, 1}))});
  for (const int32_t index : {2, -1, std::numeric_limits<int32_t>::max()}) {
    Feed feed(messages[0]);
    ASSERT_THAT(feed.Give(messages[1]), IsOk());
    EXPECT_THAT(feed.Give(messages[2].WithBody<int32_t>(1, index)),
                FailsWith(ErrorCode::kInvalidRequest))
        << index;
  }
  EXPECT_THAT(Feed(messages[0]).Give(messages[2]), FailsWith(ErrorCode::kInvalidRequest));

  const auto plain = MessagesOf({BatchOf(Ints(3))});
  EXPECT_THAT(Feed(plain[0]).Give(messages[1]), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(StreamDecoder, DictionariesDoNotGrowWithoutEnd) {
  DecodeLimits limits;
  limits.max_dictionary_bytes = 100'000;
  const std::string large(30'000, 'x');
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.emit_dictionary_deltas = true;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  std::vector<std::string> values;
  for (int i = 0; i < 6; ++i) {
    values.push_back(std::to_string(i) + large);
    batches.push_back(BatchOf(Encoded(values, {i})));
  }
  const auto growing = MessagesOf(batches, options);
  Feed feed(growing[0], limits);
  Status refused;
  for (size_t i = 1; i < growing.size() && refused.ok(); ++i)
    refused = feed.Give(growing[i]).status();
  EXPECT_THAT(refused, FailsWith(ErrorCode::kTooLarge));

  // Replacing is no growth, once a batch has used each.
  const auto replaced = MessagesOf(
      {BatchOf(Encoded({"a" + large, "b" + large}, {0})), BatchOf(Encoded({"c" + large}, {0}))});
  Feed steady(replaced[0], limits);
  for (int round = 0; round < 5; ++round) {
    for (size_t i = 1; i < replaced.size(); ++i) ASSERT_THAT(steady.Give(replaced[i]), IsOk());
  }
  // Without a batch in between they are all kept.
  Feed hoarding(replaced[0], limits);
  Status hoarded;
  for (int i = 0; i < 10 && hoarded.ok(); ++i) hoarded = hoarding.Give(replaced[1]).status();
  EXPECT_THAT(hoarded, FailsWith(ErrorCode::kTooLarge));
}

TEST(StreamDecoder, TheDictionariesOfAllColumnsCountTogether) {
  DecodeLimits limits;
  limits.max_dictionary_bytes = 100'000;
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (int i = 0; i < 5; ++i) {
    columns.push_back(Encoded({std::to_string(i) + std::string(30'000, 'x')}, {0}));
    fields.push_back(arrow::field("c" + std::to_string(i), columns.back()->type()));
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), 1, columns);
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = arrow::util::Codec::Create(arrow::Compression::ZSTD).ValueOrDie();
  const auto messages = MessagesOf({batch}, options);
  Feed feed(messages[0], limits);
  Status refused;
  for (size_t i = 1; i < messages.size() && refused.ok(); ++i) {
    refused = feed.Give(messages[i]).status();
  }
  EXPECT_THAT(refused, FailsWith(ErrorCode::kTooLarge));
}

TEST(StreamDecoder, TooManyRowsAreRefused) {
  DecodeLimits limits;
  limits.max_rows = 100;
  const auto messages = MessagesOf({BatchOf(Ints(100)), BatchOf(Ints(101))});
  Feed feed(messages[0], limits);
  EXPECT_THAT(feed.Give(messages[1]), IsOk());
  EXPECT_THAT(feed.Give(messages[2]), FailsWith(ErrorCode::kTooLarge));
}

TEST(StreamDecoder, OnlyBatchesFollowTheSchema) {
  const auto messages = MessagesOf({BatchOf(Ints(3))});
  EXPECT_THAT(Feed(messages[0]).Give(messages[0]), FailsWith(ErrorCode::kInvalidRequest));

  const auto tensor = arrow::Tensor::Make(arrow::int64(), Ints(4)->data()->buffers[1], {2, 2});
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  const auto message =
      arrow::ipc::GetTensorMessage(**tensor, arrow::default_memory_pool()).ValueOrDie();
#pragma GCC diagnostic pop
  EXPECT_THAT(Feed(messages[0]).Give(BytesOf(*message)), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(DecodeSchema(arrow::Buffer::FromString(messages[1].header)),
              FailsWith(ErrorCode::kInvalidRequest));
}

TEST(StreamDecoder, BatchesOfAnotherShapeAreRefused) {
  const auto ints = MessagesOf({BatchOf(Ints(3))});
  const auto texts = MessagesOf({BatchOf(Texts({"a", "b", "c"}))});
  const auto two = MessagesOf({arrow::RecordBatch::Make(
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64())}), 3,
      {Ints(3), Ints(3)})});
  EXPECT_THAT(Feed(texts[0]).Give(ints[1]), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(Feed(two[0]).Give(ints[1]), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(StreamDecoder, MetadataThatIsCutOffAtAnyByteIsAnError) {
  for (const auto& messages :
       {MessagesOf({BatchOf(Ints(3, true))}), MessagesOf({BatchOf(Encoded({"a"}, {0}))})}) {
    for (size_t i = 0; i < messages.size(); ++i) {
      for (size_t size = 0; size < messages[i].header.size(); ++size) {
        IpcBytes cut = messages[i];
        cut.header.resize(size);
        // Trailing padding is no loss.
        const bool may_pass = size + 8 > messages[i].header.size();
        if (i == 0) {
          EXPECT_TRUE(!DecodeSchema(arrow::Buffer::FromString(cut.header)).ok() || may_pass);
        }
        EXPECT_TRUE(!Feed(messages[0]).Give(cut).ok() || may_pass) << size;
      }
    }
  }
}

TEST(StreamDecoder, AnyByteOfTheMetadataMayBeWrong) {
  const auto messages = MessagesOf({BatchOf(Texts({"a", "bc"}))});
  int refused = 0;
  for (size_t at = 0; at < messages[1].header.size(); ++at) {
    for (const char mask : {'\x01', '\x80', '\xff'}) {
      IpcBytes damaged = messages[1];
      damaged.header[at] = static_cast<char>(damaged.header[at] ^ mask);
      const auto answer = Feed(messages[0]).Give(damaged);
      refused += answer.ok() ? 0 : 1;
      EXPECT_TRUE(answer.ok() || CodeOf(answer.status()) != ErrorCode::kInternal);
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace arka::ingest
