#include "arka/iceberg/avro_file.h"

#include "arka/iceberg/avro_encoder.h"
#include "arka/iceberg/avro_record.h"
#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

constexpr char kSchema[] =
    R"({"type":"record","name":"r","fields":[{"name":"n","type":"long","field-id":1},)"
    R"({"name":"s","type":["null","string"],"field-id":2}]})";
constexpr AvroSyncMarker kMarker = {'0', '1', '2', '3', '4', '5', '6', '7',
                                    '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

std::string Record(int64_t number, std::string_view text) {
  AvroEncoder out;
  out.Long(number);
  out.Branch(1);
  out.Bytes(text);
  return out.Take();
}

std::string File(AvroCodec codec, int records) {
  AvroFileWriter writer(kSchema, {{"who", "test"}}, codec, kMarker);
  for (int i = 0; i < records; ++i) {
    EXPECT_THAT(writer.Append(Record(i, std::string(100, 'x'))), IsOk());
  }
  return writer.Finish().ValueOrDie();
}

/// The sum of the first fields.
Result<int64_t> Sum(std::string_view file) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, AvroFileReader::Make(file));
  int64_t sum = 0;
  ARROW_RETURN_NOT_OK(reader.ForEach([&](const AvroValue& value) -> Status {
    ARROW_ASSIGN_OR_RAISE(const AvroRecord record, AvroRecord::Make(reader.schema(), value));
    ARROW_ASSIGN_OR_RAISE(const int64_t number, record.Long(1, "n"));
    sum = static_cast<int64_t>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(number));
    return Status::OK();
  }));
  return sum;
}

AvroSchemaPtr Parsed(const char* json) { return ParseAvroSchema(json).ValueOrDie(); }

TEST(AvroDecoder, LongsAreZigZag) {
  for (const int64_t value : {INT64_C(0), INT64_C(-1), INT64_C(1), INT64_C(63), INT64_C(-64),
                              INT64_C(64), INT64_C(1) << 40, INT64_MAX, INT64_MIN}) {
    AvroEncoder out;
    out.Long(value);
    AvroDecoder decoder(out.bytes());
    EXPECT_EQ(decoder.Long().ValueOrDie(), value);
    EXPECT_TRUE(decoder.at_end());
  }
  EXPECT_EQ(AvroDecoder("\x01").Long().ValueOrDie(), -1);
}

TEST(AvroDecoder, RefusesNumbersThatAreTooLong) {
  const std::string endless(11, '\xFF');
  EXPECT_THAT(AvroDecoder(endless).Long(), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(AvroDecoder("\xFF").Long(), FailsWith(ErrorCode::kCorruption));
  AvroEncoder out;
  out.Long(INT64_C(1) << 31);
  EXPECT_THAT(AvroDecoder(out.bytes()).Value(*Parsed(R"("int")")),
              FailsWith(ErrorCode::kCorruption));
}

TEST(AvroDecoder, ManyNothingsAreNotMadeOutOfAFewBytes) {
  AvroEncoder out;
  out.BeginBlock(INT64_C(1) << 60);
  EXPECT_THAT(AvroDecoder(out.bytes()).Value(*Parsed(R"({"type":"array","items":"null"})")),
              FailsWith(ErrorCode::kCorruption));
}

TEST(AvroDecoder, ReadsBlocksThatTellTheirSize) {
  AvroEncoder out;
  out.BeginBlock(-2);
  out.Long(2);  // bytes
  out.Long(5);
  out.Long(6);
  out.BeginBlock(1);
  out.Long(7);
  out.EndBlocks();
  AvroDecoder decoder(out.bytes());
  const AvroValue value = decoder.Value(*Parsed(R"({"type":"array","items":"int"})")).ValueOrDie();
  EXPECT_EQ(std::get<AvroValue::Items>(value.value).size(), 3u);
  EXPECT_TRUE(decoder.at_end());
}

TEST(AvroDecoder, ReadsEveryKind) {
  const AvroSchemaPtr schema = Parsed(
      R"({"type":"record","name":"all","fields":[{"name":"a","type":"boolean"},
          {"name":"b","type":"float"},{"name":"c","type":"double"},{"name":"d","type":"bytes"},
          {"name":"e","type":{"type":"fixed","name":"f2","size":2}},
          {"name":"f","type":{"type":"map","values":"f2"}},
          {"name":"g","type":{"type":"enum","name":"e1","symbols":["x","y"]}},
          {"name":"h","type":{"type":"int","logicalType":"date"}},{"name":"i","type":"null"}]})");
  const std::string bytes("\1\0\0\x80\x3F\0\0\0\0\0\0\x14\x40\2zAB\2\2kCD\0\2\4", 25);
  AvroDecoder decoder(bytes);
  const AvroValue value = decoder.Value(*schema).ValueOrDie();
  const auto& fields = std::get<AvroValue::Items>(value.value);
  EXPECT_EQ(std::get<bool>(fields[0].value), true);
  EXPECT_EQ(std::get<float>(fields[1].value), 1.0F);
  EXPECT_EQ(std::get<double>(fields[2].value), 5.0);
  EXPECT_EQ(std::get<std::string>(fields[3].value), "z");
  EXPECT_EQ(std::get<std::string>(fields[4].value), "AB");
  EXPECT_EQ(std::get<AvroValue::Items>(fields[5].value).size(), 1u);
  EXPECT_EQ(std::get<int64_t>(fields[6].value), 1);
  EXPECT_EQ(std::get<int64_t>(fields[7].value), 2);
  EXPECT_TRUE(fields[8].is_null());
  EXPECT_TRUE(decoder.at_end());
}

