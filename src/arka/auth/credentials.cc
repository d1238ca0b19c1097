#include "arka/auth/credentials.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "arka/auth/token_hash.h"

namespace arka::auth {
namespace {

constexpr size_t kMaxNameSize = 256;

// Printable: a name goes into messages and logs.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameSize &&
         std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Result<Credentials> Read(const YAML::Node& root) {
    ARROW_RETURN_NOT_OK(CheckKeys(root, "the file", {"users", "grants"}));
    if (const YAML::Node users = root["users"]; users && !users.IsNull()) {
      ARROW_RETURN_NOT_OK(ReadUsers(users));
    }
    std::vector<Grant> grants;
    if (const YAML::Node list = root["grants"]; list && !list.IsNull()) {
      if (!list.IsSequence()) return Refuse(list, "'grants' is no list");
      for (const YAML::Node& node : list) {
        ARROW_ASSIGN_OR_RAISE(grants.emplace_back(), ReadGrant(node));
      }
    }
    credentials_.grants = std::make_shared<const Grants>(std::move(grants));
    return std::move(credentials_);
  }

  template <typename... Why>
  Status Refuse(const YAML::Node& node, Why&&... why) const {
    return Error(ErrorCode::kInvalidRequest, file_, ":", std::max(node.Mark().line, 0) + 1, ": ",
                 std::forward<Why>(why)...);
  }

 private:
  Status CheckKeys(const YAML::Node& map, const std::string& what,
                   const std::vector<std::string_view>& known) const {
    std::string names;
    for (const auto name : known) names += (names.empty() ? "'" : ", '") + std::string(name) + "'";
    if (!map.IsMap()) return Refuse(map, what, " is no map with the keys ", names);
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (std::ranges::find(known, key) == known.end()) {
        return Refuse(entry.first, what, " has an unknown key; expected ", names);
      }
      if (!seen.insert(key).second) return Refuse(entry.first, what, " has '", key, "' twice");
    }
    return Status::OK();
  }

  Status ReadUsers(const YAML::Node& users) {
    if (!users.IsMap()) return Refuse(users, "'users' is no map of names");
    std::set<std::string> names;
    for (const auto& entry : users) {
      if (!entry.first.IsScalar() || !IsName(entry.first.Scalar())) {
        return Refuse(entry.first, "a user's name has 1 to ", kMaxNameSize,
                      " characters, none of them a control character");
      }
      const std::string& name = entry.first.Scalar();
      if (!names.insert(name).second)
        return Refuse(entry.first, "user '", name, "' is there twice");
      ARROW_RETURN_NOT_OK(ReadUser(name, entry.second));
    }
    return Status::OK();
  }

  Status ReadUser(const std::string& name, const YAML::Node& user) {
    const std::string what = "user '" + name + "'";
    ARROW_RETURN_NOT_OK(CheckKeys(user, what, {"password", "tokens"}));
    const YAML::Node password = user["password"], tokens = user["tokens"];
    if (!password && !tokens) return Refuse(user, what, " has neither 'password' nor 'tokens'");
    if (password) {
      if (name.find(':') != std::string::npos) {
        return Refuse(user, what, ": a name with ':' cannot log in with a password");
      }
      auto hash = password.IsScalar()
                      ? PasswordHash::Parse(password.Scalar())
                      : Result<PasswordHash>(Error(ErrorCode::kInvalidRequest, "is no text"));
      if (!hash.ok()) return Refuse(password, what, ": 'password' ", hash.status().message());
      credentials_.passwords.emplace(name, *std::move(hash));
    }
    if (!tokens) return Status::OK();
    if (!tokens.IsSequence()) return Refuse(tokens, what, ": 'tokens' is no list");
    for (const YAML::Node& token : tokens) {
      if (!token.IsScalar() || !IsTokenHash(token.Scalar())) {
        return Refuse(token, what,
                      ": a token is no 'sha256$' with 64 hexadecimal digits, as `arka hash-token` "
                      "prints it");
      }
      const auto [other, is_new] = credentials_.token_users.emplace(token.Scalar(), name);
      if (!is_new) return Refuse(token, what, ": '", other->second, "' has the same token");
    }
    return Status::OK();
  }

  Result<Grant> ReadGrant(const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(CheckKeys(node, "a grant", {"principals", "tables", "rights"}));
    Grant grant;
    ARROW_ASSIGN_OR_RAISE(grant.principals, ReadTexts(node, "principals"));
    ARROW_ASSIGN_OR_RAISE(grant.tables, ReadTexts(node, "tables"));
    ARROW_ASSIGN_OR_RAISE(const auto names, ReadTexts(node, "rights"));
    for (const std::string& name : names) {
      const auto* right = std::ranges::find(kRights, name, RightName);
      if (right == kRights.end()) {
        return Refuse(node["rights"], "a grant's right is '", name,
                      "'; expected read, write or admin");
      }
      grant.rights.push_back(*right);
    }
    return grant;
  }

  Result<std::vector<std::string>> ReadTexts(const YAML::Node& grant, const char* key) const {
    const YAML::Node list = grant[key];
    if (!list || !list.IsSequence() || list.size() == 0) {
      return Refuse(list ? list : grant, "a grant's '", key, "' is no list of at least one text");
    }
    std::vector<std::string> texts;
    for (const YAML::Node& item : list) {
      if (!item.IsScalar() || !IsName(item.Scalar())) {
        return Refuse(item, "a grant's '", key, "' has an entry that is no text");
      }
      texts.push_back(item.Scalar());
    }
    return texts;
  }

  const std::string& file_;
  Credentials credentials_;
};

}  // namespace

Result<Credentials> ParseCredentials(const std::string& yaml, const std::string& name) {
  Reader reader(name);
  try {
    return reader.Read(YAML::Load(yaml));
  } catch (const YAML::Exception& error) {  // yaml-cpp has no other way to fail
    return Error(ErrorCode::kInvalidRequest, name, ":", error.mark.line + 1, ": ", error.msg);
  }
}

}  // namespace arka::auth
