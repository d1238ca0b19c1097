#include "arka/protocol/batch_metadata.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

namespace arka::protocol {
namespace {

constexpr std::string_view kExpected = R"(; expected {"seq": N}, N from 1 to 9223372036854775807)";

// Reads the one object there may be from left to right. The grammar has no nesting.
class SeqReader {
 public:
  explicit SeqReader(std::string_view text) : text_(text) {}

  Result<int64_t> Read() {
    ARROW_RETURN_NOT_OK(Expect('{', "no JSON object"));
    ARROW_RETURN_NOT_OK(Expect('"', "no key"));
    const size_t end = text_.find('"', at_);
    if (end == std::string_view::npos) return Refuse("a key without an end");
    const std::string_view key = text_.substr(at_, end - at_);
    if (key != "seq") return Refuse("the unknown key '" + std::string(key.substr(0, 40)) + "'");
    at_ = end + 1;
    ARROW_RETURN_NOT_OK(Expect(':', "no colon after the key"));
    ARROW_ASSIGN_OR_RAISE(const int64_t seq, ReadSeq());
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] == ',') return Refuse("more than one key");
    ARROW_RETURN_NOT_OK(Expect('}', "no end of the object after the number"));
    SkipBlanks();
    if (at_ < text_.size()) return Refuse("something after the object");
    return seq;
  }

 private:
  Result<int64_t> ReadSeq() {
    SkipBlanks();
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    int64_t seq = 0;
    const auto [next, error] = std::from_chars(begin, end, seq);
    if (error == std::errc::result_out_of_range) return Refuse("a seq that is out of range");
    if (error != std::errc()) return Refuse("a seq that is not a number");
    const bool fraction = next < end && (*next == '.' || *next == 'e' || *next == 'E');
    if (fraction) return Refuse("a seq that is not a whole number");
    if (seq < 1) return Refuse("seq " + std::to_string(seq));
    if (*begin == '0') return Refuse("a number with a leading zero");
    at_ += next - begin;
    return seq;
  }

  Status Expect(char wanted, std::string_view problem) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return Refuse(problem);
    ++at_;
    return Status::OK();
  }

  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  Status Refuse(std::string_view problem) const {
    return Error(ErrorCode::kInvalidRequest, "app_metadata: ", problem, " at byte ", at_,
                 kExpected);
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<int64_t> ParseBatchSeq(std::string_view app_metadata) {
  if (app_metadata.size() > kMaxBatchMetadataBytes) {
    return Error(ErrorCode::kInvalidRequest, "app_metadata: ", app_metadata.size(), " bytes, over ",
                 kMaxBatchMetadataBytes, kExpected);
  }
  return SeqReader(app_metadata).Read();
}

}  // namespace arka::protocol
