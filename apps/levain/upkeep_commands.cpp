#include <memory>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"
#include "apps/levain/used_database.hpp"
#include "apps/terminal/paint.hpp"
#include "apps/terminal/progress_line.hpp"
#include "apps/terminal/table.hpp"
#include "persistence/retention.hpp"
#include "persistence/schema_analytics.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

std::pair<const char*, ink> state_text(json_index::state_type state) {
  switch (state) {
  case json_index::state_type::present:
    return {"present", ink::good};
  case json_index::state_type::invalid:
    return {"invalid", ink::bad};
  case json_index::state_type::missing:
    break;
  }
  return {"missing", ink::quiet};
}

exit_status list_indexes(const command_line& line) {
  const used_database database(line, used_database::when_missing::refuse);
  require_schema(database.url());
  auto document = ordered_json::array();
  terminal::table table({"INDEX", "COLUMN", "STATE", "BYTES"});
  for (const auto& each : list_json_indexes(database.url())) {
    const auto [state, kind] = state_text(each.state);
    table.add({{each.name, ink::strong}, {each.column}, {state, kind}, {std::to_string(each.bytes)}});
    document.push_back({{"name", each.name}, {"column", each.column}, {"state", state}, {"bytes", each.bytes}});
  }
  answer(line, {{"indexes", std::move(document)}}, table.text(line.out.look));
  return exit_status::done;
}

/// Names of what was changed, a line each.
void tell_names(const command_line& line, const char* done, const std::vector<std::string>& names, const char* none) {
  std::string text;
  for (const auto& each : names)
    text += fmt::format("{} {}\n", done, each);
  answer(line, {{done, names}}, text.empty() ? none : text);
}

exit_status create_indexes(const command_line& line) {
  const used_database database(line, used_database::when_missing::refuse);
  require_schema(database.url());
  tell_names(line, "created", create_json_indexes(database.url()), "all of them are there\n");
  return exit_status::done;
}

exit_status drop_indexes(const command_line& line) {
  const used_database database(line, used_database::when_missing::refuse);
  require_schema(database.url());
  tell_names(line, "dropped", drop_json_indexes(database.url()), "none of them is there\n");
  return exit_status::done;
}

struct retention_words {
  std::string older_than;
  int64_t batch = retention_batch_default;
  bool dry_run = false;
};

retention_options options_of(const retention_words& words) {
  const auto before = moment_from("--older-than", words.older_than);
  const auto latest = now_utc() - retention_age_min;
  if (before > latest)
    throw command_failed(
      exit_status::wrong_command_line, fmt::format(
                                         "--older-than is '{}': must be at least {}h ago; runs that ended later stay",
                                         words.older_than, retention_age_min.count()));
  return {.before = before, .batch_runs_max = words.batch, .dry_run = words.dry_run};
}

exit_status delete_old_runs(const command_line& line, const retention_words& words) {
  const auto options = options_of(words);
  const used_database database(line, used_database::when_missing::refuse);
  require_schema(database.url());
  terminal::progress_line progress("runs");
  const auto report = delete_ended_runs(database.url(), options, [&](int64_t runs) { progress.show(runs, 0, ""); });
  progress.clear();
  const auto number = [](int64_t count, const char* what) {
    return terminal::counted(static_cast<uint64_t>(count), what);
  };
  auto text = fmt::format(
    "{} {} that ended before {}", options.dry_run ? "would delete" : "deleted", number(report.runs, "run"),
    terminal::moment_text(options.before));
  if (!options.dry_run)
    text += fmt::format(", with {} and {}", number(report.events, "event"), number(report.start_keys, "start key"));
  text += '\n';
  if (report.kept_for_attention > 0)
    text += fmt::format(
      "{} as old {}: levain attention --all-tenants\n", number(report.kept_for_attention, "run"),
      report.kept_for_attention == 1 ? "needs attention and stays" : "need attention and stay");
  for (const auto& each : report.partitions)
    text += fmt::format("dropped the empty partition {}\n", each);
  if (!report.partitions_refused.empty())
    text += fmt::format("empty partitions stay for the next time: {}\n", terminal::harmless(report.partitions_refused));
  answer(
    line,
    {{"dry_run", options.dry_run},
     {"before", to_rfc3339(options.before)},
     {"runs", report.runs},
     {"events", report.events},
     {"start_keys", report.start_keys},
     {"kept_for_attention", report.kept_for_attention},
     {"partitions", report.partitions},
     {"partitions_refused",
      report.partitions_refused.empty() ? ordered_json() : ordered_json(report.partitions_refused)}},
    text);
  return exit_status::done;
}

} // namespace

void add_upkeep_commands(CLI::App& app, command_line& line) {
  auto* indexes = app.add_subcommand("indexes", "List, create and drop the optional indexes on the JSON columns");
  indexes->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, exit_status (*work)(const command_line&)) {
    auto* command = indexes->add_subcommand(name, what);
    add_database_options(*command, line);
    command->callback([&line, work] { line.chosen = [&line, work] { return work(line); }; });
  };
  add("list", "List the optional indexes, and which of them are there", list_indexes);
  add("create", "Create those that are missing, beside running daemons", create_indexes);
  add("drop", "Drop them, beside running daemons", drop_indexes);

  auto words = std::make_shared<retention_words>();
  auto* retention = app.add_subcommand("retention", "Delete runs that ended long ago, with their journals");
  retention->add_option("--older-than", words->older_than, "Ended before: a time, a day, or how long ago (90d)")
    ->required();
  retention->add_option("--batch", words->batch, "Runs that one transaction deletes")
    ->check(CLI::Range(int64_t{1}, retention_batch_max))
    ->capture_default_str();
  retention->add_flag("--dry-run", words->dry_run, "Only count them");
  add_database_options(*retention, line);
  retention->callback([&line, words] { line.chosen = [&line, words] { return delete_old_runs(line, *words); }; });
}

} // namespace levain
