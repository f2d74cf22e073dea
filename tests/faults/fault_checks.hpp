#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

#include "tests/support/daemon.hpp"
#include "tests/support/evidence.hpp"

namespace levain::test {

/// How long a test waits for what has to happen; a busy machine may take its time.
inline constexpr auto generous = std::chrono::seconds(120);

inline const std::string some_tenant = "3f2b8c1e-5d4a-4b6f-9e8d-7c6b5a493827";

/// Checks that all runs end, each once, that none that was acknowledged is lost, and that everything that is remembered
/// agrees with itself.
inline void check_all_is_well(evidence& seen, const starter& starts) {
  BOOST_TEST(
    eventually([&] { return seen.all_ended(); }, generous),
    "only " << seen.runs_ended() << " of " << seen.runs() << " runs have ended");
  BOOST_TEST(seen.lost(starts.acknowledged()).size() == 0U);
  for (const auto& each : seen.contradictions())
    BOOST_ERROR(each);
}

} // namespace levain::test
