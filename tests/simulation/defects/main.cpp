// Linked with an engine in which a defect was planted: succeeds when the auditor finds it, by the rules that it is said
// to break, within so many seeds.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "tests/simulation/draw_plan.hpp"
#include "tests/simulation/trial.hpp"

namespace {

using namespace levain::simulation;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct settings {
  uint64_t seeds = 100;
  uint64_t first = 1;
  std::vector<std::string> rules;
};

int look_for(const settings& with) {
  for (uint64_t i = 0; i < with.seeds; ++i) {
    const auto found = try_plan(draw_plan(with.first + i));
    if (found.violations.empty())
      continue;
    const auto& first = found.violations.front();
    const std::string rule(to_string(first.broken));
    fmt::print("seed {}, the {}. of {}: {}: {}\n", with.first + i, i + 1, with.seeds, rule, first.text);
    if (std::find(with.rules.begin(), with.rules.end(), rule) != with.rules.end())
      return 0;
    fmt::print("this is not what the planted defect breaks: {}\n", fmt::join(with.rules, ", "));
    return exit_failed;
  }
  fmt::print("the planted defect was not found in {} seeds; it breaks {}\n", with.seeds, fmt::join(with.rules, " or "));
  return exit_failed;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Looks for the defect that was planted in this engine.");
  settings with;
  app.add_option("--seeds", with.seeds, "How many seeds to try at most")->check(CLI::PositiveNumber);
  app.add_option("--seed", with.first, "The first of them");
  app.add_option("--rules", with.rules, "The rules that the defect breaks, by name")->required()->delimiter(',');
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : exit_usage;
  }
  for (const auto& each : with.rules)
    if (!parse_rule(each)) {
      fmt::print(stderr, "--rules: there is no rule '{}'\n", each);
      return exit_usage;
    }
  return look_for(with);
}
