#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "actors/verification.hpp"
#include "apps/levain/commands.hpp"
#include "apps/levain/used_database.hpp"
#include "apps/levain/verify_text.hpp"
#include "apps/terminal/progress_line.hpp"
#include "persistence/postgres_definition_store.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// A page of a large table that nobody has looked at for long comes from the disk.
constexpr std::chrono::minutes statement_timeout{10};
/// Differences printed; all are counted.
constexpr size_t differences_shown_max = 1000;

struct verify_words {
  std::string run;
  std::string since;
  bool all = false;
  size_t jobs = verify_jobs_default();
};

/// The id of a run that is named by its id or its number.
run_id resolve_run(queries& remembered, const read_scope& scope, const std::string& name) {
  if (const auto id = uuid::parse(name))
    return {*id};
  const auto row = remembered.find_run_by_number(scope, name);
  if (!row)
    throw command_failed(exit_status::failed, fmt::format("there is no run '{}' in what was to be verified", name));
  return row->id;
}

verify_scope scope_of(const command_line& line, const verify_words& words, queries& remembered) {
  verify_scope scope{operator_scope{}};
  if (!words.all) {
    if (line.tenant.empty())
      throw command_failed(
        exit_status::wrong_command_line,
        "whose runs? Give --tenant a UUID (or set LEVAIN_TENANT), or say --all for every tenant's");
    scope.scope = tenant_of(line);
  }
  if (!words.since.empty())
    scope.since = moment_from("--since", words.since);
  if (!words.run.empty())
    scope.run = resolve_run(remembered, scope.scope, words.run);
  return scope;
}

exit_status verify(const command_line& line, const verify_words& words) {
  // What is wrong with the words shows before a database is asked, or even started.
  if (!words.all && !line.tenant.empty())
    (void)tenant_of(line);
  const used_database database(line, used_database::when_missing::refuse);
  require_schema(database.url());
  const queries_options reads{
    .url = database.url(), .application_name = "levain verify", .statement_timeout = statement_timeout};
  workflow_cache workflows(std::make_unique<postgres_definition_store>(
    postgres_definition_store_options{.url = database.url(), .application_name = "levain verify"}));
  queries remembered(reads);
  const auto scope = scope_of(line, words, remembered);
  auto differences = ordered_json::array();
  size_t told = 0;
  terminal::progress_line progress("runs");
  verify_listener listener;
  listener.progress = [&](const verify_report& report, uint64_t estimated_runs) {
    progress.show(report.runs, estimated_runs, fmt::format(", {} differ", report.different));
  };
  listener.difference = [&](const verify_difference& each) {
    if (told++ >= differences_shown_max)
      return;
    if (line.json)
      return differences.push_back(difference_json(each));
    progress.clear();
    terminal::print(difference_text(each, line.out.look) + '\n');
  };
  const auto report = verify_runs(reads, workflows, scope, {.jobs = words.jobs}, listener);
  const auto took = progress.elapsed();
  progress.clear();
  if (scope.run && report.runs == 0)
    throw command_failed(
      exit_status::failed, fmt::format("there is no run '{}' in what was to be verified", words.run));
  auto document = verify_json(report);
  document["jobs"] = words.jobs;
  document["milliseconds"] = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  document["found"] = std::move(differences);
  auto text = fmt::format("{}, {}\n", verify_summary(report, line.out.look), verify_pace(report, words.jobs, took));
  if (told > differences_shown_max)
    text = fmt::format("and {} more\n", told - differences_shown_max) + text;
  answer(line, document, text);
  return report.different == 0 ? exit_status::done : exit_status::failed;
}

} // namespace

void add_verify_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<verify_words>();
  auto* command = app.add_subcommand("verify", "Fold journals again and compare them with the audit rows");
  command->add_option("--run", words->run, "Only this run, by id or run number");
  command->add_option(
    "--since", words->since, "Only runs that began then or later: a time, a day, or how long ago (2h)");
  command->add_flag("--all", words->all, "The runs of every tenant");
  command->add_option("--jobs", words->jobs, "Threads, each with a connection of its own")
    ->check(CLI::Range(size_t{1}, verify_jobs_max))
    ->capture_default_str();
  add_tenant_option(*command, line);
  add_database_options(*command, line);
  command->callback([&line, words] { line.chosen = [&line, words] { return verify(line, *words); }; });
}

} // namespace levain
