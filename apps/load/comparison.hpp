#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/load/load_result.hpp"

namespace levain::load {

/// One figure of two results, side by side.
struct compared_figure {
  /// What it is, with its unit: `wal_bytes_per_run`.
  std::string name;
  /// Absent where that result has not measured it.
  std::optional<double> first;
  std::optional<double> second;
  /// Whether more is better.
  bool more_is_better = false;

  /// The second divided by the first; absent where one is, or the first is zero.
  std::optional<double> ratio() const;
};

/// The figures of two results that can be laid side by side, in the order in which people ask for them.
std::vector<compared_figure> compare(const load_result& first, const load_result& second);

/// The settings and facts of the machine in which the two differ, as `name: first -> second`: what a ratio may be due
/// to. Empty texts stand for what one of them does not name.
std::vector<std::string> setting_differences(const load_result& first, const load_result& second);

/// Reads a result that `--out` or `--json` has written. Throws std::invalid_argument that names the file and what is
/// wrong with it.
load_result read_load_result(const std::string& file);

} // namespace levain::load
