// Credentials for tests: cheap hashes, and a file that can be changed.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "arka/auth/credentials_file.h"
#include "arka/auth/token_hash.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"

namespace arka::auth {

inline constexpr char kPassword[] = "open sesame";
/// Of kPassword, by N = 16.
inline constexpr char kPasswordHash[] =
    "scrypt$16$1$1$c2FsdHNhbHRzYWx0c2FsdA$KCbpYL+ggOD65hk19dzKMWuqXrOBeveJSDsgnsTCGLw";
inline constexpr char kToken[] = "a-token-of-more-than-20-characters";

/// alice has the password, ingest the token; both may write to sales.*.
inline std::string SampleCredentials() {
  return std::string("users:\n  alice:\n    password: ") + kPasswordHash +
         "\n  ingest:\n    tokens: [" + TokenHashOf(kToken) +
         "]\ngrants:\n  - principals: [alice, ingest]\n    tables: [\"sales.*\"]\n"
         "    rights: [write]\n";
}

struct CredentialsFixture {
  CredentialsFixture() { Write(SampleCredentials()); }

  void Write(const std::string& text) {
    if (fs.Exists("/credentials").ValueOrDie()) {
      EXPECT_TRUE(fs.Remove("/credentials").ok());
    }
    const auto file = fs.Open("/credentials", OpenMode::kCreateNew).ValueOrDie();
    const ByteSpan bytes = std::as_bytes(std::span(text));
    EXPECT_TRUE(file->Write(0, std::span(&bytes, 1)).ok());
  }
  std::unique_ptr<CredentialsFile> Open() {
    return CredentialsFile::Open(fs, "/credentials").ValueOrDie();
  }

  MemoryFs fs;
};

}  // namespace arka::auth
