// Who may do what with which tables: a list of grants, each for names of principals and of tables.
//
// A name is as the operator wrote it, or a pattern with '*' and '?' (base/glob.h). What no grant
// allows is not allowed; no right contains another. A plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arka/auth/right.h"

namespace arka::auth {

struct Grant {
  std::vector<std::string> principals;
  std::vector<std::string> tables;  // "sales.orders", "sales.*"
  std::vector<Right> rights;
};

class Grants {
 public:
  explicit Grants(std::vector<Grant> grants) : grants_(std::move(grants)) {}

  bool Allow(std::string_view principal, Right right, std::string_view table) const;
  /// On every table there is and will be: by the pattern "*".
  bool AllowOnAll(std::string_view principal, Right right) const;

 private:
  std::vector<Grant> grants_;
};

}  // namespace arka::auth
