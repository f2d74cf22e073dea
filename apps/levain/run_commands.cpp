#include <memory>

#include <fmt/format.h>

#include "actors/workflow/parse_definition.hpp"
#include "apps/levain/commands.hpp"
#include "apps/levain/event_text.hpp"
#include "apps/levain/watched_run.hpp"
#include "apps/terminal/json_text.hpp"
#include "apps/terminal/run_text.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

/// The audit columns of a run's view, which has more in it.
ordered_json audit_columns_of(ordered_json view) {
  view.erase("steps");
  view.erase("progress");
  view.erase("activity");
  view.erase("unreadable");
  return view;
}

exit_status show_run(const command_line& line, const std::string& run, bool audit) {
  watched_run watched(line, run);
  watched.look();
  if (line.json) {
    auto view = watched.view();
    if (const auto times = watched.times())
      view["timeline"] = terminal::timeline_json(*times);
    terminal::print(terminal::json_text(view, line.out.live));
    return exit_status::done;
  }
  terminal::print(watched.text());
  if (audit)
    terminal::print(
      '\n' + terminal::audit_text({audit_columns_of(watched.view())}, {run}, line.out.look, line.out.width));
  return exit_status::done;
}

exit_status show_events(const command_line& line, const std::string& run) {
  auto client = client_of(line);
  const auto found = client.get(run_path(line, run) + "/events");
  std::string text;
  for (const auto& each : found.at("events"))
    text += event_line(each, line.out.look);
  answer(line, found, text.empty() ? "no events: the row is from another system, or its journal was dropped\n" : text);
  return exit_status::done;
}

exit_status explain_run(const command_line& line, const std::string& run) {
  auto client = client_of(line);
  const auto why = client.get(run_path(line, run) + "/explain");
  auto text = terminal::harmless(why.value("summary", "")) + '\n';
  for (const auto& wait : why.at("waits")) {
    text += fmt::format(
      "  {}  {}\n", line.out.look(ink::warning, terminal::padded(wait.value("kind", ""), 18)),
      terminal::harmless(wait.value("text", "")));
  }
  answer(line, why, text);
  return exit_status::done;
}

/// A command about one run.
CLI::App* add_run_command(
  CLI::App& app, command_line& line, const char* name, const char* what, const std::shared_ptr<std::string>& run) {
  auto* command = app.add_subcommand(name, what);
  command->add_option("RUN", *run, "Its id or its run number")->required();
  add_daemon_options(*command, line);
  add_run_options(*command, line);
  return command;
}

} // namespace

void add_run_commands(CLI::App& app, command_line& line) {
  auto run = std::make_shared<std::string>();
  auto* show = add_run_command(app, line, "show", "Show a run: its steps over time, and how it ended", run);
  auto audit = std::make_shared<bool>(false);
  show->add_flag("--audit", *audit, "Every column of its audit row that is filled, too");
  show->callback([&line, run, audit] { line.chosen = [&line, run, audit] { return show_run(line, *run, *audit); }; });

  auto* events = add_run_command(app, line, "events", "List the events of a run", run);
  events->callback([&line, run] { line.chosen = [&line, run] { return show_events(line, *run); }; });

  auto* explain = add_run_command(app, line, "explain", "Say what a run waits for, and why", run);
  explain->callback([&line, run] { line.chosen = [&line, run] { return explain_run(line, *run); }; });

  auto* watch = add_run_command(app, line, "watch", "Follow a run until it has ended; failed runs make it fail", run);
  auto interval = std::make_shared<std::string>(format_duration(watch_interval_default));
  auto patience = std::make_shared<std::string>(format_duration(watch_patience_default));
  watch->add_option("--interval", *interval, "Between two looks")->capture_default_str();
  watch->add_option("--patience", *patience, "How long to wait for a daemon that went away")->capture_default_str();
  watch->callback([&line, run, interval, patience] {
    line.chosen = [&line, run, interval, patience] {
      return watch_until_ended(
        line, *run, span_from("--interval", *interval, watch_interval_min, watch_interval_max),
        span_from("--patience", *patience, std::chrono::milliseconds(0), watch_patience_max));
    };
  });
}

} // namespace levain
