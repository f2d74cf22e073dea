#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/run_machine/state.hpp"

namespace levain {

class call_bytes;

/// A call made ready: everything an executor needs, with no template left in it.
struct call_request {
  run_id run;
  std::string run_number;
  tenant_id tenant;
  std::string step;
  uint32_t attempt = 0;
  bool undo = false;
  std::string idempotency_key;
  /// Under which the run is owned by whoever makes the call; set by the run's actor.
  epoch_number epoch = 0;
  /// From when the work begins: when a worker is given the call, or the request is sent.
  duration timeout{};
  /// The longest wait before that; none when absent.
  std::optional<duration> queue_timeout = {};
  /// The attempt may have begun under an earlier owner, or before the node ended: what it came to is not known.
  bool made_before = false;
  /// Its run has stopped: only a worker that has it already is given it. Only with `made_before`.
  bool to_holder_only = false;
  /// The workers that were lost with this attempt in hand.
  std::vector<std::string> lost_workers = {};
  /// With all `${..}` and `{..}` resolved.
  call_spec call;
  /// How messages, logs and the journal name the call: `POST ${oven_url}/loaves`. Of an HTTP call only; without what
  /// may be a secret.
  std::string name;
  /// JSON text `{"run": {...}, "input": ..., "results": {...}}`, or the beginning of it when there is a `body_rest`;
  /// empty for a simulated call, which has no reader.
  std::string body;
  /// What follows `body`: shared by the calls of a run that see the same results.
  std::shared_ptr<const std::string> body_rest;
  /// What the call holds of its node's memory for calls, its answer included; null where nobody counts.
  std::shared_ptr<call_bytes> memory = {};
  bool operator==(const call_request&) const = default;
};

/// Settings of the node that definitions refer to as `${name}`.
using call_variables = std::map<std::string, std::string>;

/// The request of a step's call or of its compensation. A `{results...}` or `${...}` that has no value is a final
/// failure that names it. `{results.step.field}` in a URL is percent-encoded.
std::variant<call_request, call_failure>
prepare_call(const run_state& state, step_index step, bool undo, const call_variables& variables);

/// The names of all `${...}` in a definition that `variables` has no value for, with where they stand.
std::vector<std::pair<std::string, std::string>>
missing_variables(const workflow_definition& workflow, const call_variables& variables);

/// The names of all `${...}` in a call that `variables` has no value for, each once.
std::vector<std::string> missing_variables(const call_spec& call, const call_variables& variables);

} // namespace levain
