#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "apps/load/load_mix.hpp"
#include "apps/load/load_pace.hpp"
#include "apps/load/shape.hpp"

namespace levain::load {

/// What a load is. The defaults are those of `levain-load`.
struct load_options {
  shape_options shape;
  /// A definition of one's own, JSON text; empty for the shape's.
  std::string definition;
  /// Bytes of JSON that each run gets as input; `{}` when less than what an object of one text takes.
  size_t input_bytes = 0;
  /// What each run gets instead, JSON text; empty for none.
  std::string input;
  /// Runs that end as failed are what the load is about; otherwise one of them makes it fail.
  bool may_fail = false;
  mix_options mix;
  /// Every start carries an idempotency key; those that are asked for twice always do.
  bool keys = false;
  /// A start that is refused is asked for again; otherwise its caller goes away.
  bool ask_again = true;
  pace_options pace;
  /// Ends the starts after so many, or after so long, whichever comes first; at least one is given.
  std::optional<uint64_t> runs;
  std::optional<duration> length;
  /// For what was started to end, after the last start.
  duration drain = std::chrono::minutes(2);
  /// Between two moments of `load_result::over_time`.
  duration interval = std::chrono::seconds(1);
  /// Compare everything with the database at the end.
  bool proof = true;
};

/// How far a load is.
struct load_progress {
  uint64_t ended = 0;
  /// Runs to come in all; 0 where that is not known.
  uint64_t total = 0;
  /// Of the newest interval.
  double runs_per_s = 0;
  uint64_t in_flight = 0;
  uint64_t refused = 0;
  uint64_t errors = 0;
  /// Nothing is started any more.
  bool draining = false;
};

/// Who looks on. Both may be empty, and are called on the load's thread a few times a second at least.
struct load_watch {
  std::function<void(const load_progress&)> progress;
  /// True once the load is to end early.
  std::function<bool()> stopped;
};

/// The options by name, as results and reports show them.
std::map<std::string, std::string> settings_of(const load_options& options);

} // namespace levain::load
