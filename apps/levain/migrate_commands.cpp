#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"
#include "apps/levain/used_database.hpp"
#include "apps/terminal/table.hpp"
#include "persistence/adopted_runs.hpp"
#include "persistence/adoption_notice.hpp"
#include "persistence/migrator.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

exit_status migrate(const command_line& line, bool dry_run, const std::string& old_times_in) {
  const used_database database(line, used_database::when_missing::make);
  const auto report = migrate_up(database.url(), dry_run, old_times_in);
  std::string text;
  for (const auto& each : report.done)
    text += each + '\n';
  if (report.up_to_date)
    text += "the schema is up to date\n";
  for (const auto& each : report.noticed)
    text += line.out.look(ink::warning, each) + '\n';
  answer(
    line, {{"dry_run", dry_run}, {"up_to_date", report.up_to_date}, {"done", report.done}, {"noticed", report.noticed}},
    text);
  return exit_status::done;
}

std::pair<const char*, ink> state_text(migration_status::state_type state) {
  switch (state) {
  case migration_status::state_type::applied:
    return {"applied", ink::good};
  case migration_status::state_type::adopted:
    return {"adopted", ink::good};
  case migration_status::state_type::pending:
    return {"pending", ink::warning};
  case migration_status::state_type::edited:
    return {"edited", ink::bad};
  case migration_status::state_type::unknown:
    break;
  }
  return {"unknown", ink::bad};
}

exit_status show_migrations(const command_line& line) {
  const used_database database(line, used_database::when_missing::refuse);
  auto document = ordered_json::array();
  terminal::table table({"MIGRATION", "STATE", "APPLIED"});
  bool current = true;
  for (const auto& each : migration_statuses(database.url())) {
    const auto [state, kind] = state_text(each.state);
    const bool there = kind == ink::good;
    current = current && there;
    table.add({{each.name, ink::strong}, {state, kind}, {there ? terminal::moment_text(each.applied_at) : ""}});
    document.push_back({
      {"name", each.name},
      {"state", state},
      {"applied_at", there ? ordered_json(to_rfc3339(each.applied_at)) : ordered_json()},
      {"checksum", each.checksum},
    });
  }
  const auto notice = current ? std::string() : adoption_notice(database.url());
  answer(
    line,
    {{"up_to_date", current},
     {"migrations", std::move(document)},
     {"adoption", notice.empty() ? ordered_json() : ordered_json(notice)}},
    table.text(line.out.look) + (notice.empty() ? "" : terminal::harmless(notice) + '\n'));
  return current ? exit_status::done : exit_status::failed;
}

exit_status compare_schema(const command_line& line) {
  const used_database database(line, used_database::when_missing::refuse);
  const auto differences = verify_schema(database.url());
  std::string text;
  for (const auto& each : differences)
    text += line.out.look(ink::bad, terminal::harmless(each)) + '\n';
  answer(line, {{"differences", differences}}, text.empty() ? "the schema is what the migrations make\n" : text);
  return differences.empty() ? exit_status::done : exit_status::failed;
}

exit_status close_adopted(const command_line& line, const std::string& older_than, bool dry_run) {
  std::optional<timestamp> before;
  if (!older_than.empty())
    before = moment_from("--older-than", older_than);
  const used_database database(line, used_database::when_missing::refuse);
  const auto closing = close_adopted_runs(database.url(), before, dry_run);
  answer(
    line,
    {{"dry_run", dry_run},
     {"adopted_at", to_rfc3339(closing.adopted_at)},
     {"pending", closing.pending},
     {"running", closing.running}},
    fmt::format(
      "{} {} pending and {} running of before {}\n", dry_run ? "would close" : "closed as cancelled", closing.pending,
      closing.running, terminal::moment_text(before ? std::min(*before, closing.adopted_at) : closing.adopted_at)));
  return exit_status::done;
}

} // namespace

void add_migrate_commands(CLI::App& app, command_line& line) {
  auto* command = app.add_subcommand("migrate", "Brings a database to this program's schema, and compares");
  command->require_subcommand(1);

  auto dry_run = std::make_shared<bool>(false);
  auto old_times_in = std::make_shared<std::string>();
  auto* up = command->add_subcommand("up", "Apply what is missing; adopts a bakery's older database");
  up->add_flag("--dry-run", *dry_run, "Only say what would be done");
  up->add_option(
    "--old-times-in", *old_times_in, "The zone in which an adopted table's times were written, such as Europe/Berlin");
  add_database_options(*up, line);
  up->callback([&line, dry_run, old_times_in] {
    line.chosen = [&line, dry_run, old_times_in] { return migrate(line, *dry_run, *old_times_in); };
  });

  auto* status = command->add_subcommand("status", "List the migrations; fails when the database is not up to date");
  add_database_options(*status, line);
  status->callback([&line] { line.chosen = [&line] { return show_migrations(line); }; });

  auto* verify = command->add_subcommand("verify", "Compare the database with what the migrations make");
  add_database_options(*verify, line);
  verify->callback([&line] { line.chosen = [&line] { return compare_schema(line); }; });

  auto close_dry_run = std::make_shared<bool>(false);
  auto older_than = std::make_shared<std::string>();
  auto* close =
    command->add_subcommand("close-adopted", "Close the runs that were not ended when the table was adopted");
  close->add_option("--older-than", *older_than, "Only runs that started before: a time, a day, or how long ago (90d)");
  close->add_flag("--dry-run", *close_dry_run, "Only say what would be done");
  add_database_options(*close, line);
  close->callback([&line, close_dry_run, older_than] {
    line.chosen = [&line, close_dry_run, older_than] { return close_adopted(line, *older_than, *close_dry_run); };
  });
}

} // namespace levain
