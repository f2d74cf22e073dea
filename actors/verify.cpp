#include "actors/verify.hpp"

#include <future>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/gateway/run_view.hpp"
#include "actors/run_machine/machine.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// Longest value that a difference shows, in bytes; the rest is cut off.
constexpr size_t shown_bytes_max = 200;

std::string shown(const ordered_json& value) {
  auto text =
    value.is_null() ? std::string("nothing") : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  if (text.size() > shown_bytes_max) {
    size_t end = shown_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;
    text = text.substr(0, end) + "...";
  }
  return text;
}

/// The columns in which the two rows differ. Documents are compared as JSON: their texts are spaced differently.
std::vector<verify_difference> compare_rows(const audit_row& row, audit_row folded) {
  std::vector<verify_difference> found;
  // Beside the row, and nothing that a journal could say.
  folded.stopped = row.stopped;
  if (row == folded)
    return found;
  const auto there = audit_row_json(row);
  const auto right = audit_row_json(folded);
  for (const auto& [column, value] : right.items())
    // Without the order of members, which documents come back from the database without.
    if (nlohmann::json(there.at(column)) != nlohmann::json(value))
      found.push_back(
        {row.id, row.run_number, column,
         fmt::format("the row says {}, the journal says {}", shown(there.at(column)), shown(value))});
  return found;
}

/// Folds a journal event by event and remembers the moments at which the row may have been written.
class folding {
public:
  folding(const remembered_run& remembered, const workflow_ptr& workflow)
    : remembered_(remembered)
    , state_(initial_state(workflow)) {}

  /// Throws `broken_journal`.
  void fold() {
    for (const auto& record : remembered_.events) {
      auto fact = decode_event(record, *state_.workflow);
      if (fact.plan)
        fact.plan->run = remembered_.row.id;
      evolve(state_, std::move(fact));
      if (state_.updated_at == remembered_.row.updated_at)
        compare_here();
    }
  }

  bool ended() const { return state_.phase == run_phase::ended; }

  /// Against the whole journal.
  std::vector<verify_difference> final_differences() const { return compare_rows(remembered_.row, audit_of(state_)); }

  /// Against the beginning of the journal that the row can be from.
  std::vector<verify_difference> differences_so_far() const { return nearest_ ? *nearest_ : final_differences(); }

private:
  void compare_here() {
    auto found = compare_rows(remembered_.row, audit_of(state_));
    if (!nearest_ || found.size() <= nearest_->size())
      nearest_ = std::move(found);
  }

  const remembered_run& remembered_;
  run_state state_;
  std::optional<std::vector<verify_difference>> nearest_;
};

run_verification differing(const audit_row& row, std::string place, std::string message) {
  return {run_verdict::different, {{row.id, row.run_number, std::move(place), std::move(message)}}};
}

run_verification without_journal(const audit_row& row) {
  if (row.workflow.empty())
    return {run_verdict::adopted, {}};
  if (is_ended(row.status))
    return {run_verdict::journal_dropped, {}};
  return differing(
    row, "journal", fmt::format("there are no events, but the row says that the run is {}", to_string(row.status)));
}

/// Ids of runs without a row, as differences.
void verify_orphans(queries& remembered, const verify_listener& listener, verify_report& report) {
  std::optional<run_id> after;
  while (true) {
    const auto orphans = remembered.events_without_row(operator_scope{}, after);
    for (const auto& run : orphans) {
      ++report.runs;
      ++report.different;
      ++report.differences;
      if (listener.difference)
        listener.difference({run, {}, "row", "the journal has events of this run, but there is no row"});
    }
    if (orphans.empty())
      return;
    after = orphans.back();
  }
}

void count(verify_report& report, const remembered_run& run, const run_verification& result) {
  ++report.runs;
  report.events += run.events.size();
  report.differences += result.differences.size();
  switch (result.verdict) {
  case run_verdict::equal:
    ++report.equal;
    break;
  case run_verdict::going_on:
    ++report.going_on;
    break;
  case run_verdict::adopted:
    ++report.adopted;
    break;
  case run_verdict::journal_dropped:
    ++report.journal_dropped;
    break;
  case run_verdict::different:
    ++report.different;
    break;
  }
}

} // namespace

run_verification verify_run(const remembered_run& remembered, workflow_cache& workflows) {
  const auto& row = remembered.row;
  if (remembered.events.empty())
    return without_journal(row);
  std::vector<verify_difference> differences;
  bool ended = false;
  try {
    const auto plan = decode_plan(remembered.events.front(), row.id);
    const auto workflow = workflows.find(plan.workflow, plan.workflow_version);
    if (!workflow)
      return differing(
        row, "journal", fmt::format("workflow {} version {} is not registered", plan.workflow, plan.workflow_version));
    folding fold(remembered, workflow);
    fold.fold();
    ended = fold.ended();
    differences = ended ? fold.final_differences() : fold.differences_so_far();
  } catch (const broken_journal& damage) {
    return differing(row, "journal", damage.what());
  }
  if (!differences.empty())
    return {run_verdict::different, std::move(differences)};
  return {ended ? run_verdict::equal : run_verdict::going_on, {}};
}

verify_report verify_runs(
  queries& remembered, workflow_cache& workflows, const verify_scope& scope, const verify_listener& listener) {
  verify_report report;
  auto page = remembered.next_verify_batch(scope, std::nullopt);
  while (!page.empty()) {
    const auto last = page.back().row.id;
    auto next = std::async(std::launch::async, [&] { return remembered.next_verify_batch(scope, last); });
    for (const auto& run : page) {
      const auto result = verify_run(run, workflows);
      count(report, run, result);
      if (listener.difference)
        for (const auto& each : result.differences)
          listener.difference(each);
    }
    if (listener.progress)
      listener.progress(report);
    page = next.get();
  }
  const bool everything = std::holds_alternative<operator_scope>(scope.scope) && !scope.since && !scope.run;
  if (everything)
    verify_orphans(remembered, listener, report);
  return report;
}

} // namespace levain
