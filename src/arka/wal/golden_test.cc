// Files of every format version, committed under tests/golden/log: they must be readable for ever,
// and what this version writes must not change without a new version. docs/spec/log.md shows the
// same bytes. To write the files anew (a new version only): ARKA_WRITE_GOLDEN=1 arka_wal_test
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "arka/wal/log_harness_test.h"
#include "arka/wal/log_object.h"

namespace arka::wal {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(ARKA_SOURCE_DIR) / "tests/golden/log";
const std::filesystem::path kSpec = std::filesystem::path(ARKA_SOURCE_DIR) / "docs/spec/log.md";

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::byte> BytesIn(const std::filesystem::path& path) {
  const std::string text = ReadAll(path);
  const ByteSpan bytes = BytesOf(text);
  return {bytes.begin(), bytes.end()};
}

// As `hexdump -C` prints it: 16 bytes a line, "*" for lines that repeat.
std::string HexDump(ByteSpan bytes) {
  std::string out;
  std::string previous;
  bool starred = false;
  char text[32];
  for (size_t at = 0; at < bytes.size(); at += 16) {
    std::string line;
    std::string shown;
    for (size_t i = at; i < at + 16 && i < bytes.size(); ++i) {
      const auto value = std::to_integer<unsigned>(bytes[i]);
      std::snprintf(text, sizeof(text), i == at + 8 ? "  %02x" : " %02x", value);
      line += text;
      shown += value >= 0x20 && value < 0x7F ? static_cast<char>(value) : '.';
    }
    if (line == previous) {
      if (!starred) out += "*\n";
      starred = true;
      continue;
    }
    starred = false;
    previous = line;
    std::snprintf(text, sizeof(text), "%08zx ", at);
    out += text + line + "  |" + shown + "|\n";
  }
  return out;
}

class GoldenTest : public ::testing::Test, protected LogHarness {
 protected:
  // The log of the golden files and of the specification's example.
  void SetUp() override {
    options.segment_bytes = 2048;
    Open();
    WriteRecord record{.lsn = {},
                       .definition = {1},
                       .producer = "p",
                       .seq = 1,
                       .timestamp = clock.WallNow(),
                       .header = BufferOf("IPC header"),
                       .body = BufferOf("IPC body")};
    ASSERT_THAT(log->Append(record), IsOk());
    ASSERT_THAT(log->Flush(), IsOk());
    record.seq = 2;
    ASSERT_THAT(log->Append(record), IsOk());
    record.producer.clear();
    record.seq = 0;
    record.body = BufferOf(std::string(200, 'b'));
    ASSERT_THAT(log->Append(record), IsOk());
    ASSERT_THAT(log->Flush(), IsOk());
    Result<LogObject> object = log->ReadObject(kFirstLsn, 1 << 20);
    ASSERT_THAT(object, IsOk());
    object_ = arrow::ConcatenateBuffers(object->parts).ValueOrDie()->ToString();
    segments_ = Segments();
    ASSERT_EQ(segments_.size(), 1u);
  }

  void ExpectInSpec(const std::string& dump) {
    EXPECT_NE(ReadAll(kSpec).find("```\n" + dump + "```"), std::string::npos)
        << "docs/spec/log.md does not show\n"
        << dump;
  }

  std::vector<std::string> segments_;
  std::string object_;
};

TEST_F(GoldenTest, WritesTheBytesOfVersion1) {
  const auto segment = *fs->Contents(segments_[0]);
  const auto control = *fs->Contents("/log/control");
  if (std::getenv("ARKA_WRITE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(kGolden / "v1");
    const auto write = [&](const char* name, std::string_view bytes) {
      std::ofstream(kGolden / "v1" / name, std::ios::binary) << bytes;
    };
    write("00000000000000000001.log", TextOf(segment));
    write("control", TextOf(control));
    write("object", object_);
    std::fputs(HexDump(segment).c_str(), stdout);
    std::fputs(HexDump(BytesOf(object_)).c_str(), stdout);
    std::fputs(HexDump(control).c_str(), stdout);
  }
  EXPECT_EQ(HexDump(segment), HexDump(BytesIn(kGolden / "v1/00000000000000000001.log")));
  EXPECT_EQ(HexDump(control), HexDump(BytesIn(kGolden / "v1/control")));
  EXPECT_EQ(HexDump(BytesOf(object_)), HexDump(BytesIn(kGolden / "v1/object")));
}

TEST_F(GoldenTest, ReadsALogOfVersion1) {
  MemoryFs old;
  for (const char* name : {"00000000000000000001.log", "control"}) {
    old.SetContents(std::string("/log/") + name, BytesIn(kGolden / "v1" / name));
  }
  class Lsns : public ReplayVisitor {
   public:
    Status OnDefinition(const Definition& definition) override {
      text += "(" + definition.bytes->ToString() + ")";
      return Status::OK();
    }
    Status OnWrite(WriteRecord record) override {
      text += " " + std::to_string(record.lsn.value) + ":" + record.producer + "/" +
              std::to_string(record.seq) + ":" + record.header->ToString() + ":" +
              record.body->ToString().substr(0, 10);
      return Status::OK();
    }
    std::string text;
  } found_lsns;
  ASSERT_THAT(Log::Open(old, clock, options, found_lsns), IsOk());
  EXPECT_EQ(found_lsns.text,
            "(table 1) 1000:p/1:IPC header:IPC body 1001:p/2:IPC header:IPC body "
            "1002:/0:IPC header:bbbbbbbbbb");
  Lsns in_object;
  ASSERT_THAT(ReadLogObject({{BufferOf(ReadAll(kGolden / "v1/object"))}}, in_object), IsOk());
  EXPECT_EQ(in_object.text, "(table 1) 1001:p/2:IPC header:IPC body 1002:/0:IPC header:bbbbbbbbbb");
}

TEST_F(GoldenTest, IsShownInTheSpecification) {
  ExpectInSpec(HexDump(*fs->Contents(segments_[0])));
  ExpectInSpec(HexDump(BytesOf(object_)));
  ExpectInSpec(HexDump(ByteSpan(*fs->Contents("/log/control")).first(128)));
}

}  // namespace
}  // namespace arka::wal
