// `arka hash-password` and `arka hash-token`: what goes into the credentials file.
#pragma once

namespace arka::cli {

struct HashTokenArguments {
  bool generate = false;  // a new token, which is printed as well
};

/// Reads a password, one line, from the standard input and prints its hash. Answers the exit code:
/// 0, or 2 where there is no password.
int HashPassword();

/// The same for a token.
int HashToken(const HashTokenArguments& arguments);

}  // namespace arka::cli
