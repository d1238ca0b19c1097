// A YAML file as a flat list of keys and texts.
#pragma once

#include <string>
#include <vector>

#include "arka/base/error.h"

namespace arka {

struct ConfigFileEntry {
  std::string key;    // "write_buffer.flush_interval"
  std::string value;  // as written
  int line = 0;       // from 1
};

/// What `yaml` says, in its order. Sections may be nested or dotted, or both. kInvalidRequest, with
/// "<name>:<line>: ", for what is no YAML, lists, keys without a value and keys given twice.
Result<std::vector<ConfigFileEntry>> ParseConfigFile(const std::string& yaml,
                                                     const std::string& name);

}  // namespace arka
