// What the credentials file says: users with their passwords and tokens, as hashes, and grants.
//
//   users:
//     alice:
//       password: scrypt$32768$8$3$…     # arka hash-password
//     ingest:
//       tokens: [sha256$…]               # arka hash-token
//   grants:
//     - principals: [alice, "svc-*"]     # users, subjects of JWTs and of client certificates
//       tables: ["sales.*"]
//       rights: [read, write]
//
// A plain value; docs/guide/security.md is its reference.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "arka/auth/grants.h"
#include "arka/auth/password_hash.h"
#include "arka/base/error.h"

namespace arka::auth {

struct Credentials {
  std::map<std::string, PasswordHash, std::less<>> passwords;   // by user
  std::map<std::string, std::string, std::less<>> token_users;  // user by token hash
  std::shared_ptr<const Grants> grants;
};

/// kInvalidRequest as "name:line: what is wrong, what was expected"; secrets are not repeated.
Result<Credentials> ParseCredentials(const std::string& yaml, const std::string& name);

}  // namespace arka::auth
