#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/levain-load/commands.hpp"
#include "apps/load/html_report.hpp"
#include "apps/load/load_text.hpp"
#include "apps/load/load_words.hpp"
#include "apps/load/run_load.hpp"
#include "apps/program/signal_watch.hpp"
#include "apps/terminal/progress_line.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"

namespace levain::load {

namespace {

std::string progress_more(const load_progress& now) {
  return fmt::format(
    ", now {:.0f} a second, {} in flight, {} refused, {} errors{}", now.runs_per_s, now.in_flight, now.refused,
    now.errors, now.draining ? ", waiting for the rest" : "");
}

loaded load_here(const load_words& words, const load_watch& watch) {
  std::unique_ptr<embedded_postgres> own;
  auto url = words.database;
  auto node = words.node;
  if (!words.embedded.empty()) {
    own = embedded_postgres::start({.directory = words.embedded});
    url = own->url();
    // Whoever holds the directory is alone on its database.
    node.sole = true;
  }
  if (!words.no_migrate)
    migrate_up(url);
  return load_node(words.load, node, url, watch);
}

exit_status run(const command_line& line, load_words& words) {
  finish_words(words);
  signal_watch signals;
  terminal::progress_line progress("runs");
  const load_watch watch{
    [&](const load_progress& now) { progress.show(now.ended, now.total, progress_more(now)); },
    [&] { return signals.asked(); }};
  const auto done = words.daemons.urls.empty() ? load_here(words, watch)
                                               : load_daemons(words.load, words.daemons, words.database, watch);
  progress.clear();
  const auto document = to_json(done.result).dump(2) + '\n';
  if (!words.out.empty()) {
    std::ofstream out(words.out);
    out << document;
    out.close();
    if (!out)
      throw command_failed(exit_status::failed, fmt::format("cannot write the result to {}", words.out));
  }
  if (!words.report.empty())
    write_html_report(words.report, {{"load", done.result}});
  terminal::print(line.json ? document : load_text(done.result, done.complaints, line.out));
  if (!done.result.proven())
    return exit_status::failed;
  const auto failed = done.result.failed();
  if (failed == 0 || words.load.may_fail)
    return exit_status::done;
  throw command_failed(
    exit_status::failed,
    fmt::format(
      "{} of {} {} did not end well{}; give --may-fail where that is meant", failed, done.result.runs,
      done.result.runs == 1 ? "run" : "runs", done.failure.empty() ? "" : ", one of them: " + done.failure));
}

} // namespace

void add_run_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<load_words>();
  auto* command = app.add_subcommand("run", "Load an engine; what is done when no command is named");
  add_load_options(*command, *words);
  command->add_flag("--json", line.json, "Print JSON");
  command->callback([&line, words] { line.chosen = [&line, words] { return run(line, *words); }; });
}

} // namespace levain::load
