#include "apps/levain/verify_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace levain {

using terminal::ink;

std::string verify_summary(const verify_report& report, const terminal::paint& look) {
  auto text = fmt::format(
    "{} verified against {}: {} equal to the fold of {} journal", terminal::counted(report.runs, "run"),
    terminal::counted(report.events, "event"), report.equal, report.equal == 1 ? "its" : "their");
  if (report.going_on > 0)
    text += fmt::format(
      ", {} still going (each row equals a beginning of its journal; it is written less often)", report.going_on);
  if (report.adopted > 0)
    text += fmt::format(", {} adopted without a journal and left alone", report.adopted);
  if (report.journal_dropped > 0)
    text += fmt::format(", {} ended whose journal was dropped", report.journal_dropped);
  const auto verdict = report.different == 0 ? look(ink::good, "no differences")
                                             : look(
                                                 ink::bad, terminal::counted(report.differences, "difference") +
                                                             " in " + terminal::counted(report.different, "run"));
  return text + ", " + verdict;
}

std::string verify_pace(const verify_report& report, size_t jobs, duration took) {
  const auto seconds = std::max(static_cast<double>(took.count()) / 1e6, 1e-6);
  return fmt::format(
    "in {} with {}, {:.0f} runs a second", terminal::span_text(took), terminal::counted(jobs, "thread"),
    static_cast<double>(report.runs) / seconds);
}

std::string difference_text(const verify_difference& difference, const terminal::paint& look) {
  const auto name = difference.run_number.empty() ? to_string(difference.run) : difference.run_number;
  return fmt::format(
    "{}  {}: {}", look(ink::strong, name), difference.place, look(ink::bad, terminal::harmless(difference.message)));
}

nlohmann::ordered_json verify_json(const verify_report& report) {
  return {
    {"runs", report.runs},
    {"equal", report.equal},
    {"going_on", report.going_on},
    {"adopted", report.adopted},
    {"journal_dropped", report.journal_dropped},
    {"different", report.different},
    {"events", report.events},
    {"differences", report.differences},
  };
}

nlohmann::ordered_json difference_json(const verify_difference& difference) {
  return {
    {"run", to_string(difference.run)},
    {"run_number",
     difference.run_number.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(difference.run_number)},
    {"place", difference.place},
    {"message", difference.message},
  };
}

} // namespace levain
