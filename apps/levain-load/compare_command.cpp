#include <filesystem>
#include <memory>

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/levain-load/commands.hpp"
#include "apps/load/comparison.hpp"
#include "apps/load/html_report.hpp"
#include "apps/terminal/table.hpp"

namespace levain::load {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

struct compare_words {
  std::string first;
  std::string second;
  std::optional<double> fail_below;
  std::string report;
};

/// A ratio nearer to one than this is no news: two loads of one machine differ by as much.
constexpr double news_min = 0.05;

std::string number_text(const std::optional<double>& value) {
  if (!value)
    return "-";
  if (*value == std::floor(*value) && std::abs(*value) < 1e15)
    return fmt::format("{:.0f}", *value);
  return std::abs(*value) >= 100 ? fmt::format("{:.0f}", *value) : fmt::format("{:.4g}", *value);
}

ink ink_of(const compared_figure& figure) {
  const auto ratio = figure.ratio();
  if (!ratio || std::abs(*ratio - 1) < news_min)
    return ink::plain;
  return (*ratio > 1) == figure.more_is_better ? ink::good : ink::bad;
}

std::string text_of(
  const std::vector<compared_figure>& figures, const std::vector<std::string>& differences,
  const terminal::paint& look) {
  terminal::table table({"FIGURE", "FIRST", "SECOND", "RATIO"});
  for (const auto& each : figures) {
    if (!each.first && !each.second)
      continue;
    const auto ratio = each.ratio();
    table.add(
      {{each.name, ink::strong},
       {number_text(each.first), ink::plain, true},
       {number_text(each.second), ink::plain, true},
       {ratio ? fmt::format("{:.3f}", *ratio) : "-", ink_of(each), true}});
  }
  auto text = table.text(look);
  if (!differences.empty())
    text += "\nwhat else differs\n";
  for (const auto& each : differences)
    text += "  " + terminal::harmless(each) + '\n';
  return text;
}

ordered_json json_of(const std::vector<compared_figure>& figures, const std::vector<std::string>& differences) {
  const auto or_null = [](const std::optional<double>& value) { return value ? ordered_json(*value) : ordered_json(); };
  auto rows = ordered_json::array();
  for (const auto& each : figures)
    rows.push_back(
      {{"figure", each.name},
       {"first", or_null(each.first)},
       {"second", or_null(each.second)},
       {"ratio", or_null(each.ratio())}});
  return {{"figures", std::move(rows)}, {"differences", differences}};
}

load_result read_or_fail(const std::string& file) {
  try {
    return read_load_result(file);
  } catch (const std::invalid_argument& wrong) {
    throw command_failed(exit_status::wrong_command_line, wrong.what());
  }
}

/// Whether the second is as fast as it has to be.
exit_status judge(const load_result& first, const load_result& second, const compare_words& words) {
  if (!words.fail_below)
    return exit_status::done;
  const compared_figure rate{"runs_per_s", first.runs_per_s, second.runs_per_s, true};
  const auto ratio = rate.ratio();
  if (!ratio)
    throw command_failed(exit_status::failed, fmt::format("{} has no runs_per_s to be measured against", words.first));
  if (*ratio < *words.fail_below)
    throw command_failed(
      exit_status::failed, fmt::format(
                             "runs_per_s is {:.3f} of what it was in {}, less than --fail-below {}", *ratio,
                             words.first, *words.fail_below));
  return exit_status::done;
}

/// The file's name without folder and ending.
std::string name_of(const std::string& file) {
  return std::filesystem::path(file).stem().string();
}

exit_status compare_files(const command_line& line, const compare_words& words) {
  const auto first = read_or_fail(words.first);
  const auto second = read_or_fail(words.second);
  const auto figures = compare(first, second);
  const auto differences = setting_differences(first, second);
  if (line.json)
    terminal::print(json_of(figures, differences).dump(2) + '\n');
  else
    terminal::print(text_of(figures, differences, line.out.look));
  if (!words.report.empty())
    write_html_report(words.report, {{name_of(words.first), first}, {name_of(words.second), second}});
  return judge(first, second, words);
}

} // namespace

void add_compare_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<compare_words>();
  auto* command = app.add_subcommand("compare", "Lay the figures of two results side by side");
  command->add_option("first", words->first, "A result, as --out wrote it")->required();
  command->add_option("second", words->second, "Another one")->required();
  command
    ->add_option(
      "--fail-below", words->fail_below, "Fail when the second's runs_per_s is less than so many times the first's")
    ->check(CLI::PositiveNumber);
  command->add_option("--report", words->report, "Write a page with both to this file, as HTML");
  command->add_flag("--json", line.json, "Print JSON");
  command->callback([&line, words] { line.chosen = [&line, words] { return compare_files(line, *words); }; });
}

} // namespace levain::load
