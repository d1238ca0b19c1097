#include "arka/cli/hash_command.h"

#include <iostream>
#include <string>

#include <termios.h>
#include <unistd.h>

#include "arka/auth/password_hash.h"
#include "arka/auth/token_hash.h"
#include "arka/cli/serve_command.h"

namespace arka::cli {
namespace {

/// While it lives, a terminal does not show what is typed.
class HiddenInput {
 public:
  explicit HiddenInput(const char* prompt) : on_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!on_terminal_) return;
    std::cerr << prompt << ": " << std::flush;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
  }
  ~HiddenInput() {
    if (!on_terminal_) return;
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    std::cerr << "\n";
  }

 private:
  termios before_{};
  const bool on_terminal_;
};

std::string ReadSecret(const char* prompt) {
  const HiddenInput hidden(prompt);
  std::string line;
  std::getline(std::cin, line);
  return line;
}

int Print(const Result<std::string>& hash) {
  if (!hash.ok()) {
    std::cerr << "arka: " << hash.status().message() << "\n";
    return kExitMendFirst;
  }
  std::cout << *hash << "\n";
  return 0;
}

}  // namespace

int HashPassword() {
  const auto hash = auth::PasswordHash::Of(ReadSecret("password"));
  return Print(hash.ok() ? Result<std::string>(hash->ToString()) : hash.status());
}

int HashToken(const HashTokenArguments& arguments) {
  if (!arguments.generate) return Print(auth::HashToken(ReadSecret("token")));
  const std::string token = auth::NewToken();
  std::cout << "token: " << token << "\nhash:  ";
  return Print(auth::HashToken(token));
}

}  // namespace arka::cli
