#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "apps/load/load_result.hpp"
#include "persistence/database_figures.hpp"

namespace levain::load {

/// This machine as far as it decides how fast a load is: `cores`, `memory`, `kernel`, `processor`.
std::map<std::string, std::string> machine_facts();

/// The same, with the server's version and settings as `postgresql.NAME`. Throws `journal_unavailable`.
std::map<std::string, std::string> machine_facts(const std::string& database_url);

/// What a load costs a database: reads figures when it is made and when it is asked. One thread.
class load_cost {
public:
  /// Throws `journal_unavailable`.
  explicit load_cost(std::string database_url);

  /// Puts into `result` what the server has spent since this was made, over `result.runs` runs: WAL, commits (by the
  /// server's statistics), dead tuples and, when the server runs here, its CPU. Nothing when there were no runs. Throws
  /// `journal_unavailable`.
  void tell(load_result& result) const;

private:
  std::optional<std::chrono::microseconds> postgres_cpu() const;

  std::string url_;
  std::optional<int> postmaster_;
  database_figures before_;
  std::optional<std::chrono::microseconds> postgres_cpu_before_;
};

} // namespace levain::load
