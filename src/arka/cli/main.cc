// The `arka` program: one verb a command, each in a file of its own.
#include <iostream>

#include <CLI/CLI.hpp>

#include "arka/cli/serve_command.h"
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
  serve->footer(
      "Without arguments the server listens on localhost:8815 and keeps everything under\n"
      "./arka-data. It prints one line when it takes writes. Every key can also be given as an\n"
      "environment variable: ARKA_SERVER__LISTEN for server.listen.");

  CLI11_PARSE(app, argc, argv);
  if (*serve) return arka::cli::Serve(serve_arguments);
  return 0;
}
