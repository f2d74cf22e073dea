#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace levain {

/// A documented column of `orchestration_runs` that a step's `record` may fill.
struct record_column {
  enum class type_type : uint8_t {
    /// A whole number, 0 to 2147483647 (the database's `integer`).
    counter,
    /// A whole number of percent, 0 to 100.
    metric,
    /// A UUID in its canonical form.
    uuid,
    /// Any JSON value.
    json,
  };

  std::string_view name;
  type_type type = type_type::counter;
};

inline constexpr int64_t record_counter_max = std::numeric_limits<int32_t>::max();
inline constexpr int64_t record_metric_max = 100;

/// Every column that `record` may fill, in the order of the table.
std::span<const record_column> record_columns();

/// The column named so, or null when there is none that `record` may fill. Lives as long as the program.
const record_column* find_record_column(std::string_view name);

/// What a value must be, for people: `a whole number from 0 to 100`.
std::string_view describe_range(record_column::type_type type);

} // namespace levain
