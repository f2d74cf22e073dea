#pragma once

#include <string>

#include "tests/support/workflow_builder.hpp"

namespace levain::test {

/// What every call of these workflows answers.
inline constexpr const char* shape_output = R"({"count":7,"note":"as ordered, ready by four in the morning"})";

namespace shape_parts {

/// One step that takes no time, tells its audit columns and succeeds.
inline void add_step(workflow_builder& builder, int number, call_effect effect) {
  simulate_call call;
  call.output = shape_output;
  builder.step("step_" + std::to_string(number)).call(call);
  if (number <= audit_group_count)
    builder.audit(static_cast<audit_group>(number - 1));
  if (effect == call_effect::none)
    builder.effect_none();
}

} // namespace shape_parts

/// `steps` steps, each of which needs the one before it.
inline workflow_ptr chain(int steps, call_effect effect = call_effect::external) {
  workflow_builder builder("chain");
  for (int i = 1; i <= steps; ++i) {
    shape_parts::add_step(builder, i, effect);
    if (i == 1)
      builder.record("forecasts_generated", "/count");
    else
      builder.needs({"step_" + std::to_string(i - 1)});
  }
  return builder.build();
}

/// `steps` steps side by side, and one that needs them all.
inline workflow_ptr wide(int steps, call_effect effect = call_effect::external) {
  workflow_builder builder("wide");
  std::vector<std::string> all;
  for (int i = 1; i <= steps; ++i) {
    shape_parts::add_step(builder, i, effect);
    all.push_back("step_" + std::to_string(i));
  }
  shape_parts::add_step(builder, steps + 1, effect);
  builder.needs(all);
  return builder.build();
}

/// `layers` layers of two steps, each of which needs both steps of the layer before it.
inline workflow_ptr dag(int layers, call_effect effect = call_effect::external) {
  workflow_builder builder("dag");
  for (int i = 1; i <= 2 * layers; ++i) {
    shape_parts::add_step(builder, i, effect);
    const int before = (i - 1) / 2 * 2;
    if (before > 0)
      builder.needs({"step_" + std::to_string(before - 1), "step_" + std::to_string(before)});
  }
  return builder.build();
}

} // namespace levain::test
