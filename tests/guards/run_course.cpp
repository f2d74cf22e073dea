#include "tests/guards/run_course.hpp"

#include <deque>
#include <stdexcept>
#include <variant>

#include "actors/run_machine/prepare_call.hpp"

namespace levain::test {

namespace {

constexpr timestamp course_begin{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
/// Between two decisions of a run.
constexpr duration decision_interval = std::chrono::milliseconds(3);

/// One run on its way.
class course {
public:
  course(const workflow_ptr& workflow, const run_plan& plan)
    : state_(initial_state(workflow)) {
    std::vector<event> facts = {accept_run(plan, now_)};
    evolve(state_, facts.front());
    auto decided = decide(state_, slot_granted{}, {now_, 0.5});
    fold(decided);
    for (auto& fact : decided.events)
      facts.push_back(std::move(fact));
    append(facts);
  }

  std::vector<run_append> finish(const std::string& output) {
    while (!calls_.empty()) {
      const begin_call call = calls_.front();
      calls_.pop_front();
      now_ += decision_interval;
      auto decided = decide(state_, call_answered{call.step, call.attempt, call.undo, output}, {now_, 0.5});
      fold(decided);
      append(decided.events);
    }
    if (state_.ended_as != run_status::completed)
      throw std::logic_error("the run's course did not end as completed");
    return std::move(appends_);
  }

private:
  void fold(const decision& decided) {
    for (const auto& fact : decided.events)
      evolve(state_, fact);
    for (const auto& effect : decided.effects) {
      const auto& call = std::get<begin_call>(effect);
      if (!std::holds_alternative<call_request>(prepare_call(state_, call.step, call.undo, {})))
        throw std::logic_error("a call of the run's course cannot be prepared");
      calls_.push_back(call);
    }
  }

  void append(const std::vector<event>& facts) {
    run_append all;
    all.run = state_.plan.run;
    all.epoch = 1;
    all.events.reserve(facts.size());
    for (const auto& fact : facts)
      all.events.push_back(encode_event(fact, *state_.workflow));
    if (facts.front().seq == 1)
      all.insert = audit_of(state_);
    else if (state_.phase == run_phase::ended)
      all.update = audit_of(state_);
    appends_.push_back(std::move(all));
  }

  timestamp now_ = course_begin;
  run_state state_;
  std::deque<begin_call> calls_;
  std::vector<run_append> appends_;
};

} // namespace

run_plan course_plan(const workflow_definition& workflow, size_t number) {
  const auto spread = static_cast<uint64_t>(number) * 0x9e3779b97f4a7c15ULL;
  run_plan plan;
  plan.run = make_run_id(course_begin, {spread, ~spread}, static_cast<shard_number>(number % shard_count));
  plan.run_number = "ORCH-20261123-" + std::to_string(10'000'000 + number);
  plan.tenant.value = *uuid::parse("11111111-1111-4111-8111-111111111111");
  plan.workflow = workflow.name;
  plan.workflow_version = workflow.version;
  plan.triggered_by = "course";
  return plan;
}

std::vector<run_append> take_course(const workflow_ptr& workflow, run_plan plan, const std::string& output) {
  return course(workflow, plan).finish(output);
}

std::vector<std::vector<run_append>>
take_courses(const workflow_ptr& workflow, size_t runs, const std::string& output) {
  std::vector<std::vector<run_append>> batches;
  for (size_t i = 0; i < runs; ++i) {
    auto appends = take_course(workflow, course_plan(*workflow, i), output);
    if (batches.size() < appends.size())
      batches.resize(appends.size());
    for (size_t k = 0; k < appends.size(); ++k)
      batches[k].push_back(std::move(appends[k]));
  }
  return batches;
}

} // namespace levain::test
