#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "actors/run_machine/worker_call_view.hpp"

namespace levain {

/// One thing a run waits for, or that a person should know of it.
struct wait_reason {
  /// From the state: `slot`, `call`, `retry`, `worker`, `queue`, `run_retry`, `steps`, `pause`, `compensation`,
  /// `compensation_retry`, `variable`, `attention`; `nothing` when it has ended. From those that act for it:
  /// `database`, `recovery`, `owner`, `stopped`, `row`.
  std::string kind;
  /// The step concerned; empty for the run as a whole.
  std::string step;
  /// A sentence: what, since when, until when, why.
  std::string text;
  std::optional<timestamp> since;
  std::optional<timestamp> until;
  /// Where the call goes that is out or due, as `call_place` has it; empty where there is none.
  std::string place = {};
  /// What its worker said of it last; empty where there is none or it said nothing.
  std::string progress = {};
  bool operator==(const wait_reason&) const = default;
};

/// Why a run is where it is.
struct explanation {
  /// One sentence on the whole.
  std::string summary;
  std::vector<wait_reason> waits;
  bool operator==(const explanation&) const = default;
};

/// A call that a node makes, and since when.
struct call_in_hand {
  begin_call call;
  timestamp began_at{};
  /// The run was taken up with the call out, so it was made again.
  bool taken_up = false;
  /// Where it is, for a call to a worker.
  std::optional<worker_call_view> worker = {};
  /// It waits for a worker or for its turn, and its work has not begun.
  bool waits = false;
  /// Since when its work may have begun, where the call had to wait for that.
  std::optional<timestamp> in_flight_since = {};
  /// What it waits for beside its turn, to be added to a sentence; empty when it waits for its turn alone.
  std::string for_room = {};
  /// The node cannot make it: what it waits for. Empty when it is under way.
  std::string wanting = {};
  /// How long it has waited before its work began.
  duration queued{0};
};

/// What an explanation may know beside the state.
struct explain_context {
  timestamp now{};
  /// What `${name}` stands for in the places of calls.
  call_variables variables = {};
  /// The calls under way, where somebody acts for the run; without it they are told as the journal has them.
  std::optional<std::vector<call_in_hand>> in_hand = {};
  /// Of the times that the state waits for, when they come by the clock as it is now; it may have been set since.
  std::vector<std::pair<timestamp, timestamp>> comes_at = {};
};

explanation explain(const run_state& state, const explain_context& context);

/// The time of day of `at`, `04:00:00Z`, with the date when it is not the day of `now`.
std::string clock_text(timestamp at, timestamp now);

} // namespace levain
