#include <array>

#include "persistence/named_values.hpp"
#include "persistence/queries.hpp"

namespace levain {

namespace {

// In the order of `run_activity`.
constexpr std::array<std::string_view, 2> activity_names = {"paused", "cancelling"};

} // namespace

std::string_view to_string(run_activity activity) {
  return activity_names.at(static_cast<size_t>(activity));
}

std::optional<run_activity> parse_run_activity(std::string_view text) {
  return parse_named<run_activity>(activity_names, text);
}

} // namespace levain
