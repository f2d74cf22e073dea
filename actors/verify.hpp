#pragma once

#include <cstdint>
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
  /// A column of `orchestration_runs`, `journal`, or `row` when there is none that can be read.
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

/// Folds one run's journal again and compares the result with its row, column by column, and checks the order of the
/// events by rules of its own (see journal_order.hpp). Whatever is damaged is a difference. Throws
/// `journal_unavailable` when a definition cannot be read.
run_verification verify_run(const remembered_run& remembered, workflow_cache& workflows);

} // namespace levain
