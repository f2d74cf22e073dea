#include "tests/support/five_steps.hpp"

#include <string>

namespace levain::test {

using nlohmann::json;

json five_steps() {
  auto steps = json::array();
  for (int i = 1; i <= 5; ++i) {
    json step{
      {"name", "step_" + std::to_string(i)},
      {"call",
       {{"simulate",
         {{"distribution", "uniform"}, {"time", "10ms"}, {"time_max", "300ms"}, {"fail_rate", 0.05}, {"seed", i}}}}},
      {"retry", {{"max_attempts", 20}, {"initial_interval", "20ms"}, {"max_interval", "100ms"}}},
    };
    if (i > 1)
      step["needs"] = {"step_" + std::to_string(i - 1)};
    if (i <= 3)
      step["compensate"] = {{"simulate", {{"time", "5ms"}}}};
    if (i == 4)
      step["call"]["simulate"]["fail_final_rate"] = 0.03;
    steps.push_back(std::move(step));
  }
  return {{"workflow", "five_steps"}, {"version", 1}, {"steps", std::move(steps)}};
}

} // namespace levain::test
