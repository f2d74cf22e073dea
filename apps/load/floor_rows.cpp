#include "apps/load/floor_rows.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "actors/run_machine/machine.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain::load {

namespace {

std::string run_number_of(timestamp at, int64_t number) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(at));
  return fmt::format(
    "ORCH-{:04}{:02}{:02}-{:08}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), number);
}

/// Folds events into the state as if they were committed, and puts them into `append`.
void remember(run_state& state, const std::vector<event>& facts, run_append& append) {
  for (const auto& fact : facts) {
    append.events.push_back(encode_event(fact, *state.workflow));
    evolve(state, fact);
  }
}

} // namespace

workflow_ptr floor_workflow() {
  using nlohmann::json;
  auto steps = json::array();
  for (size_t i = 1; i <= floor_steps; ++i) {
    json step = {{"name", fmt::format("step_{}", i)}, {"call", {{"simulate", json::object()}}}};
    if (i > 1)
      step["needs"] = {fmt::format("step_{}", i - 1)};
    steps.push_back(std::move(step));
  }
  const json definition = {{"workflow", "load_floor"}, {"version", 1}, {"steps", std::move(steps)}};
  auto parsed = parse_definition(definition.dump());
  if (!parsed.workflow)
    throw std::logic_error("the floor's workflow is refused: " + to_string(parsed.errors.front()));
  return parsed.workflow;
}

floor_rows::floor_rows(workflow_ptr workflow, origin from)
  : workflow_(std::move(workflow))
  , from_(std::move(from))
  , random_(from_.seed) {}

floor_group floor_rows::make(size_t runs, int64_t first_number) {
  std::array<std::vector<run_append>, floor_commits> commits;
  for (size_t i = 0; i < runs; ++i)
    add_run(commits, first_number + static_cast<int64_t>(i));
  floor_group group;
  group.reserve(floor_commits);
  for (const auto& commit : commits)
    group.emplace_back(commit, from_.method);
  return group;
}

void floor_rows::add_run(std::array<std::vector<run_append>, floor_commits>& commits, int64_t number) {
  timestamp now = now_utc();
  const auto shard = from_.shards[random_() % from_.shards.size()];
  run_plan plan;
  plan.run = make_run_id(now, {random_(), random_()}, shard);
  plan.run_number = run_number_of(now, number);
  plan.tenant = from_.tenant;
  plan.workflow = workflow_->name;
  plan.workflow_version = workflow_->version;
  plan.run_type = "test";
  plan.triggered_by = "levain-load";

  auto state = initial_state(workflow_);
  for (size_t commit = 0; commit < floor_commits; ++commit) {
    run_append append;
    append.run = plan.run;
    append.epoch = from_.epochs[shard];
    if (commit == 0) {
      remember(state, {accept_run(plan, now)}, append);
      remember(state, decide(state, slot_granted{}, {now}).events, append);
      append.insert = audit_of(state);
    } else {
      now += std::chrono::microseconds(1);
      const call_answered answer{static_cast<step_index>(commit - 1), 1, false, std::string("{}")};
      remember(state, decide(state, answer, {now}).events, append);
    }
    if (commit + 1 == floor_commits)
      append.update = audit_of(state);
    commits[commit].push_back(std::move(append));
  }
  if (state.phase != run_phase::ended || state.ended_as != run_status::completed)
    throw std::logic_error("a run of the floor did not complete");
}

} // namespace levain::load