TEST(AvroSchema, RefusesWhatIsMalformedDeepOrRecursive) {
  EXPECT_THAT(ParseAvroSchema("{"), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(ParseAvroSchema(R"("strange")"), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(ParseAvroSchema("[]"), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(ParseAvroSchema(R"({"type":"fixed","name":"f","size":-1})"),
              FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(ParseAvroSchema(
                  R"({"type":"record","name":"r","fields":[{"name":"a","type":["null","r"]}]})"),
              FailsWith(ErrorCode::kUnimplemented));
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += R"({"type":"array","items":)";
  EXPECT_THAT(ParseAvroSchema(deep + "\"int\"" + std::string(1000, '}')),
              FailsWith(ErrorCode::kCorruption));
}

class AvroFileCodec : public testing::TestWithParam<AvroCodec> {};

TEST_P(AvroFileCodec, ReadsBackSeveralBlocks) {
  const std::string file = File(GetParam(), 2000);
  EXPECT_EQ(Sum(file).ValueOrDie(), 1999 * 2000 / 2);
  const auto reader = AvroFileReader::Make(file).ValueOrDie();
  EXPECT_EQ(reader.FindMetadata("who"), "test");
  EXPECT_EQ(reader.FindMetadata("avro.codec"), AvroCodecName(GetParam()));
  EXPECT_EQ(reader.FindMetadata("absent"), "");
}

TEST_P(AvroFileCodec, AFileCutAnywhereIsRefusedOrShort) {
  const std::string file = File(GetParam(), 3);
  for (size_t size = 0; size < file.size(); ++size) {
    const Result<int64_t> sum = Sum(std::string_view(file).substr(0, size));
    if (sum.ok()) {
      EXPECT_EQ(*sum, 0) << size;  // the header alone is a file without records
    } else {
      EXPECT_EQ(CodeOf(sum.status()), ErrorCode::kCorruption) << size;
    }
  }
}

TEST_P(AvroFileCodec, NoFlippedByteDoesHarm) {
  const std::string file = File(GetParam(), 3);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    (void)Sum(damaged);  // whatever it answers, it stays within its bytes (asan)
  }
  std::string no_marker = file;
  no_marker.back() ^= 1;
  EXPECT_THAT(Sum(no_marker), FailsWith(ErrorCode::kCorruption));
}

INSTANTIATE_TEST_SUITE_P(Codecs, AvroFileCodec,
                         testing::Values(AvroCodec::kNull, AvroCodec::kDeflate,
                                         AvroCodec::kZstandard));

TEST(AvroFile, AnEmptyFileHasNoRecords) {
  EXPECT_EQ(Sum(File(AvroCodec::kDeflate, 0)).ValueOrDie(), 0);
}

TEST(AvroFile, RefusesACodecThatItDoesNotKnow) {
  std::string file = File(AvroCodec::kNull, 1);
  file.replace(file.find("\x08null"), 5, "\x08lzma");
  EXPECT_THAT(AvroFileReader::Make(file), FailsWith(ErrorCode::kUnimplemented));
}

TEST(AvroCodec, ABlockThatUnpacksToTooMuchIsRefused) {
  for (const AvroCodec codec : {AvroCodec::kDeflate, AvroCodec::kZstandard}) {
    const std::string bomb = CompressBlock(codec, std::string(1 << 20, '\0')).ValueOrDie();
    EXPECT_LT(bomb.size(), 2000u);
    EXPECT_EQ(DecompressBlock(codec, bomb, 1 << 20)->size(), 1u << 20);
    EXPECT_THAT(DecompressBlock(codec, bomb, (1 << 20) - 1), FailsWith(ErrorCode::kCorruption));
  }
}

}  // namespace
}  // namespace arka::iceberg
