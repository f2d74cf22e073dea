#include "tests/simulation/callers.hpp"

#include <caf/send.hpp>
#include <fmt/format.h>
#include <stdexcept>

#include "actors/workflow/parse_definition.hpp"

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

/// An answer that has not come by then never will, for all a caller knows.
constexpr duration patience = std::chrono::seconds(4);
/// Whoever wants to register, or to resume at the end, asks so often.
constexpr uint32_t tries_enough = 1000;
/// Who asks about a run of which nobody has heard yet, or a node that is gone, asks so often.
constexpr uint32_t question_tries = 20;

std::string_view word_of(start_refused::reason_type reason) {
  switch (reason) {
  case start_refused::reason_type::busy:
    return "busy";
  case start_refused::reason_type::not_ready:
    return "not_ready";
  case start_refused::reason_type::key_conflict:
    return "key_conflict";
  case start_refused::reason_type::rejected:
    return "rejected";
  }
  return "";
}

std::string_view word_of(wish_refused::reason_type reason) {
  switch (reason) {
  case wish_refused::reason_type::not_found:
    return "not_found";
  case wish_refused::reason_type::conflict:
    return "conflict";
  case wish_refused::reason_type::unavailable:
    return "unavailable";
  case wish_refused::reason_type::elsewhere:
    return "elsewhere";
  case wish_refused::reason_type::rejected:
    return "rejected";
  }
  return "";
}

workflow_ptr parsed(const std::string& body) {
  auto read = parse_definition(body);
  if (!read.workflow)
    throw std::invalid_argument("a workflow of the plan is wrong: " + to_string(read.errors.front()));
  return read.workflow;
}

wait_known wait_of(const retry_policy& from) {
  return {from.initial_interval, from.backoff, from.max_interval, from.jitter};
}

workflow_known known_from(const workflow_definition& from) {
  workflow_known known{from.name, from.version, {}, from.run_retries.max, {}};
  const auto& again = from.run_retries;
  known.run_retry_wait = {again.initial_interval, again.backoff, again.max_interval, 0};
  for (const auto& step : from.steps) {
    step_known x;
    x.name = step.name;
    for (const auto need : step.needs)
      x.needs.push_back(from.steps[need].name);
    for (const auto other : step.after)
      x.after.push_back(from.steps[other].name);
    x.compensates = step.compensate.has_value();
    x.effect_none = step.effect == call_effect::none;
    x.continues = step.on_failure == failure_policy::proceed;
    x.undone_in_doubt = step.compensate_when == compensation_condition::attempted;
    x.attempts_max = step.retry.max_attempts;
    x.undo_attempts_max = step.compensate ? step.compensate->retry.max_attempts : 0;
    x.retry_wait = wait_of(step.retry);
    x.timeout = step.timeout;
    x.queue_timeout = step.queue_timeout;
    if (step.compensate) {
      x.undo_retry_wait = wait_of(step.compensate->retry);
      x.undo_timeout = step.compensate->timeout;
      x.undo_queue_timeout = step.compensate->queue_timeout;
    }
    x.audit = step.audit;
    for (const auto& entry : step.record)
      x.records.push_back({entry.column, entry.pointer});
    known.steps.push_back(std::move(x));
  }
  return known;
}

wish wish_of(wish_kind kind, std::string by) {
  switch (kind) {
  case wish_kind::cancel:
    return cancel_asked{std::move(by), "no longer needed"};
  case wish_kind::pause:
    return pause_asked{std::move(by)};
  case wish_kind::resume:
    return resume_asked{std::move(by)};
  case wish_kind::terminate:
    return terminate_asked{std::move(by), "nobody waits for it"};
  case wish_kind::resolve:
    return resolve_asked{std::move(by), "it was seen to"};
  case wish_kind::retry:
    break;
  }
  return retry_asked{std::move(by)};
}

sight granted(wish_kind kind) {
  switch (kind) {
  case wish_kind::cancel:
    return sight::cancels_granted;
  case wish_kind::pause:
    return sight::pauses_granted;
  case wish_kind::resume:
    return sight::resumes_granted;
  case wish_kind::terminate:
    return sight::terminates_granted;
  case wish_kind::resolve:
    return sight::resolves_granted;
  case wish_kind::retry:
    break;
  }
  return sight::retries_granted;
}

} // namespace

