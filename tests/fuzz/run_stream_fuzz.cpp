// A run that is fed whatever the bytes say, then its journal damaged as further bytes say and folded again. In the
// first half every promise of the machine holds; the second may throw `broken_journal` and nothing else.
#include <array>

#include "actors/gateway/run_view.hpp"
#include "actors/run_machine/explain.hpp"
#include "actors/run_machine/machine.hpp"
#include "persistence/append_rules.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_runs.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

constexpr timestamp night = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);
/// Ends the feeding; what follows damages the journal.
constexpr uint8_t feeding_ends = 255;

const std::array<std::string, 10> answers = {
  "{}",
  R"({"count": 3, "rate": 97, "id": "aaaaaaaa-0000-4000-8000-000000000001", "list": [1, 2.0]})",
  R"({"count": -1})",
  R"({"count": 2147483648, "rate": 100.5})",
  R"([1e17, -0.0, 1e400])",
  "not JSON",
  "",
  R"({"id": "a/b c%\u00e4", "list": [1e16, 100]})",
  "{\"a\":\"\\u0000\"}",
  "\xff",
};

/// One run and its journal.
class fed_journal {
public:
  fed_journal(workflow_ptr workflow, fuzz_input& input)
    : input_(input)
    , state_(initial_state(std::move(workflow))) {
    commit({accept_run(fuzz_plan(*state_.workflow), now_)});
  }

  void feed_until_told() {
    for (int fed = 0; fed < 300 && !input_.at_end(); ++fed) {
      const auto chosen = input_.byte();
      if (chosen == feeding_ends)
        break;
      feed(chosen);
    }
    require_sound(state_, now_);
    require(
      state_.phase == run_phase::ended || !explain(state_, {now_}).waits.empty(),
      "a run that goes on waits for something by name");
    require(
      state_.phase == run_phase::ended || !calls_out(state_).empty() || next_due(state_) || state_.paused ||
        state_.phase == run_phase::pending,
      "a run that goes on has a call out, a time, or a name for what it waits for");
  }

  std::vector<event_record>& records() { return records_; }
  const run_state& state() const { return state_; }
  timestamp now() const { return now_; }

private:
  call_answered answer() {
    const auto out = calls_out(state_);
    call_answered given;
    if (const auto chosen = input_.byte(); !out.empty() && chosen < 224) {
      const auto& call = out[chosen % out.size()];
      given = {call.step, call.attempt, call.undo, {}};
    } else {
      given = {static_cast<step_index>(input_.below(6)), input_.byte(), chosen % 2 == 1, {}};
    }
    const auto result = input_.byte();
    if (result % 2 == 0) {
      given.result = answers[result / 2 % answers.size()];
      return given;
    }
    call_failure failure{static_cast<call_failure::kind_type>(result / 2 % 6), "the service\nsays \xff no", {}};
    if (result > 127)
      failure.retry_after = std::chrono::seconds(input_.byte()) * input_.byte();
    given.result = std::move(failure);
    return given;
  }

  run_input chosen_input(uint8_t chosen) {
    switch (chosen % 16) {
    case 8:
      return slot_granted{};
    case 9:
      return pause_asked{"ann"};
    case 10:
      return resume_asked{"bob\x01"};
    case 11:
      return cancel_asked{"cleo", "no\nflour"};
    case 12:
      return retry_asked{"dora"};
    case 13:
      now_ += std::chrono::seconds(input_.byte());
      return clock_reached{};
    case 14:
      if (const auto due = next_due(state_))
        now_ = std::max(now_, *due);
      return clock_reached{};
    default:
      return answer();
    }
  }

  void feed(uint8_t chosen) {
    const decision_context context{now_, static_cast<double>(chosen) / 256};
    auto decided = decide(state_, chosen_input(chosen), context);
    if (decided.refusal) {
      require_line(*decided.refusal);
      return require(decided.events.empty() && decided.effects.empty(), "a refusal stands alone");
    }
    if (chosen % 16 == 15 && !decided.events.empty()) {
      const auto refused = decide(state_, events_refused{decided.events, "numeric field overflow"}, {now_, 0.5});
      return refused.refusal ? require_line(*refused.refusal) : commit(refused.events);
    }
    commit(decided.events);
  }

  void commit(const std::vector<event>& facts) {
    for (const auto& fact : facts) {
      const auto record = encode_event(fact, *state_.workflow);
      require(decode_event(record, *state_.workflow) == fact, "an event is read as it is written", record.body);
      records_.push_back(record);
      evolve(state_, fact);
    }
    if (facts.empty())
      return;
    run_append append;
    append.run = state_.plan.run;
    append.events.assign(records_.end() - static_cast<std::ptrdiff_t>(facts.size()), records_.end());
    (append.events.front().seq == 1 ? append.insert : append.update) = audit_of(state_);
    const auto refused = find_unsendable(append) ? find_unsendable(append) : find_refused(append);
    require(!refused, "what a run appends can be stored", refused.value_or(""));
  }

  fuzz_input& input_;
  timestamp now_ = night;
  run_state state_;
  std::vector<event_record> records_;
};

void damage(std::vector<event_record>& records, fuzz_input& input) {
  auto& one = records[input.below(records.size())];
  const auto& other = records[input.below(records.size())];
  switch (input.below(9)) {
  case 0:
    return static_cast<void>(records.erase(records.begin() + (&one - records.data())));
  case 1:
    return static_cast<void>(records.insert(records.begin() + (&one - records.data()), event_record(other)));
  case 2:
    return std::swap(one, records[static_cast<size_t>(&other - records.data())]);
  case 3:
    one.kind = static_cast<event_kind>(input.below(event_kind_count));
    return;
  case 4:
    one.body = other.body;
    return;
  case 5:
    one.step = other.step;
    return;
  case 6:
    // Negative ones too.
    one.attempt = static_cast<int32_t>(input.byte()) - 128;
    return;
  case 7:
    one.at += std::chrono::seconds(static_cast<int8_t>(input.byte())) * input.byte();
    return;
  default:
    if (!one.body.empty())
      one.body[input.byte() % one.body.size()] = static_cast<char>(input.byte());
  }
}

} // namespace

LEVAIN_FUZZ_TARGET(run_stream) {
  fuzz_input bytes(input);
  const auto& workflow = fuzz_workflows()[bytes.below(fuzz_workflows().size())];
  fed_journal run(workflow, bytes);
  run.feed_until_told();
  auto& records = run.records();
  require(fold_events(workflow, records) == run.state(), "a journal folds to the state that wrote it");
  if (bytes.at_end())
    return;
  while (!bytes.at_end() && !records.empty())
    damage(records, bytes);
  // Numbered anew every other time: otherwise a hole is all that is ever found.
  if (input.size() % 2 == 0)
    for (size_t i = 0; i < records.size(); ++i)
      records[i].seq = static_cast<int32_t>(i + 1);
  auto state = initial_state(workflow);
  try {
    for (const auto& record : records)
      evolve(state, decode_event(record, *workflow));
  } catch (const broken_journal& found) {
    require_damage(found.what());
  }
  require_sound(state, run.now());
  require_steady(state, run.now());
}

} // namespace levain::test
