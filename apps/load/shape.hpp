#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/timestamp.hpp"

namespace levain::load {

/// How the steps of the runs of a load depend on each other.
enum class shape_kind : uint8_t {
  /// One after the other.
  chain,
  /// All but the last in parallel; the last joins them.
  wide,
  /// Layers of one and two steps in turn; a step needs the whole layer before it.
  dag,
  /// One long wait, then a step.
  wait,
};

std::string_view to_string(shape_kind kind);
std::optional<shape_kind> parse_shape_kind(std::string_view text);

/// What the runs of a load do. Every step is a `simulate` call (see `docs/workflow-definition.md`), which means what
/// its members mean there.
struct shape_options {
  shape_kind kind = shape_kind::chain;
  /// 1 to `definition_steps_max`; `wait` has two whatever this says.
  uint32_t steps = 5;
  duration step_time{0};
  /// `constant`, `uniform`, `exponential` or `lognormal`.
  std::string distribution = "constant";
  /// With `lognormal` only.
  double sigma = 0.5;
  double fail_rate = 0;
  double fail_final_rate = 0;
  /// How long the long step of `wait` takes.
  duration wait = std::chrono::seconds(10);
  uint64_t seed = 1;
  /// `external`: each outcome is on disk before the next call; otherwise `none`.
  bool external = true;
  /// Bytes of JSON that each step answers; `{}` when less than what an object of one text takes.
  size_t output_bytes = 0;
};

/// The definition as JSON text, under a name made of its content: equal options make equal definitions.
std::string shape_definition(const shape_options& options);

/// A JSON object of exactly so many bytes, or `{}` where there is no room for more.
std::string json_of_bytes(size_t bytes);

} // namespace levain::load
