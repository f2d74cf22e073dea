// Runs worlds from seeds, and shows what broke a rule as briefly as it can be shown.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "tests/simulation/draw_plan.hpp"
#include "tests/simulation/seed_runner.hpp"
#include "tests/simulation/shrinking.hpp"
#include "tests/simulation/trial.hpp"

namespace {

using namespace levain::simulation;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
/// Failing seeds that are shrunk; of further ones only the rule is named.
constexpr size_t shown_max = 3;

struct settings {
  seed_range seeds{.first = 1, .count = 2'000, .jobs = 2};
  double minutes = 0;
  std::string plan_file;
  std::string folder = "build/simulate";
  bool trace = false;
  bool logs = false;
  bool show_plan = false;
  bool keep_going = false;
  bool no_shrink = false;
  bool every_fault = false;
};

void print_lines(const std::vector<std::string>& lines) {
  for (const auto& each : lines)
    fmt::print("  {}\n", each);
}

std::string indented(const std::string& text) {
  std::string all = "  ";
  for (size_t i = 0; i < text.size(); ++i) {
    all += text[i];
    if (text[i] == '\n' && i + 1 < text.size())
      all += "  ";
  }
  return all;
}

/// What is broken, by whom, and how to see it again.
void explain_failure(const std::string& of, const plan& whole, const verdict& found, const settings& with) {
  const auto& first = found.violations.front();
  fmt::print("\n{} breaks the rule {}: {}\n", of, to_string(first.broken), sentence_of(first.broken));
  fmt::print(
    "  seen at {}{}: {}\n", levain::to_rfc3339(first.at), first.run ? " of run " + to_string(*first.run) : "",
    first.text);
  if (with.no_shrink)
    return;
  const auto broken = first.broken;
  const auto small = shrink(whole, [&](const plan& x) { return breaks_rule(x, broken); });
  const auto again = try_plan(small.smallest, telling::lines);
  std::filesystem::create_directories(with.folder);
  const auto file = std::filesystem::path(with.folder) / fmt::format("{}-{}.plan", to_string(broken), whole.shape.seed);
  std::ofstream(file) << fmt::format(
    "# {}: {}\n{}", to_string(broken), again.violations.front().text, to_text(small.smallest));
  fmt::print(
    "The plan, shrunk from {} items to {} in {} tries:\n{}", whole.items.size(), small.smallest.items.size(),
    small.tried, indented(to_text(small.smallest)));
  fmt::print("Its trace:\n");
  print_lines(again.lines);
  fmt::print("Which breaks: {}\n", again.violations.front().text);
  fmt::print("Replay it:           ./dev simulate --plan {} --trace\n", file.string());
  fmt::print("Keep it from return: cp {} tests/simulation/regressions/NAME.plan\n", file.string());
}

int run_plan(const settings& with) {
  std::ifstream in(with.plan_file);
  if (!in) {
    fmt::print(stderr, "levain-simulate: --plan {}: no such file can be read\n", with.plan_file);
    return exit_usage;
  }
  const auto read = parse_plan(std::string(std::istreambuf_iterator<char>(in), {}));
  const auto found = try_plan(read, with.logs ? telling::lines_and_logs : telling::lines);
  if (with.trace || with.logs)
    print_lines(found.lines);
  fmt::print(
    "{} messages in {} s of virtual time, trace {:016x}\n", found.messages, found.lasted / std::chrono::seconds(1),
    found.trace_hash);
  for (const auto& each : found.violations)
    fmt::print("breaks {} at {}: {}\n", to_string(each.broken), levain::to_rfc3339(each.at), each.text);
  if (found.violations.empty())
    return 0;
  explain_failure(with.plan_file, read, found, with);
  return exit_failed;
}

void show_seed(const settings& with) {
  const auto drawn = draw_plan(with.seeds.first);
  if (with.show_plan)
    fmt::print("{}", to_text(drawn));
  if (with.trace || with.logs)
    print_lines(try_plan(drawn, with.logs ? telling::lines_and_logs : telling::lines).lines);
}

void print_coverage(const coverage& seen) {
  for (size_t i = 0; i < sight_count; ++i)
    fmt::print(
      "{:>10} {:<22}{}", seen.counts[i], to_string(static_cast<sight>(i)),
      i % 3 == 2 || i + 1 == sight_count ? "\n" : "");
}

int run_many(const settings& with) {
  const bool lively = isatty(STDERR_FILENO) == 1;
  const auto all = run_seeds(with.seeds, [&](const seeds_result& now) {
    if (lively)
      fmt::print(
        stderr, "\r{} seeds, {:.0f} a second, {} failed ", now.run, static_cast<double>(now.run) / now.took.count(),
        now.failed.size());
  });
  if (lively)
    fmt::print(stderr, "\r\033[K");
  fmt::print(
    "{} seeds from {} in {:.1f} s: {:.0f} a second, {} messages, {:.1f} days of virtual time, stories {:016x}\n",
    all.run, with.seeds.first, all.took.count(), static_cast<double>(all.run) / all.took.count(), all.messages,
    std::chrono::duration<double, std::ratio<86400>>(all.lasted).count(), all.stories_hash);
  print_coverage(all.seen);
  bool failed = false;
  for (const auto& [seed, how] : all.crashed) {
    failed = true;
    fmt::print(
      "\nseed {} ends its process by {} {}; see it: ./dev simulate --seed {} --seeds 1 --trace\n", seed,
      how > 0 ? "signal" : "status", std::abs(how), seed);
  }
  size_t shown = 0;
  for (const auto seed : all.failed) {
    failed = true;
    const auto drawn = draw_plan(seed);
    auto brief = with;
    brief.no_shrink = with.no_shrink || shown++ >= shown_max;
    explain_failure(fmt::format("seed {}", seed), drawn, try_plan(drawn), brief);
  }
  if (with.every_fault && !failed)
    for (size_t i = 0; i < sight_count; ++i)
      if (all.seen.counts[i] == 0) {
        failed = true;
        fmt::print("\nnot once in all these seeds: {}\n", to_string(static_cast<sight>(i)));
      }
  if (!failed)
    fmt::print("every rule was kept\n");
  return failed ? exit_failed : 0;
}

} // namespace

int main(int argc, char** argv) {
  settings with;
  CLI::App app{"Simulates whole worlds of nodes, people, services and faults from seeds, and audits what happens."};
  app.add_option("--seeds", with.seeds.count, "How many seeds")
    ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40))
    ->capture_default_str();
  app.add_option("--seed", with.seeds.first, "The first one")->capture_default_str();
  app.add_option("--minutes", with.minutes, "As many seeds as these minutes hold")->check(CLI::Range(0.01, 100'000.0));
  app.add_option("--jobs", with.seeds.jobs, "Processes")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--plan", with.plan_file, "Let the plan of this file happen instead");
  app.add_option("--folder", with.folder, "Where shrunk plans go")->capture_default_str();
  app.add_flag("--trace", with.trace, "Print what is seen (of the first seed, or of the plan)");
  app.add_flag("--logs", with.logs, "Print what the engine logs as well");
  app.add_flag("--show-plan", with.show_plan, "Print the plan of the first seed");
  app.add_flag("--keep-going", with.keep_going, "Do not stop at the first seed that fails");
  app.add_flag("--no-shrink", with.no_shrink, "Only name what fails");
  app.add_flag("--every-fault", with.every_fault, "Fail also when a kind of fault never happened");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    const int status = app.exit(wrong);
    return status == 0 ? 0 : exit_usage;
  }
  if (with.keep_going)
    with.seeds.failures_max = ~size_t{0};
  if (with.minutes > 0) {
    with.seeds.time_max = std::chrono::seconds(static_cast<int64_t>(with.minutes * 60));
    if (app.count("--seeds") == 0)
      with.seeds.count = ~uint64_t{0} - with.seeds.first;
  }
  try {
    if (!with.plan_file.empty())
      return run_plan(with);
    if (with.trace || with.logs || with.show_plan)
      show_seed(with);
    return run_many(with);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "levain-simulate: {}\n", failure.what());
    return exit_usage;
  }
}
