#pragma once

#include <string>
#include <vector>

#include "actors/workflow/definition.hpp"
#include "persistence/event_record.hpp"

namespace levain {

/// How far a node's clock may be off from the database's before `levain doctor` calls it critical. Leases are judged by
/// the database's clock alone, so this bounds nothing but the times that people read.
inline constexpr duration clock_difference_max = std::chrono::seconds(5);

/// How far the time of an event may lie before that of an earlier one, or before the moment it waited for. The times in
/// a journal are those of whichever node owned the run: one of two clocks may be behind and the other ahead, each by
/// `clock_difference_max`. The order of events is their number, never their time.
inline constexpr duration clock_step_max = 2 * clock_difference_max;

/// Something in a journal that breaks the order of events.
struct order_fault {
  /// The event that is out of order.
  int32_t seq = 0;
  /// One line: what is there and what would be right.
  std::string message;
};

/// Checks the order of a run's events against the definition and nothing else: no rule is shared with the run machine,
/// so that a mistake there shows here. The rules stand in `docs/command-line.md`. Bodies are looked at only for the
/// times and marks that the rules need. What follows a hole, the run's end or a step that does not exist is not judged.
/// Pure.
std::vector<order_fault> order_faults(const std::vector<event_record>& events, const workflow_definition& workflow);

} // namespace levain
