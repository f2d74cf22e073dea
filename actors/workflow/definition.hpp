#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "persistence/audit_row.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

/// A step's place in its workflow's `steps`, from 0.
using step_index = uint32_t;

/// When to try again.
struct retry_policy {
  /// Tries in all, 1 to 1000.
  uint32_t max_attempts = 3;
  /// Before the second try.
  duration initial_interval = std::chrono::milliseconds(500);
  /// Each wait is so many times the one before it, 1 to 100.
  double backoff = 2.0;
  /// No wait is longer, jitter included.
  duration max_interval = std::chrono::minutes(1);
  /// The share of a wait that is left to chance, 0 to 1: 0.2 makes it 0.8 to 1.2 times as long.
  double jitter = 0.2;

  bool operator==(const retry_policy&) const = default;
};

/// `{"http": {...}}`. Texts may hold `${variable}` (the node's settings) and `{results.step.field}`, `{input.field}`,
/// `{run.id}` (the run's values).
struct http_call {
  std::string method = "POST";
  std::string url;
  std::map<std::string, std::string> headers;
  bool operator==(const http_call&) const = default;
};

/// `{"worker": {"kind": "..."}}`: done by whichever worker offers the kind.
struct worker_call {
  std::string kind;
  /// The attempt fails when its worker says nothing for longer; 0 asks for nothing. `worker_heartbeat_min` to the
  /// timeout.
  duration heartbeat{0};
  bool operator==(const worker_call&) const = default;
};

/// `{"function": {"name": "..."}}`: a C++ function registered with the engine in this process.
struct function_call {
  std::string name;
  bool operator==(const function_call&) const = default;
};

/// `{"simulate": {...}}`: a call that takes its time and fails as often as it is told, drawn from a seed.
struct simulate_call {
  enum class distribution_type : uint8_t { constant, uniform, exponential, lognormal };
  distribution_type distribution = distribution_type::constant;
  /// The constant, the lower bound of the uniform, the mean of the exponential, the median of the lognormal.
  duration time{0};
  /// The upper bound of the uniform.
  duration time_max{0};
  /// The sigma of the lognormal's logarithm, 0 to 5.
  double sigma = 0.5;
  /// The share of attempts that fail so that a retry may help, 0 to 1.
  double fail_rate = 0;
  /// The share of attempts that fail for good, 0 to 1.
  double fail_final_rate = 0;
  /// The first so many attempts fail so that a retry may help.
  uint32_t fail_first = 0;
  /// The answer, JSON text; `{}` by default.
  std::string output = "{}";
  /// Same seed, run, step and attempt: same fate.
  uint64_t seed = 0;
  bool operator==(const simulate_call&) const = default;
};

using call_spec = std::variant<http_call, worker_call, function_call, simulate_call>;

/// The call that undoes a step that succeeded.
struct compensation_spec {
  call_spec call;
  duration timeout = std::chrono::seconds(30);
  retry_policy retry{.max_attempts = 10};
  /// The longest wait for a worker, or for a turn among the node's calls; without it there is none.
  std::optional<duration> queue_timeout = {};
  bool operator==(const compensation_spec&) const = default;
};

/// Which steps the compensation is for.
enum class compensation_condition : uint8_t {
  /// Those that succeeded.
  succeeded,
  /// Those whose outcome is unknown, too: the call may find nothing to undo.
  attempted,
};

/// What happens to the run when a step has failed for good.
enum class failure_policy : uint8_t { fail, proceed };

/// Whether calling twice could be noticed outside (design section 4, point 2).
enum class call_effect : uint8_t { external, none };

/// Where a documented column gets its value from.
struct record_entry {
  /// A column of `orchestration_runs` that `record` may fill.
  std::string column;
  /// A JSON pointer (RFC 6901) into the step's output.
  std::string pointer;
  bool operator==(const record_entry&) const = default;
};

struct step_definition {
  std::string name;
  std::optional<audit_group> audit;
  call_spec call;
  duration timeout = std::chrono::seconds(30);
  retry_policy retry;
  /// These must have succeeded.
  std::vector<step_index> needs;
  /// These must have ended.
  std::vector<step_index> after;
  failure_policy on_failure = failure_policy::fail;
  call_effect effect = call_effect::external;
  std::optional<compensation_spec> compensate;
  compensation_condition compensate_when = compensation_condition::succeeded;
  /// The longest wait for a worker, or for a turn among the node's calls, before an attempt begins; without it there is
  /// none. `timeout` begins with the work.
  std::optional<duration> queue_timeout = {};
  std::vector<record_entry> record;
  bool operator==(const step_definition&) const = default;
};

/// Retries of the run as a whole, which resume at what failed.
struct run_retry_policy {
  /// 0 to 100; 0 means that only a person retries.
  uint32_t max = 0;
  duration initial_interval = std::chrono::minutes(1);
  double backoff = 2.0;
  duration max_interval = std::chrono::hours(1);
  bool operator==(const run_retry_policy&) const = default;
};

/// A named, versioned, immutable workflow. Made by `parse_definition` only, so every rule of the reference holds:
/// names are unique, `needs` and `after` point to other steps without a cycle, numbers are in range.
struct workflow_definition {
  std::string name;
  int32_t version = 0;
  run_retry_policy run_retries;
  std::vector<step_definition> steps;
  /// SHA-256 of `body` in hex.
  std::string content_hash;
  /// The canonical JSON text: sorted keys, no blanks.
  std::string body;

  /// The step named so, if there is one.
  std::optional<step_index> find_step(std::string_view step_name) const;
};

using workflow_ptr = std::shared_ptr<const workflow_definition>;

} // namespace levain
