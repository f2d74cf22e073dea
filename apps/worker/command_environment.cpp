#include "apps/worker/command_environment.hpp"

#include <algorithm>

#include "persistence/child_environment.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

std::vector<std::string> command_environment(const worker_step& step, const std::vector<std::string>& passed) {
  const std::map<std::string, std::string> of_the_step{
    {"LEVAIN_KEY", step.key()},
    {"LEVAIN_ATTEMPT", std::to_string(step.attempt())},
    {"LEVAIN_DEADLINE", to_rfc3339(std::chrono::floor<duration>(step.deadline()))},
    {"LEVAIN_RUN", step.run()},
    {"LEVAIN_RUN_NUMBER", step.run_number()},
    {"LEVAIN_TENANT", step.tenant()},
    {"LEVAIN_STEP", step.step()},
    {"LEVAIN_KIND", step.kind()},
    {"LEVAIN_UNDO", step.undo() ? "1" : "0"}};
  return child_environment(of_the_step, [&passed](std::string_view name) {
    if (!name.starts_with("LEVAIN_") && !name.starts_with("PG"))
      return false;
    return name != "LEVAIN_URL" && std::find(passed.begin(), passed.end(), name) == passed.end();
  });
}

} // namespace levain
