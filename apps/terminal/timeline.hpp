#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "actors/run_machine/state.hpp"
#include "apps/terminal/screen.hpp"
#include "persistence/event_record.hpp"

namespace levain::terminal {

/// One attempt of a step, or of its compensation.
struct timeline_attempt {
  uint32_t number = 0;
  timestamp began{};
  /// Absent while the attempt is out.
  std::optional<timestamp> ended;
  /// Why it did not succeed; empty when it did.
  std::string failure;
  /// The worker that had it; empty when none did, or while it is out.
  std::string worker = {};
  /// How long it waited for a worker or its turn before its work began.
  duration queued{0};
};

/// A line of the timeline: a step, or the undoing of a step.
struct timeline_line {
  std::string step;
  bool undo = false;
  /// The step's phase, or the phase of its compensation, in the machine's words.
  std::string phase;
  std::vector<timeline_attempt> attempts;
  /// Why it was skipped.
  std::string reason;
  /// What the worker that does it said last; the journal does not know it.
  std::string progress = {};
  /// What its attempt that is out waits for before its work begins; the journal does not know it either.
  std::string waits_for = {};

  /// From the first attempt's beginning to the last one's end (or `now`); zero without attempts.
  duration span(timestamp now) const;
  /// How long its attempts waited before their work began.
  duration queued() const;
};

/// A run's steps over time, with the compensations after them in the order in which they began.
struct timeline {
  timestamp began{};
  /// When the run ended, or the moment it is looked at.
  timestamp until{};
  bool ended = false;
  std::vector<timeline_line> lines;
};

/// Folds the run's events and watches when which attempt is out. Throws `broken_journal`.
timeline
timeline_of(const run_id& run, const workflow_ptr& workflow, const std::vector<event_record>& events, timestamp now);

/// A line for each step with a bar, its duration and its attempts, and one for what went wrong, which is cut only where
/// it would not fit on a terminal.
std::string timeline_text(const timeline& times, const screen& out);

nlohmann::ordered_json timeline_json(const timeline& times);

} // namespace levain::terminal
