#include "persistence/run_stop.hpp"

#include <array>

#include "persistence/named_values.hpp"

namespace levain {

namespace {

// In the order of `stop_kind`, and those of the constraint `stop_kind_is_known`.
constexpr std::array<std::string_view, 3> stop_names = {"journal_damaged", "events_refused", "stuck"};

} // namespace

std::string_view to_string(stop_kind kind) {
  return stop_names.at(static_cast<size_t>(kind));
}

std::optional<stop_kind> parse_stop_kind(std::string_view text) {
  return parse_named<stop_kind>(stop_names, text);
}

} // namespace levain
