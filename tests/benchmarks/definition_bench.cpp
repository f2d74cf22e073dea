// Workflow definitions read and checked.
#include <benchmark/benchmark.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "actors/workflow/parse_definition.hpp"
#include "test_paths.hpp"

using namespace levain;

namespace {

std::string bakery_text() {
  std::ostringstream text;
  text << std::ifstream(LEVAIN_SOURCE_DIR "/apps/bakery/daily_bakery.json").rdbuf();
  return text.str();
}

/// A chain as long as a definition may be.
std::string longest_chain_text() {
  auto steps = nlohmann::json::array();
  for (size_t i = 0; i < definition_steps_max; ++i) {
    nlohmann::json step = {{"name", "step_" + std::to_string(i)}, {"call", {{"simulate", nlohmann::json::object()}}}};
    if (i > 0)
      step["needs"] = {"step_" + std::to_string(i - 1)};
    steps.push_back(std::move(step));
  }
  return nlohmann::json{{"workflow", "longest"}, {"version", 1}, {"steps", std::move(steps)}}.dump();
}

void parse(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    auto parsed = parse_definition(text);
    if (!parsed.workflow)
      state.SkipWithError("the definition was refused");
    benchmark::DoNotOptimize(parsed);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse, daily_bakery, bakery_text());
BENCHMARK_CAPTURE(parse, longest_chain, longest_chain_text());

} // namespace
