#include "apps/load/bench/bench_report.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/terminal/table.hpp"

namespace levain::load {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using terminal::ink;

constexpr const char* kind_of_document = "bench";
/// Above this somebody else was busy, whatever the number of cores.
constexpr double load_average_idle = 0.5;

std::string number_text(double value) {
  const auto size = std::abs(value);
  if (size >= 100 || value == std::round(value))
    return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string with_unit(double value, std::string_view unit) {
  return unit.empty() ? number_text(value) : fmt::format("{} {}", number_text(value), unit);
}

/// Ratios with two decimals, so that they stand under each other.
std::string value_text(const bench_row& row, double value) {
  return row.unit.empty() ? fmt::format("{:.2f}", value) : with_unit(value, row.unit);
}

std::string bound_text(const bench_row& row, std::optional<double> bound, const terminal::paint& look) {
  if (!bound)
    return "-";
  return fmt::format(
    "{} {}", row.more_is_better ? look.sign("≥", ">=") : look.sign("≤", "<="), with_unit(*bound, row.unit));
}

std::string figures_text(const bench_line& line) {
  if (!line.failure.empty())
    return line.failure;
  std::string text;
  for (const auto& each : line.measure.figures)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", each.name, with_unit(each.value, each.unit));
  for (const auto& each : line.measure.shortcomings)
    text += "; " + each;
  return text;
}

std::string verdict_text(const bench_line& line) {
  return line.failure.empty() ? std::string(to_string(judge(*line.row, line.measure))) : "not measured";
}

ink verdict_ink(const bench_line& line) {
  if (!line.failure.empty())
    return ink::bad;
  switch (judge(*line.row, line.measure)) {
  case bench_verdict::aim_met:
    return ink::good;
  case bench_verdict::met:
    return ink::plain;
  case bench_verdict::short_of_it:
    return ink::warning;
  }
  return ink::plain;
}

std::string earlier_text(const bench_line& line, const earlier_bench& earlier) {
  const auto found = earlier.reached.find(line.row->name);
  if (found == earlier.reached.end())
    return "-";
  auto text = value_text(*line.row, found->second);
  if (line.failure.empty() && found->second != 0)
    text += fmt::format(" (x{:.2f})", line.measure.reached / found->second);
  return text;
}

std::vector<terminal::cell> proof_cells(const bench_proof& proof, bool with_earlier) {
  std::vector<terminal::cell> cells{
    {"proof", ink::strong},
    {fmt::format("{} runs in {} loads", proof.runs, proof.loads)},
    {fmt::format("{} lost", proof.lost), ink::plain, true},
    {"0", ink::plain, true},
    {"0", ink::plain, true},
    {proof.holds() ? "holds" : "fails", proof.holds() ? ink::good : ink::bad}};
  if (with_earlier)
    cells.push_back({""});
  auto figures =
    fmt::format("duplicates {}, rows that differ from their journal {}", proof.duplicates, proof.audit_differences);
  for (const auto& each : proof.complaints)
    figures += "; " + each;
  cells.push_back({std::move(figures), ink::quiet});
  return cells;
}

std::string differences_text(const bench_report& report, const earlier_bench& earlier) {
  std::string text = fmt::format("compared with the bench of {}", earlier.began_at);
  if (report.quick != earlier.quick)
    text += earlier.quick ? ", which was a quick one" : ", which was a whole one";
  std::set<std::string> names;
  for (const auto& facts : {report.machine, earlier.machine})
    for (const auto& [name, value] : facts)
      names.insert(name);
  const auto value_of = [](const std::map<std::string, std::string>& facts, const std::string& name) {
    const auto found = facts.find(name);
    return found == facts.end() ? std::string("unknown") : found->second;
  };
  text += "\n";
  for (const auto& name : names)
    if (value_of(report.machine, name) != value_of(earlier.machine, name))
      text += fmt::format(
        "  {}: {} then, {} now\n", name, terminal::harmless(value_of(earlier.machine, name)),
        value_of(report.machine, name));
  return text;
}

template <class Value>
Value member(const json& object, const std::string& name, const char* what) {
  try {
    return object.at(name).get<Value>();
  } catch (const json::exception&) {
    throw std::invalid_argument(fmt::format("{}: must be {}", name, what));
  }
}

} // namespace

bool bench_report::complete() const {
  return proof.holds() &&
         std::all_of(lines.begin(), lines.end(), [](const bench_line& each) { return each.failure.empty(); });
}

size_t bench_report::rows_short() const {
  return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), [](const bench_line& each) {
    return !each.failure.empty() || judge(*each.row, each.measure) == bench_verdict::short_of_it;
  }));
}

