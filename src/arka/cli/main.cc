// The `arka` program: one verb a command, each in a file of its own.
#include <iostream>

#include <CLI/CLI.hpp>

#include "arka/cli/hash_command.h"
#include "arka/cli/serve_command.h"
#include "arka/cli/wal_command.h"
#include "arka/server/arka_server.h"

int main(int argc, char** argv) {
  CLI::App app{
      "Arka takes Arrow record batches over Arrow Flight, acknowledges how durable each write is,\n"
      "and lands the rows in Apache Iceberg tables."};
  app.require_subcommand(1);
  app.set_version_flag("--version", "arka " + std::string(arka::Version()));

  arka::cli::ServeArguments serve_arguments;
  CLI::App* serve = app.add_subcommand("serve", "Run the server until SIGTERM");
  serve->add_option("--config", serve_arguments.config_path,
                    "A YAML file; config/arka.example.yaml has every key with its default");
  serve->add_option("--set", serve_arguments.settings,
                    "key=value, over what the file says; may be given many times, e.g.\n"
                    "--set server.listen=localhost:0 --set durability.iceberg_commit_interval=5s");
  serve->add_flag(
      "--recover-from-object-store", serve_arguments.recover_from_object_store,
      "Where the data directory has no log (a new machine, a lost disk): get every\n"
      "write back that was acknowledged at OBJECT_STORAGE. Does nothing where the log is\n"
      "all there. The old server must be dead");
  serve
      ->add_option("--give-up-writes-of", serve_arguments.give_up_writes_of,
                   "The UUID of a table that was dropped while writes to it were not committed:\n"
                   "these writes are lost for good, and the log lets go of them. Does nothing\n"
                   "where the catalog has the table. May be given many times")
      ->take_all();
  serve->footer(
      "Without arguments the server listens on localhost:8815 and keeps everything under\n"
      "./arka-data. It prints one line when it takes writes. Every key can also be given as an\n"
      "environment variable: ARKA_SERVER__LISTEN for server.listen.");

  arka::cli::WalArguments wal_arguments;
  CLI::App* wal = app.add_subcommand("wal", "Look after a log that no server has open");
  wal->require_subcommand(1);
  CLI::App* verify = wal->add_subcommand(
      "verify", "Read the whole log and say how every segment is; changes nothing");
  CLI::App* repair = wal->add_subcommand(
      "repair", "Make a damaged log one that a start takes, from every record that is whole");
  for (CLI::App* command : {verify, repair}) {
    command->add_option("--data-dir", wal_arguments.data_dir, "The server's server.data_dir")
        ->required();
  }
  verify->add_flag("--json", wal_arguments.json, "The same as JSON");
  verify->footer("Exit code 0: a start takes this log; 1: damage; 2: no log there, or in use.");
  repair->add_flag("--dry-run", wal_arguments.dry_run, "Only say what would be kept and lost");
  repair->add_flag("--yes-lose-data", wal_arguments.yes_lose_data,
                   "Give up what --dry-run says is lost; the old files are kept aside");

  CLI::App* hash_password = app.add_subcommand(
      "hash-password", "Read a password, print its hash for the credentials file");
  arka::cli::HashTokenArguments hash_token_arguments;
  CLI::App* hash_token =
      app.add_subcommand("hash-token", "Read a token, print its hash for the credentials file");
  hash_token->add_flag("--generate", hash_token_arguments.generate,
                       "Make a new token and print both");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (*serve) return arka::cli::Serve(serve_arguments);
  if (*hash_password) return arka::cli::HashPassword();
  if (*hash_token) return arka::cli::HashToken(hash_token_arguments);
  if (*verify) return arka::cli::WalVerify(wal_arguments);
  if (*repair) return arka::cli::WalRepair(wal_arguments);
  return 0;
}
