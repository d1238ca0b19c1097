#include "arka/flight_sql/insert_statement.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace arka::flight_sql {
namespace {

constexpr size_t kMaxTableParts = 3;

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void SkipSpace() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_);
      if (std::isspace(static_cast<unsigned char>(rest[0])) != 0) {
        ++at_;
      } else if (rest.starts_with("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest.starts_with("/*")) {
        const size_t end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }

  std::string Word() {
    SkipSpace();
    const size_t first = at_;
    while (at_ < text_.size() && IsWordCharacter(text_[at_])) ++at_;
    return std::string(text_.substr(first, at_ - first));
  }

  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Result<std::string> Identifier() {
    if (!Take('"')) {
      std::string word = Word();
      if (!word.empty()) return word;
      return Wrong("a name");
    }
    std::string name;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c != '"') {
        name += c;
      } else if (at_ < text_.size() && text_[at_] == '"') {
        name += text_[at_++];
      } else {
        return name;
      }
    }
    return Wrong("a closing quote");
  }

  Result<std::vector<std::string>> Identifiers(char separator) {
    std::vector<std::string> names;
    do {
      ARROW_ASSIGN_OR_RAISE(names.emplace_back(), Identifier());
    } while (Take(separator));
    return names;
  }

  /// What is left, without a semicolon at its end.
  std::string Rest() {
    SkipSpace();
    std::string_view rest = text_.substr(at_);
    while (!rest.empty() &&
           (std::isspace(static_cast<unsigned char>(rest.back())) != 0 || rest.back() == ';')) {
      rest.remove_suffix(1);
    }
    return std::string(rest);
  }

  Status Wrong(std::string_view expected) const {
    return Error(ErrorCode::kInvalidRequest, "INSERT: expected ", expected, " at byte ", at_,
                 ", in INSERT INTO table [(column, ...)] VALUES (...) or SELECT ...");
  }

  size_t at() const { return at_; }
  void GoTo(size_t at) { at_ = at; }

 private:
  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::string FirstWord(std::string_view sql) { return Upper(Reader(sql).Word()); }

bool IsInsert(std::string_view sql) { return FirstWord(sql) == "INSERT"; }

Result<InsertStatement> ParseInsert(std::string_view sql) {
  Reader reader(sql);
  if (Upper(reader.Word()) != "INSERT") return reader.Wrong("INSERT");
  if (Upper(reader.Word()) != "INTO") return reader.Wrong("INTO");
  InsertStatement insert;
  ARROW_ASSIGN_OR_RAISE(insert.table, reader.Identifiers('.'));
  if (insert.table.size() > kMaxTableParts) return reader.Wrong("catalog.namespace.table");
  // "(SELECT …)" is a query, and "(a, b)" are columns.
  const size_t before = reader.at();
  if (reader.Take('(')) {
    const size_t inside = reader.at();
    const std::string word = Upper(reader.Word());
    reader.GoTo(inside);
    if (word == "SELECT" || word == "VALUES" || word == "WITH") {
      reader.GoTo(before);
    } else {
      ARROW_ASSIGN_OR_RAISE(insert.columns, reader.Identifiers(','));
      if (!reader.Take(')')) return reader.Wrong("')'");
    }
  }
  insert.query = reader.Rest();
  if (insert.query.empty()) return reader.Wrong("VALUES or SELECT");
  return insert;
}

// Copies the text, and looks at each value between commas and parentheses of the first level.
std::string WithTypedParameters(const std::string& query, const std::vector<std::string>& types) {
  if (FirstWord(query) != "VALUES") return query;
  std::string out, value;
  size_t column = 0;
  int depth = 0;
  const auto is_parameter = [&](std::string_view text) {
    if (text == "?") return true;
    return text.size() > 1 && text[0] == '$' &&
           text.find_first_not_of("0123456789", 1) == std::string_view::npos;
  };
  const auto end_value = [&] {
    const size_t first = value.find_first_not_of(" \t\r\n");
    const std::string trimmed =
        first == std::string::npos
            ? ""
            : value.substr(first, value.find_last_not_of(" \t\r\n") - first + 1);
    const bool typed = is_parameter(trimmed) && column < types.size();
    out += typed ? "CAST(" + trimmed + " AS " + types[column] + ")" : value;
    value.clear();
    ++column;
  };
  for (size_t i = 0; i < query.size(); ++i) {
    const char c = query[i];
    std::string& to = depth == 0 ? out : value;
    const std::string_view rest = std::string_view(query).substr(i);
    size_t end = std::string::npos;  // of what is copied as it is
    if (c == '\'' || c == '"') end = query.find(c, i + 1);
    if (rest.starts_with("--")) end = query.find('\n', i);
    if (rest.starts_with("/*")) {
      end = query.find("*/", i + 2);
      if (end != std::string::npos) ++end;
    }
    const bool copies = c == '\'' || c == '"' || rest.starts_with("--") || rest.starts_with("/*");
    if (copies) {
      end = std::min(end, query.size() - 1);
      to += query.substr(i, end - i + 1);
      i = end;
    } else if (c == '(' && depth++ == 0) {
      out += c;
      column = 0;
    } else if (c == ')' && --depth == 0) {
      end_value();
      out += c;
    } else if (c == ',' && depth == 1) {
      end_value();
      out += c;
    } else {
      to += c;
    }
  }
  return out + value;
}

}  // namespace arka::flight_sql
