#include "tests/simulation/coverage.hpp"

namespace levain::simulation {

std::string_view to_string(sight x) {
  static constexpr std::array<std::string_view, sight_count> names{
    "runs started",
    "starts repeated",
    "key conflicts",
    "starts refused",
    "calls made",
    "calls made again",
    "calls failed",
    "calls timed out",
    "late answers",
    "second answers",
    "unusable answers",
    "executor throws",
    "undone steps",
    "cancels granted",
    "pauses granted",
    "resumes granted",
    "retries granted",
    "wishes refused",
    "wishes of strangers",
    "versions in flight",
    "commits",
    "commits transient",
    "commits serialized",
    "commits lost before",
    "commits lost after",
    "rows refused",
    "fences",
    "outages",
    "slow answers",
    "held actors",
    "kills at a message",
    "kills before a commit",
    "kills after a commit",
    "kills at a lease",
    "restarts",
    "takeovers",
    "pauses",
    "pauses beyond lease",
    "lease losses",
    "stops",
    "clock jumps",
    "run retries",
    "drains",
    "hand-overs"};
  return names[static_cast<size_t>(x)];
}

} // namespace levain::simulation