callers::callers(ground& under, std::function<node_life*(int)> living)
  : under_(under)
  , living_(std::move(living))
  , luck_(seed_for(under.script.shape.seed, "callers")) {}

tenant_id callers::tenant_of(int number) {
  tenant_id tenant;
  tenant.value.bytes = {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x41, 0x11, 0x81, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11};
  tenant.value.bytes.back() = static_cast<uint8_t>(number + 1);
  return tenant;
}

void callers::begin() {
  for (const auto& each : under_.script.items) {
    if (const auto* flow = std::get_if<workflow_item>(&each)) {
      publish(*flow);
    } else if (const auto* start = std::get_if<start_item>(&each)) {
      auto x = std::make_shared<start_asking>(start_asking{*start, start->tries});
      tenants_[start->id] = start->tenant;
      ++pending_;
      under_.coming.at(under_.now + start->at, [this, x] { ask(x); });
    } else if (const auto* wish = std::get_if<wish_item>(&each)) {
      auto x = std::make_shared<wish_asking>(wish_asking{*wish, wish->tries});
      ++pending_;
      under_.coming.at(under_.now + wish->at, [this, x] { ask(x); });
    } else if (const auto* question = std::get_if<question_item>(&each)) {
      under_.coming.at(under_.now + question->at, [this, what = *question] { ask(what, question_tries); });
    }
  }
}

std::optional<run_id> callers::run_of(int start) const {
  const auto found = runs_.find(start);
  return found == runs_.end() ? std::nullopt : std::optional(found->second);
}

node_life* callers::whom(int node, const std::optional<run_id>& run) const {
  if (node != any_node)
    return living_(node);
  if (run) {
    const auto owner = under_.owners.find(shard_of(*run));
    if (owner != under_.owners.end() && owner->second && owner->second->alive)
      return living_(owner->second->who.node);
  }
  for (int i = 0; i < under_.script.shape.nodes; ++i)
    if (auto* found = living_(i))
      return found;
  return nullptr;
}

// ---- workflows --------------------------------------------------------------

void callers::publish(const workflow_item& what) {
  const auto workflow = parsed(what.body);
  versions_[workflow->name].push_back(workflow->version);
  under_.audience.saw(known_from(*workflow));
  under_.coming.at(under_.now + what.at, [this, what] { put(what); });
}

void callers::put(const workflow_item& what) {
  const auto again = [this, what] { under_.coming.at(under_.now + milliseconds(200), [this, what] { put(what); }); };
  auto* node = whom(what.node, std::nullopt);
  if (node == nullptr || node->state()->paused) {
    again();
    return;
  }
  // Registering the same again changes nothing, so whoever has no answer asks again.
  auto answered = std::make_shared<bool>(false);
  under_.coming.at(under_.now + patience, [again, answered] {
    if (!std::exchange(*answered, true))
      again();
  });
  const auto workflow = parsed(what.body);
  caf::anon_send(
    node->definition(),
    register_workflow{workflow, [this, workflow, at = node->state(), answered, again](const register_outcome& x) {
                        if (!at->alive || std::exchange(*answered, true))
                          return;
                        if (std::holds_alternative<std::string>(x))
                          again();
                        else if (workflow->version > 1 && !runs_.empty())
                          under_.seen.saw(sight::versions_in_flight);
                      }});
}

// ---- starts -----------------------------------------------------------------

void callers::ask_again(const start_ptr& x, duration after) {
  if (x->settled)
    return;
  if (--x->tries_left == 0) {
    x->settled = true;
    --pending_;
    return;
  }
  // Somewhere else, as behind a load balancer.
  x->what.node = static_cast<int>(luck_.below(static_cast<uint64_t>(under_.script.shape.nodes)));
  under_.coming.at(under_.now + after, [this, x] { ask(x); });
}

