// Hostile rows of the journal: a digit that chooses the workflow, then one event a line, as
// `kind|step|attempt|at|seq|body`. `at` is in seconds after the first event, `seq` is the next number when empty.
#include <charconv>

#include "actors/run_machine/machine.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_runs.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

/// What the database keeps: the years 1 to 9999.
constexpr timestamp earliest = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
constexpr timestamp latest = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
constexpr timestamp night = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);

template <class Number>
Number number_or(std::string_view text, Number otherwise) {
  Number value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

/// Nothing where the kind is none: such a row does not come out of the database as an event.
std::optional<event_record> read_record(std::string_view line, int32_t next) {
  event_record record;
  const auto kind = parse_event_kind(take_until(line, '|'));
  if (!kind)
    return std::nullopt;
  record.kind = *kind;
  record.step = take_until(line, '|');
  record.attempt = number_or<int32_t>(take_until(line, '|'), 0);
  record.at = std::clamp(night + std::chrono::seconds(number_or<int32_t>(take_until(line, '|'), 0)), earliest, latest);
  record.seq = number_or<int32_t>(take_until(line, '|'), next);
  record.body = line;
  return record;
}

std::optional<event> decoded(const event_record& record, const workflow_definition& workflow) {
  try {
    auto fact = decode_event(record, workflow);
    const auto again = encode_event(fact, workflow);
    require(decode_event(again, workflow) == fact, "an event is read as it is written", again.body);
    require(encode_event(decode_event(again, workflow), workflow) == again, "an event has one form", again.body);
    return fact;
  } catch (const broken_journal& damage) {
    require_damage(damage.what());
    return std::nullopt;
  }
}

void fold(run_state& state, const event& fact) {
  const auto before = state;
  try {
    evolve(state, fact);
  } catch (const broken_journal& damage) {
    require_damage(damage.what());
    require(state == before, "an event that cannot follow changes nothing", damage.what());
  }
}

void read_plan(const event_record& record, const run_plan& plan) {
  try {
    require(decode_plan(record, plan.run).run == plan.run, "a plan is that of its run");
  } catch (const broken_journal& damage) {
    require_damage(damage.what());
  }
}

} // namespace

LEVAIN_FUZZ_TARGET(journal_events) {
  fuzz_input lines(input);
  const auto& workflow = fuzz_workflows()[lines.below(fuzz_workflows().size())];
  lines.line();
  auto state = initial_state(workflow);
  while (!lines.at_end()) {
    const auto record = read_record(lines.line(), state.seq + 1);
    if (!record)
      continue;
    read_plan(*record, state.plan);
    if (const auto fact = decoded(*record, *workflow))
      fold(state, *fact);
  }
  require_sound(state, state.updated_at);
  require_steady(state, state.updated_at);
}

} // namespace levain::test
