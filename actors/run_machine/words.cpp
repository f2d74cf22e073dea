#include "actors/run_machine/words.hpp"

#include <array>

namespace levain {

namespace {

constexpr std::array<std::string_view, 7> failure_kinds = {"retryable", "final",     "timeout",  "invalid_output",
                                                           "rejected",  "abandoned", "withdrawn"};
constexpr std::array<std::string_view, 7> step_phases = {"waiting",   "ready",  "calling", "backing_off",
                                                         "succeeded", "failed", "skipped"};
constexpr std::array<std::string_view, 6> undo_phases = {"none",        "due",         "calling",
                                                         "backing_off", "compensated", "failed"};
constexpr std::array<std::string_view, 6> run_phases = {"pending",  "running",      "waiting_for_retry",
                                                        "stopping", "compensating", "ended"};

} // namespace

std::string_view to_string(call_failure::kind_type kind) {
  return failure_kinds.at(static_cast<size_t>(kind));
}

std::optional<call_failure::kind_type> parse_failure_kind(std::string_view text) {
  for (size_t i = 0; i < failure_kinds.size(); ++i)
    if (failure_kinds[i] == text)
      return static_cast<call_failure::kind_type>(i);
  return std::nullopt;
}

std::string_view to_string(step_phase phase) {
  return step_phases.at(static_cast<size_t>(phase));
}

std::string_view to_string(undo_phase phase) {
  return undo_phases.at(static_cast<size_t>(phase));
}

std::string_view to_string(run_phase phase) {
  return run_phases.at(static_cast<size_t>(phase));
}

} // namespace levain
