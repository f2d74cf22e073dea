#include "apps/load/load_proof.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/verification.hpp"
#include "persistence/postgres_definition_store.hpp"
#include "persistence/run_ends.hpp"

namespace levain::load {

namespace {

/// A page of a large table that nobody has looked at for long comes from the disk.
constexpr std::chrono::minutes statement_timeout{10};
/// Differences that are told; all are counted.
constexpr size_t differences_told_max = 10;

verify_report compare_rows(const proof_scope& scope, std::vector<std::string>& complaints) {
  constexpr const char* name = "levain load proof";
  const queries_options reads{
    .url = scope.database_url, .application_name = name, .statement_timeout = statement_timeout};
  workflow_cache workflows(std::make_unique<postgres_definition_store>(
    postgres_definition_store_options{.url = scope.database_url, .application_name = name}));
  verify_scope whose{operator_scope{}};
  if (scope.tenants.size() == 1)
    whose.scope = scope.tenants.front();
  whose.since = scope.since;
  size_t told = 0;
  verify_listener listener;
  listener.difference = [&](const verify_difference& each) {
    if (++told <= differences_told_max)
      complaints.push_back(fmt::format("run {}: {}: {}", to_string(each.run), each.place, each.message));
  };
  return verify_runs(reads, workflows, whose, {.jobs = verify_jobs_default()}, listener);
}

} // namespace

void judge_by_callers(const driven_load& driven, load_result& result) {
  result.lost = driven.runs_open;
  result.duplicates = driven.duplicates;
}

std::string failure_of_one(const proof_scope& scope) {
  queries database({.url = scope.database_url, .application_name = "levain load proof"});
  for (const auto& tenant : scope.tenants) {
    const auto failed = database.list_runs({.scope = tenant, .statuses = {run_status::failed}, .limit = 1});
    if (!failed.runs.empty())
      return failed.runs.front().run_number + ": " + failed.runs.front().error_message.value_or("");
  }
  return {};
}

std::vector<std::string> prove_load(const proof_scope& scope, const driven_load& driven, load_result& result) {
  std::vector<std::string> complaints;
  judge_by_callers(driven, result);
  const auto ends = count_run_ends(scope.database_url, scope.tenants, scope.since);
  const auto complain = [&](uint64_t count, const char* what) {
    if (count > 0)
      complaints.push_back(fmt::format("{} {}", count, what));
    return count;
  };
  complain(driven.runs_open, "runs were acknowledged and did not end in time");
  // A start whose fate nobody knows may have made a run, and need not.
  const auto most = driven.runs_acknowledged + driven.unresolved;
  const auto gone = complain(
    driven.runs_acknowledged > ends.runs ? driven.runs_acknowledged - ends.runs : 0,
    "runs were acknowledged and are not in the database");
  const auto endless = complain(ends.without, "runs have no terminal event");
  const auto surplus = complain(ends.runs > most ? ends.runs - most : 0, "runs are more than were acknowledged");
  const auto several = complain(ends.several, "runs have more than one terminal event");
  complain(driven.duplicates, "starts with one key made two runs");
  result.lost = std::max(driven.runs_open, gone + endless);
  result.duplicates = std::max(driven.duplicates, surplus) + several;
  const auto report = compare_rows(scope, complaints);
  result.audit_differences = report.different;
  return complaints;
}

} // namespace levain::load
