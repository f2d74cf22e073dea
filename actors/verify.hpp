#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "actors/workflow_cache.hpp"
#include "persistence/queries.hpp"

namespace levain {

/// One thing in which the database contradicts itself.
struct verify_difference {
  run_id run;
  /// Empty when the run has no row.
  std::string run_number;
  /// A column of `orchestration_runs`, `journal`, or `row` when there is none.
  std::string place;
  /// One line: what is there and what would be right.
  std::string message;
  bool operator==(const verify_difference&) const = default;
};

/// What a run's row and journal say of each other.
enum class run_verdict : uint8_t {
  /// The row is what the whole journal folds to.
  equal,
  /// The run goes on. Its row is written less often than its journal, so it is what a beginning of the journal folds
  /// to, and that is all that can be asked of it.
  going_on,
  /// A row that Levain did not write, without a journal: left alone.
  adopted,
  /// An ended run whose journal is gone, as it is when retention dropped its partition: nothing to compare with.
  journal_dropped,
  /// There are differences.
  different,
};

struct run_verification {
  run_verdict verdict = run_verdict::equal;
  /// Not empty exactly when `different`.
  std::vector<verify_difference> differences;
};

/// Folds one run's journal again and compares the result with its row, column by column. Finds what cannot follow in
/// the journal too: holes, a second end, steps that do not exist. Throws `journal_unavailable` when a definition cannot
/// be read.
run_verification verify_run(const remembered_run& remembered, workflow_cache& workflows);

/// How many runs came out how.
struct verify_report {
  uint64_t runs = 0;
  uint64_t equal = 0;
  uint64_t going_on = 0;
  uint64_t adopted = 0;
  uint64_t journal_dropped = 0;
  /// Runs that differ, those without a row included.
  uint64_t different = 0;
  /// Events folded.
  uint64_t events = 0;
  uint64_t differences = 0;
};

/// What `verify_runs` tells while it works; both may be empty, and are called on the caller's thread.
struct verify_listener {
  std::function<void(const verify_difference&)> difference;
  /// After every page of runs.
  std::function<void(const verify_report&)> progress;
};

/// Verifies every run of `scope`, a page at a time; the next page is read while one is folded. Looks for journals
/// without a row too, where the scope is the operator's and names no moment to begin at. Throws `journal_unavailable`.
verify_report
verify_runs(queries& remembered, workflow_cache& workflows, const verify_scope& scope, const verify_listener& listener);

} // namespace levain
