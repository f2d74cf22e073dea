// What a node may send a worker: a call, and where other gates are.
#include "actors/worker/call_checks.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

LEVAIN_FUZZ_TARGET(given_call) {
  fuzz_input lines(input);
  call_given given;
  given.kind = lines.line();
  given.key = lines.line();
  given.step = lines.line();
  given.run_number = lines.line();
  given.attempt = lines.byte();
  given.epoch = int64_t{lines.byte()} - 128;
  given.time_left = int64_t{lines.byte()} - 128;
  given.heartbeat = int64_t{lines.byte()} - 128;
  const auto gates = check_gates({given.kind, given.key});
  if (const auto* wrong = std::get_if<nonsense>(&gates))
    require_line(wrong->reason);
  else
    for (const auto& each : std::get<std::vector<wire_address>>(gates))
      require(parse_wire_address(to_string(each)) == each, "a gate is read as it is written", to_string(each));
  given.body = lines.rest();
  auto checked = check_call(given);
  if (const auto* wrong = std::get_if<nonsense>(&checked))
    return require_line(wrong->reason);
  const auto& call = std::get<arrived_call>(checked);
  require(call.given.key == given.key && call.given.kind == given.kind, "a call keeps its names");
  require(call.body->at("results").is_object() && call.body->at("run").is_object(), "a function sees objects");
  require(call.body->contains("input"), "a function sees an input");
}

} // namespace levain::test
