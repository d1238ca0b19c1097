// The list of all configuration keys: the one place where a key is named.
//
// The file, the environment, --set, the example file and the reference all go by it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/server/config.h"

namespace arka {

struct ConfigKey {
  std::string name;     // "write_buffer.flush_interval"
  std::string type;     // for people: "size, 1MB to 16GB"
  std::string comment;  // what it does, one sentence or two
  /// Parses and stores a value; kInvalidRequest where it is not one of `type`.
  std::function<Status(Config&, std::string_view)> set;
  /// The value as it would be written; for a secret "" or "***".
  std::function<std::string(const Config&)> get;
  /// Where the default depends on other keys, how: "file://<data_dir>/objects".
  std::string derived_default = {};

  /// The default as the reference shows it.
  std::string DefaultText() const;
};

/// In the order of the reference, sections together.
const std::vector<ConfigKey>& ConfigKeys();

/// The key with exactly that name, or null.
const ConfigKey* FindConfigKey(std::string_view name);

/// What a section is about, "" where there is no such section.
std::string_view ConfigSectionComment(std::string_view section);

/// "server" for "server.tls.cert".
std::string_view ConfigSectionOf(std::string_view key_name);

/// "ARKA_SERVER__TLS__CERT" for "server.tls.cert".
std::string EnvironmentNameOf(std::string_view key_name);

}  // namespace arka
