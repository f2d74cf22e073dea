#include "actors/verify.hpp"

#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/gateway/run_view.hpp"
#include "actors/journal_order.hpp"
#include "actors/run_machine/machine.hpp"
#include "persistence/journal.hpp"

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

/// Everything about the journal that is out of order, else why it cannot be folded.
std::vector<verify_difference>
damage_of(const audit_row& row, const std::vector<order_fault>& faults, const char* why) {
  std::vector<verify_difference> found;
  for (const auto& fault : faults)
    found.push_back({row.id, row.run_number, "journal", fault.message});
  if (found.empty())
    found.push_back({row.id, row.run_number, "journal", why});
  return found;
}

run_verification verify_journal(const remembered_run& remembered, const workflow_ptr& workflow) {
  const auto& row = remembered.row;
  const auto faults = order_faults(remembered.events, *workflow);
  folding fold(remembered, workflow);
  try {
    fold.fold();
  } catch (const broken_journal& damage) {
    return {run_verdict::different, damage_of(row, faults, damage.what())};
  }
  auto differences = fold.ended() ? fold.final_differences() : fold.differences_so_far();
  if (!faults.empty())
    for (auto& fault : damage_of(row, faults, ""))
      differences.push_back(std::move(fault));
  if (!differences.empty())
    return {run_verdict::different, std::move(differences)};
  return {fold.ended() ? run_verdict::equal : run_verdict::going_on, {}};
}

run_verification unreadable(const remembered_run& remembered) {
  run_verification result{run_verdict::different, {}};
  for (const auto& [place, message] : remembered.unreadable)
    result.differences.push_back({remembered.row.id, remembered.row.run_number, place, message});
  return result;
}

} // namespace

run_verification verify_run(const remembered_run& remembered, workflow_cache& workflows) {
  const auto& row = remembered.row;
  if (!remembered.unreadable.empty())
    return unreadable(remembered);
  if (remembered.events.empty())
    return without_journal(row);
  try {
    const auto plan = decode_plan(remembered.events.front(), row.id);
    const auto workflow = workflows.find(plan.workflow, plan.workflow_version);
    if (!workflow)
      return differing(
        row, "journal",
        fmt::format(
          "there should be a workflow {} version {}; it is not registered, or cannot be read", plan.workflow,
          plan.workflow_version));
    return verify_journal(remembered, workflow);
  } catch (const journal_unavailable&) {
    throw;
  } catch (const std::exception& damage) {
    return differing(row, "journal", damage.what());
  }
}

} // namespace levain