ordered_json to_json(const bench_report& report) {
  auto rows = ordered_json::array();
  for (const auto& line : report.lines) {
    const auto& row = *line.row;
    ordered_json one{{"row", row.name}, {"title", row.title}, {"unit", row.unit}};
    one["more_is_better"] = row.more_is_better;
    one["at_least"] = row.at_least;
    one["aim"] = row.aim ? ordered_json(*row.aim) : ordered_json();
    one["verdict"] = verdict_text(line);
    one["seconds"] = line.seconds;
    if (!line.failure.empty()) {
      one["reached"] = nullptr;
      one["failure"] = line.failure;
    } else {
      one["reached"] = line.measure.reached;
      one["figures"] = ordered_json::array();
      for (const auto& each : line.measure.figures)
        one["figures"].push_back({{"name", each.name}, {"value", each.value}, {"unit", each.unit}});
      one["shortcomings"] = line.measure.shortcomings;
    }
    rows.push_back(std::move(one));
  }
  const auto& proof = report.proof;
  return {
    {"kind", kind_of_document},
    {"began_at", report.began_at},
    {"seconds", report.seconds},
    {"quick", report.quick},
    {"load_average_before", report.load_average_before},
    {"machine", report.machine},
    {"rows", std::move(rows)},
    {"proof",
     {{"holds", proof.holds()},
      {"loads", proof.loads},
      {"runs", proof.runs},
      {"lost", proof.lost},
      {"duplicates", proof.duplicates},
      {"audit_differences", proof.audit_differences},
      {"complaints", proof.complaints}}}};
}

earlier_bench read_earlier_bench(const json& document) {
  if (!document.is_object() || document.value("kind", "") != kind_of_document)
    throw std::invalid_argument("kind: must be \"bench\", as levain-load bench --out writes it");
  earlier_bench earlier;
  earlier.began_at = member<std::string>(document, "began_at", "a moment");
  earlier.quick = member<bool>(document, "quick", "true or false");
  earlier.machine = member<std::map<std::string, std::string>>(document, "machine", "texts by name");
  for (const auto& each : member<std::vector<json>>(document, "rows", "a list of rows")) {
    const auto name = member<std::string>(each, "row", "a row's name");
    if (each.contains("reached") && each["reached"].is_null())
      continue;
    earlier.reached[name] = member<double>(each, "reached", "a number, or null");
  }
  return earlier;
}

std::string
bench_text(const bench_report& report, const std::optional<earlier_bench>& earlier, const terminal::paint& look) {
  std::vector<std::string> headings{"ROW", "WHAT", "REACHED", "AT LEAST", "AIM", "VERDICT"};
  if (earlier)
    headings.emplace_back("BEFORE");
  headings.emplace_back("BEHIND IT");
  terminal::table table(headings);
  for (const auto& line : report.lines) {
    const auto& row = *line.row;
    std::vector<terminal::cell> cells{
      {std::string(row.name), ink::strong},
      {std::string(row.title)},
      {line.failure.empty() ? value_text(row, line.measure.reached) : "-", ink::strong, true},
      {bound_text(row, row.at_least, look), ink::plain, true},
      {bound_text(row, row.aim, look), ink::plain, true},
      {verdict_text(line), verdict_ink(line)}};
    if (earlier)
      cells.push_back({earlier_text(line, *earlier), ink::plain, true});
    cells.push_back({figures_text(line), ink::quiet});
    table.add(std::move(cells));
  }
  table.add(proof_cells(report.proof, earlier.has_value()));
  auto text = table.text(look) + "\n";
  if (earlier)
    text += differences_text(report, *earlier);
  if (report.load_average_before > load_average_idle)
    text += fmt::format(
      "this machine had other work: load average {:.1f} before the bench; latencies and ratios of little load say "
      "little then\n",
      report.load_average_before);
  return text + fmt::format(
                  "{} in {:.0f} s; {} of {} rows short of what they have to reach at least\n",
                  report.quick ? "a quick bench" : "a whole bench", report.seconds, report.rows_short(),
                  report.lines.size());
}

} // namespace levain::load
