#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace levain::load {

class bench_stage;

/// A figure behind a row.
struct bench_figure {
  std::string name;
  double value = 0;
  /// `runs/s`, `ms`, ...; empty for plain numbers.
  std::string unit;
  bool operator==(const bench_figure&) const = default;
};

/// What a row came to.
struct bench_measure {
  double reached = 0;
  /// The absolute figures behind it, in the order in which people want them.
  std::vector<bench_figure> figures;
  /// What else the row asks for and was not so, a sentence each: the row is short then, whatever was reached.
  std::vector<std::string> shortcomings;
};

/// One line of the bench's table: what is measured, and what it should come to.
struct bench_row {
  /// For `--only`.
  std::string_view name;
  /// For people, a line.
  std::string_view title;
  /// Of `reached` and of the bounds; empty for a ratio.
  std::string_view unit;
  bool more_is_better = true;
  /// Where more is better the least that is good enough, else the most.
  double at_least = 0;
  std::optional<double> aim;
  /// Throws `command_failed` and whatever loads, floors and servers throw when it cannot be measured.
  bench_measure (*measure)(bench_stage& stage) = nullptr;
};

enum class bench_verdict : uint8_t {
  aim_met,
  /// Good enough.
  met,
  short_of_it,
};

std::string_view to_string(bench_verdict verdict);

bench_verdict judge(const bench_row& row, const bench_measure& measure);

/// All rows, in the order in which they are measured and printed.
const std::vector<bench_row>& bench_rows();

/// The row of that name; null when there is none.
const bench_row* find_bench_row(std::string_view name);

} // namespace levain::load
