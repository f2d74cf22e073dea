// The operator's command line: parses, wires, ends with one of four statuses.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/client/exit_status.hpp"
#include "apps/levain/demo.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/journal.hpp"

namespace {

using levain::exit_status;

int end_with(exit_status status, const std::string& sentence) {
  std::cerr << fmt::format("levain: {}\n", sentence);
  return static_cast<int>(status);
}

void set_up_log(const std::string& level) {
  // Standard output belongs to the answer.
  auto log = spdlog::stderr_color_mt("levain");
  log->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(log));
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("The operator's command line of Levain.", "levain");
  app.set_version_flag("--version", LEVAIN_VERSION);
  app.require_subcommand(1);
  exit_status status = exit_status::done;

  levain::demo_options demo;
  auto* command = app.add_subcommand("demo", "Three bakeries, three endings, on a private PostgreSQL");
  command->add_option("--directory", demo.directory, "Keep everything here instead of in a temporary directory");
  command->add_flag("--keep", demo.keep, "Leave the temporary directory");
  command->add_flag("--json", demo.json, "Print JSON");
  command->callback([&] { status = levain::run_demo(demo, levain::terminal::screen::standard_output()); });

  set_up_log("error");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : static_cast<int>(exit_status::wrong_command_line);
  } catch (const levain::command_failed& failed) {
    return end_with(failed.status(), failed.what());
  } catch (const levain::embedded_postgres_error& failed) {
    return end_with(exit_status::service_missing, failed.what());
  } catch (const levain::journal_unavailable& failed) {
    return end_with(exit_status::service_missing, std::string("the database cannot be asked: ") + failed.what());
  } catch (const std::exception& failed) {
    return end_with(exit_status::failed, failed.what());
  }
  return static_cast<int>(status);
}
