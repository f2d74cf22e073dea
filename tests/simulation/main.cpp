#include "tests/simulation/draw_plan.hpp"
#include "tests/simulation/trial.hpp"
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
using namespace levain::simulation;
int main(int argc, char** argv) {
  const uint64_t first = std::strtoull(argv[1], nullptr, 10);
  const uint64_t count = std::strtoull(argv[2], nullptr, 10);
  const bool verbose = argc > 3;
  coverage all;
  uint64_t messages = 0;
  int failed = 0;
  for (uint64_t s = first; s < first + count; ++s) {
    const auto p = draw_plan(s);
    if (verbose)
      fmt::print("{}", to_text(p));
    fmt::print(stderr, "{} ", s);
    std::fflush(stderr);
    const auto v = try_plan(p, verbose ? telling::lines_and_logs : telling::verdict_only);
    for (const auto& l : v.lines)
      fmt::print("{}\n", l);
    all += v.seen;
    messages += v.messages;
    if (!v.violations.empty()) {
      ++failed;
      const auto& x = v.violations.front();
      fmt::print(
        "seed {}: {} {} ({} in all, {} messages, {} s)\n", s, to_string(x.broken), x.text, v.violations.size(),
        v.messages, v.lasted.count() / 1000000);
    }
  }
  for (size_t i = 0; i < sight_count; ++i)
    fmt::print("{} {}\n", to_string(static_cast<sight>(i)), all.counts[i]);
  fmt::print("{} messages, {} failed\n", messages, failed);
}
