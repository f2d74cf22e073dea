#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "apps/load/bench/bench_row.hpp"
#include "apps/load/bench/bench_stage.hpp"
#include "apps/terminal/paint.hpp"

namespace levain::load {

/// A row that was measured, or why it could not be.
struct bench_line {
  const bench_row* row = nullptr;
  bench_measure measure;
  /// A sentence; empty when it was measured.
  std::string failure;
  /// What it took, with the servers and loads that it needed first.
  double seconds = 0;
};

/// Everything that one bench came to.
struct bench_report {
  /// RFC 3339, UTC.
  std::string began_at;
  double seconds = 0;
  bool quick = false;
  /// Programs that wanted a core in the minute before the bench, on average: what else this machine had to do.
  double load_average_before = 0;
  /// Cores, memory, kernel, PostgreSQL's version and the settings of it that matter, by name.
  std::map<std::string, std::string> machine;
  std::vector<bench_line> lines;
  bench_proof proof;

  /// Every row was measured, and the proof holds.
  bool complete() const;
  /// Rows that are below what they have to reach at least, or were not measured.
  size_t rows_short() const;
};

/// The report as `--json` prints it.
nlohmann::ordered_json to_json(const bench_report& report);

/// What an earlier report says, as far as it is compared.
struct earlier_bench {
  std::string began_at;
  bool quick = false;
  std::map<std::string, std::string> machine;
  /// What was reached, by row.
  std::map<std::string, double, std::less<>> reached;
};

/// Reads what `to_json` made. Throws std::invalid_argument that names the member that is missing or unfit.
earlier_bench read_earlier_bench(const nlohmann::json& document);

/// The table for people, with the proof as its last line; beside the earlier report's figures where there is one.
std::string
bench_text(const bench_report& report, const std::optional<earlier_bench>& earlier, const terminal::paint& look);

} // namespace levain::load
