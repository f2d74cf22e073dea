// The bakery's five services over HTTP, on sample data that the program carries.
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "actors/worker/ending_signals.hpp"
#include "apps/bakery/bakery_service.hpp"
#include "apps/program/init_process.hpp"

namespace {

/// What the command line says beyond the service's own options.
struct command_line {
  levain::bakery_options options;
  std::vector<std::string> fail;
  std::vector<std::string> slow;
};

void declare(CLI::App& app, command_line& line) {
  app.add_option("--state", line.options.state_dir, "Folder for documents, outbox, board and ledger")->required();
  app.add_option(
    "--ledger", line.options.ledger_file, "File for the ledger of calls instead of ledger.jsonl in --state");
  app.add_option("--host", line.options.host, "Loopback address to listen on")->capture_default_str();
  app.add_option("--port", line.options.port, "Port to listen on; 0 lets the system choose")->capture_default_str();
  app.add_option(
    "--fail", line.fail, "SERVICE[:RATE|:always][@TENANT]: answer 503 instead of working; may be repeated");
  app.add_option("--slow", line.slow, "SERVICE:MS[@TENANT]: wait before working; may be repeated");
  app.set_version_flag("--version", std::string("levain-bakery ") + LEVAIN_VERSION);
}

/// Blocks the signals that end the program, so that every thread leaves them to `wait_for_signal`.
sigset_t hold_signals() {
  const auto ending = levain::ending_signals();
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  return ending;
}

} // namespace

int main(int argc, char** argv) {
  levain::begin_below_init();
  command_line line;
  CLI::App app("Serves forecasting, production, procurement, notifications and insights for the sample's bakeries.");
  declare(app, line);
  try {
    app.parse(argc, argv);
    for (const auto& option : line.fail)
      levain::bakery::add_fail_option(line.options.faults, option);
    for (const auto& option : line.slow)
      levain::bakery::add_slow_option(line.options.faults, option);
  } catch (const CLI::ParseError& wrong) {
    if (wrong.get_exit_code() == 0)
      return app.exit(wrong);
    std::cerr << fmt::format("levain-bakery: {}\nSee levain-bakery --help.\n", wrong.what());
    return 2;
  } catch (const std::invalid_argument& wrong) {
    std::cerr << fmt::format("levain-bakery: {}\n", wrong.what());
    return 2;
  }
  const auto ending = hold_signals();
  // A client or a reader that went away is an error of that one write.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    levain::bakery_service service(std::move(line.options));
    std::cout << service.url() << std::endl;
    int signal = 0;
    sigwait(&ending, &signal);
    // A second one ends the program at once.
    pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
    service.stop();
  } catch (const std::exception& wrong) {
    std::cerr << fmt::format("levain-bakery: {}\n", wrong.what());
    return 1;
  }
  return 0;
}
