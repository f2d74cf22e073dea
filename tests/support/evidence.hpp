#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace levain::test {

/// Looks into a database and says what contradicts the promises. One connection, one thread.
class evidence {
public:
  /// Throws when the database cannot be reached.
  explicit evidence(const std::string& database_url);
  ~evidence();

  /// Rows of `orchestration_runs`.
  size_t runs();
  /// Runs with a terminal event.
  size_t runs_ended();
  /// True when there are runs and every one has ended.
  bool all_ended();

  /// Of these ids, those that no row has.
  std::set<std::string> lost(const std::set<std::string>& acknowledged);

  /// Ended runs: a sentence for each that has not exactly one terminal event as its last, for each journal with a hole
  /// or without a row, for each row without a journal, and for each row that differs from what its journal folds to. At
  /// most a hundred.
  std::vector<std::string> contradictions();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain::test
