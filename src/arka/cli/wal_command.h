// `arka wal verify` and `arka wal repair`: what to do where a start refuses its log.
//
// Both take the data directory's lock, so they refuse where a server runs. The work is the log's
// (wal/log_verifier.h, wal/log_repair.h); here are the words and the exit codes.
#pragma once

#include <string>

namespace arka::cli {

struct WalArguments {
  std::string data_dir;
  bool json = false;
  bool dry_run = false;
  bool yes_lose_data = false;
};

inline constexpr int kExitDamage = 1;  // or an error that is not the caller's
inline constexpr int kExitUsage = 2;   // no such directory, or a server has it open

/// Reads the whole log and says how every segment is; changes nothing. 0: a start takes this log.
int WalVerify(const WalArguments& arguments);

/// Says what a repair would keep and lose and, with consent, repairs. 0: a start takes the log now.
int WalRepair(const WalArguments& arguments);

}  // namespace arka::cli