void callers::ask(const start_ptr& x) {
  if (x->settled)
    return;
  auto* node = living_(x->what.node);
  if (node == nullptr) {
    ask_again(x, milliseconds(luck_.between(50, 2'000)));
    return;
  }
  const auto at = node->state();
  const auto version = x->what.version == 0 ? std::nullopt : std::optional(x->what.version);
  const auto tries = x->tries_left;
  under_.coming.at(under_.now + patience, [this, x, tries] {
    if (x->tries_left == tries)
      ask_again(x, duration(0));
  });
  const auto found = [this, x, at, enter = node->entrance(), tries](std::variant<workflow_ptr, std::string> answer) {
    if (!at->alive || x->tries_left != tries || x->settled)
      return;
    const auto* workflow = std::get_if<workflow_ptr>(&answer);
    if (workflow == nullptr || *workflow == nullptr)
      ask_again(x, milliseconds(300)); // The database is away, or the workflow is not registered yet.
    else
      start(x, at, enter, *workflow);
  };
  at->reach([definition = node->definition(), name = x->what.workflow, version, found] {
    caf::anon_send(definition, find_workflow{name, version, found});
  });
}

void callers::start(const start_ptr& x, const life_ptr& at, const node_entrance& enter, workflow_ptr workflow) {
  const auto& what = x->what;
  start_request request;
  request.tenant = tenant_of(what.tenant);
  request.priority = what.priority;
  request.input = what.poison ? fmt::format(R"({{"n":{},"note":"{}"}})", what.input, poison_text)
                              : fmt::format(R"({{"n":{}}})", what.input);
  if (!what.key.empty())
    request.idempotency_key = what.key;
  const auto number = ++requests_;
  // Part of the content, so whoever may ask again under the same key says nothing.
  if (what.key.empty())
    request.triggered_by = fmt::format("caller-{}", number);
  under_.audience.saw(start_asked{
    under_.now, number, at->who, request.tenant, workflow->name, workflow->version, request.input,
    request.idempotency_key, request.triggered_by.value_or("")});
  request.workflow = std::move(workflow);
  enter(start_run{std::move(request), [this, x, at, number](start_outcome outcome) {
                    if (at->alive)
                      told(x, number, outcome);
                  }});
}

void callers::told(const start_ptr& x, uint64_t request, const start_outcome& outcome) {
  start_told said{under_.now, request, {}, false, {}};
  if (const auto* started = std::get_if<start_acknowledged>(&outcome)) {
    said.run = started->run;
    said.repeated = started->repeated;
    under_.seen.saw(started->repeated ? sight::starts_repeated : sight::runs_started);
    under_.audience.saw(said);
    runs_.try_emplace(x->what.id, started->run);
    if (!std::exchange(x->settled, true))
      --pending_;
    return;
  }
  const auto& refused = std::get<start_refused>(outcome);
  said.refusal = refused.may_have_started ? "in_doubt" : word_of(refused.reason);
  if (refused.may_have_started)
    under_.seen.saw(sight::starts_in_doubt);
  under_.seen.saw(
    refused.reason == start_refused::reason_type::key_conflict ? sight::key_conflicts : sight::starts_refused);
  under_.audience.saw(said);
  if (x->settled)
    return;
  const bool for_a_time =
    refused.reason == start_refused::reason_type::busy || refused.reason == start_refused::reason_type::not_ready;
  if (!for_a_time)
    x->tries_left = 1;
  ask_again(x, refused.retry_after.value_or(milliseconds(100)));
}

// ---- wishes -----------------------------------------------------------------

void callers::ask_again(const wish_ptr& x, duration after) {
  if (x->settled)
    return;
  if (--x->tries_left == 0) {
    x->settled = true;
    --pending_;
    return;
  }
  under_.coming.at(under_.now + after, [this, x] { ask(x); });
}

void callers::insist(wish_kind kind, const run_id& run, const tenant_id& tenant) {
  auto x = std::make_shared<wish_asking>();
  x->what.id = -1;
  x->what.kind = kind;
  x->tries_left = tries_enough;
  x->run = run;
  x->tenant = tenant;
  ++pending_;
  ask(x);
}

void callers::ask(const wish_ptr& x) {
  if (x->settled)
    return;
  const auto& what = x->what;
  if (x->run == run_id{}) {
    if (what.start == no_start) {
      x->run =
        make_run_id(under_.now, {luck_.draw(), luck_.draw()}, static_cast<shard_number>(luck_.below(shard_count)));
      x->tenant = tenant_of(0);
    } else if (const auto run = runs_.find(what.start); run != runs_.end()) {
      x->run = run->second;
      x->tenant = tenant_of((tenants_[what.start] + (what.stranger ? 1 : 0)) % 3);
    } else {
      ask_again(x, milliseconds(500)); // Nobody has been told of this run yet.
      return;
    }
  }
  auto* node = whom(what.node, x->run);
  if (node == nullptr || node->state()->paused) {
    ask_again(x, milliseconds(500));
    return;
  }
  const auto at = node->state();
  const auto number = ++requests_;
  const auto tries = x->tries_left;
  const auto by = fmt::format(
    "person-{}-{}-{}{}{}", what.id, number, ++x->tried, what.poison ? "-" : "", what.poison ? poison_text : "");
  under_.audience.saw(wish_asked{under_.now, number, at->who, x->run, x->tenant, what.kind, by});
  if (what.stranger)
    under_.seen.saw(sight::wishes_of_strangers);
  under_.coming.at(under_.now + patience, [this, x, tries] {
    if (x->tries_left == tries)
      ask_again(x, duration(0));
  });
  node->entrance()(change_run{x->run, x->tenant, wish_of(what.kind, by), [this, x, at, number](wish_outcome outcome) {
                                if (at->alive)
                                  told(x, number, outcome);
                              }});
}

void callers::told(const wish_ptr& x, uint64_t request, const wish_outcome& outcome) {
  const auto* refused = std::get_if<wish_refused>(&outcome);
  under_.audience.saw(simulation::wish_told{
    under_.now, request, refused == nullptr, refused == nullptr ? "" : std::string(word_of(refused->reason))});
  under_.seen.saw(refused == nullptr ? granted(x->what.kind) : sight::wishes_refused);
  if (refused != nullptr && refused->reason == wish_refused::reason_type::elsewhere)
    under_.seen.saw(sight::wishes_elsewhere);
  if (x->settled)
    return;
  const bool for_a_time = refused != nullptr && (refused->reason == wish_refused::reason_type::unavailable ||
                                                 refused->reason == wish_refused::reason_type::elsewhere);
  if (for_a_time) {
    ask_again(x, milliseconds(700));
    return;
  }
  x->settled = true;
  --pending_;
}

// ---- questions --------------------------------------------------------------

void callers::ask(const question_item& what, uint32_t tries_left) {
  const auto found = runs_.find(what.start);
  const bool unheard_of = what.start != no_start && found == runs_.end();
  auto* node =
    unheard_of ? nullptr : whom(what.node, found == runs_.end() ? std::nullopt : std::optional(found->second));
  if (node == nullptr || node->state()->paused) {
    if (tries_left > 1)
      under_.coming.at(under_.now + milliseconds(500), [this, what, tries_left] { ask(what, tries_left - 1); });
    return;
  }
  run_id run;
  tenant_id tenant = tenant_of(0);
  if (what.start == no_start) {
    run = make_run_id(under_.now, {luck_.draw(), luck_.draw()}, static_cast<shard_number>(luck_.below(shard_count)));
  } else {
    run = found->second;
    tenant = tenant_of((tenants_[what.start] + (what.stranger ? 1 : 0)) % 3);
  }
  const auto number = ++requests_;
  const auto at = node->state();
  under_.audience.saw(question_asked{under_.now, number, at->who, run, tenant});
  node->entrance()(explain_run{
    run, tenant, [this, at, number](const explain_outcome& outcome) {
      if (!at->alive)
        return;
      const auto* refused = std::get_if<wish_refused>(&outcome);
      under_.seen.saw(refused == nullptr ? sight::questions_explained : sight::questions_refused);
      under_.audience.saw(question_told{
        under_.now, number, refused == nullptr, refused == nullptr ? "" : std::string(word_of(refused->reason))});
    }});
}

} // namespace levain::simulation
