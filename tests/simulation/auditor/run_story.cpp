#include "tests/simulation/auditor/run_story.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

using nlohmann::json;
using step_at = step_story::stage_type;
using undo_at = step_story::undo_type;

} // namespace

std::string to_string(const attempt_name& x) {
  return (x.undo ? "the undoing of " : "") + x.step + ", attempt " + std::to_string(x.attempt);
}

event_told read_told(const event_record& event) {
  event_told told;
  told.body = event.body.empty() ? json::object() : json::parse(event.body, nullptr, false);
  if (!told.body.is_object())
    told.body = json::object();
  const auto text = [&](const char* name) {
    const auto found = told.body.find(name);
    return found != told.body.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  told.failure = text("kind");
  told.by = text("by");
  told.due_at = parse_timestamp(text("due_at"));
  return told;
}

run_story::run_story(const run_id& id, const workflow_known& known, timestamp at, json first)
  : run(id)
  , workflow(&known)
  , accepted(std::move(first))
  , accepted_at(at)
  , updated_at(at) {
  if (const auto owner = uuid::parse(accepted.value("tenant", "")))
    tenant.value = *owner;
  for (const auto& each : known.steps) {
    steps.emplace_back();
    steps.back().known = &each;
  }
}

// ---- looking ----------------------------------------------------------------

const step_story* run_story::find(const std::string& step) const {
  const auto found =
    std::find_if(steps.begin(), steps.end(), [&](const step_story& each) { return each.known->name == step; });
  return found == steps.end() ? nullptr : &*found;
}

step_story* run_story::own_step(const std::string& step) {
  return const_cast<step_story*>(find(step));
}

std::set<std::string> run_story::earlier_than(const std::string& step) const {
  std::set<std::string> earlier;
  std::vector<std::string> open = {step};
  while (!open.empty()) {
    const auto* each = find(open.back());
    open.pop_back();
    if (each == nullptr)
      continue;
    for (const auto* names : {&each->known->needs, &each->known->after})
      for (const auto& name : *names)
        if (earlier.insert(name).second)
          open.push_back(name);
  }
  return earlier;
}

std::map<std::string, json_ptr> run_story::outputs_before(const step_story& step) const {
  std::map<std::string, json_ptr> outputs;
  for (const auto& name : earlier_than(step.known->name))
    if (const auto* before = find(name); before != nullptr && before->stage == step_at::succeeded)
      outputs[name] = before->output;
  return outputs;
}

std::map<std::string, json_ptr> run_story::seen_by(const step_story& step) const {
  const bool has_begun = step.stage == step_at::out || step.stage == step_at::backing_off;
  return has_begun ? step.sees : outputs_before(step);
}

std::string run_story::key_of(const step_story& step, bool undo) const {
  return levain::to_string(run) + "/" + step.known->name +
         (step.redo > 0 ? "/redo/" + std::to_string(step.redo) : std::string()) + (undo ? "/undo" : "");
}

bool run_story::is_out(const attempt_name& attempt) const {
  const auto* step = find(attempt.step);
  if (step == nullptr || stage == stage_type::ended)
    return false;
  return attempt.undo ? step->undo == undo_at::out && step->undo_attempt == attempt.attempt
                      : step->stage == step_at::out && step->attempt == attempt.attempt;
}

bool run_story::any_out() const {
  return std::any_of(steps.begin(), steps.end(), [](const step_story& each) { return each.stage == step_at::out; });
}

bool run_story::any_to_undo() const {
  return std::any_of(steps.begin(), steps.end(), [](const step_story& each) { return each.is_to_be_undone(); });
}

bool run_story::needs_attention() const {
  const bool ended = stage == stage_type::ended;
  return !resolved && std::any_of(steps.begin(), steps.end(), [&](const step_story& each) {
    return (each.left_behind && ended_as != run_status::completed) || each.undo == undo_at::failed ||
           (ended && (each.unknown_before || each.is_left_unknown()));
  });
}

// ---- what an event brings about ---------------------------------------------

void run_story::begin(step_story& step, timestamp at) {
  step.stage = step_at::out;
  ++step.attempt;
  ++step.attempts_in_round;
  step.due.reset();
  if (!step.began)
    step.began = at;
  auto& begun_now = begun[{step.known->name, step.attempt, false}];
  // A call without effect may have been seen before the disk knew of it.
  if (begun_now.at == timestamp{})
    begun_now.at = now_;
  begun_now.key = key_of(step, false);
  begun_now.results = step.sees;
}

void run_story::begin_free(timestamp at) {
  if (stage != stage_type::running)
    return;
  for (auto& step : steps) {
    const auto succeeded = [&](const std::string& name) { return find(name)->stage == step_at::succeeded; };
    const auto over = [&](const std::string& name) { return find(name)->has_ended(); };
    const auto& known = *step.known;
    if (
      step.stage == step_at::waiting && std::all_of(known.needs.begin(), known.needs.end(), succeeded) &&
      std::all_of(known.after.begin(), known.after.end(), over))
      step.stage = step_at::held;
    if (step.stage == step_at::held && !paused) {
      step.began.reset();
      step.sees = outputs_before(step);
      begin(step, at);
    }
  }
}

void run_story::begin_undo(step_story& step) {
  step.undo = undo_at::out;
  ++step.undo_attempt;
  ++step.undo_attempts_in_round;
  step.undo_due.reset();
  auto& begun_now = begun[{step.known->name, step.undo_attempt, true}];
  begun_now.at = now_;
  begun_now.key = key_of(step, true);
  begun_now.results = step.sees;
  if (step.stage == step_at::succeeded)
    begun_now.results[step.known->name] = step.output;
}

void run_story::begin_next_undo() {
  if (stage != stage_type::compensating || paused)
    return;
  step_story* last = nullptr;
  for (auto& step : steps) {
    if (step.undo == undo_at::out || step.undo == undo_at::backing_off)
      return;
    if (step.undo == undo_at::due && (last == nullptr || step.rank > last->rank))
      last = &step;
  }
  if (last != nullptr)
    begin_undo(*last);
}

void run_story::end_step(step_story& step, step_at how, timestamp at) {
  step.stage = how;
  step.ended = at;
  step.due.reset();
}

void run_story::fail_step(step_story& step, timestamp at) {
  end_step(step, step_at::failed, at);
  if (step.is_to_be_undone())
    step.rank = ++successes;
}

/// The attempt never began: the next one has its number.
void run_story::withdraw(step_story& step, timestamp at) {
  begun.erase({step.known->name, step.attempt, false});
  --step.attempt;
  --step.attempts_in_round;
  const bool running = stage == stage_type::running;
  if (step.attempts_in_round == 0) {
    step.stage = running ? step_at::held : step_at::waiting;
    step.began.reset();
  } else if (running) {
    step.stage = step_at::backing_off;
    step.due = at;
  } else {
    fail_step(step, at);
  }
  begin_free(at);
}

void run_story::stop(timestamp at) {
  if (stage != stage_type::pending)
    stage = stage_type::stopping;
  for (auto& step : steps)
    if (step.stage == step_at::backing_off)
      fail_step(step, at);
}

/// The run ends with something in hand: what is out is awaited no more, what stands stays.
void run_story::give_up_what_is_left(timestamp at) {
  for (auto& step : steps) {
    if (step.stage == step_at::out || step.stage == step_at::backing_off) {
      begun[{step.known->name, step.attempt, false}].over = true;
      step.unknown = step.unknown || (step.stage == step_at::out && !step.known->effect_none);
      fail_step(step, at);
    }
    if (step.undo == undo_at::out || step.undo == undo_at::backing_off)
      begun[{step.known->name, step.undo_attempt, true}].over = true;
    if (step.is_to_be_undone() || step.is_being_undone())
      step.undo = undo_at::failed;
  }
}

} // namespace levain::simulation
