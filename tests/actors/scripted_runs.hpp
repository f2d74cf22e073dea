#pragma once

#include <memory>

#include "tests/support/actor_world.hpp"
#include "tests/support/workflow_builder.hpp"

namespace levain::test {

/// A call that waits until the test answers it.
inline call_spec scripted() {
  return function_call{"scripted"};
}

inline call_failure failure(call_failure::kind_type kind) {
  return {kind, "the oven is cold", std::nullopt};
}

inline workflow_ptr chain() {
  return workflow_builder("chain").step("one").call(scripted()).step("two").call(scripted()).needs({"one"}).build();
}

/// As `chain`; the first step has columns of the row, and the second takes its time.
inline workflow_ptr forecast_first() {
  return workflow_builder("long")
    .step("one")
    .call(scripted())
    .audit(audit_group::forecasting)
    .step("two")
    .call(scripted())
    .needs({"one"})
    .timeout(std::chrono::hours(1))
    .build();
}

/// Appends find no database for as long as `away` says so.
inline void database_away(actor_world& world, std::shared_ptr<bool> away) {
  world.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
}

} // namespace levain::test
