// What happened in one simulated life, as one number: two lives with the same trace were the same.
//
// Prints every line to standard error where the environment has ARKA_SIMULATION_TRACE. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

namespace arka::simulation {

class Trace {
 public:
  template <typename... Parts>
  void Note(const Parts&... parts) {
    std::ostringstream made;
    (made << ... << parts);
    const std::string line = std::move(made).str();
    for (const char c : line) hash_ = (hash_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    hash_ = (hash_ ^ '\n') * 0x100000001b3;
    if (prints_) std::cerr << line << '\n';
  }

  uint64_t hash() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
  const bool prints_ = std::getenv("ARKA_SIMULATION_TRACE") != nullptr;
};

}  // namespace arka::simulation
