// What the dispatcher does with starts: refuses them, numbers them, takes them, one by one or all together.
#include <algorithm>
#include <caf/send.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <utility>

#include "actors/dispatcher.hpp"
#include "actors/run.hpp"
#include "actors/run_budget.hpp"
#include "actors/start_fingerprint.hpp"
#include "persistence/span_text.hpp"

namespace levain {

namespace {

/// Numbers are asked for when so small a share of the last block is left.
constexpr int64_t numbers_reserve_divisor = 2;

template <class Texts>
uint64_t bytes_of(const Texts& plan) {
  return plan.input.size() + (plan.metadata ? plan.metadata->size() : 0);
}

} // namespace

std::optional<start_refused> dispatcher_state::why_not_now(const tenant_id& tenant) {
  using reason_type = start_refused::reason_type;
  if (!admitting_)
    return start_refused{reason_type::not_ready, "the node is shutting down", options_.refusal_retry_after};
  if (ready_.empty())
    return start_refused{
      reason_type::not_ready, "the node owns no shards yet: it is still recovering, or other nodes own them all",
      options_.refusal_retry_after};
  if (numbers_.empty())
    return start_refused{
      reason_type::not_ready, "the node waits for run numbers from the database", options_.refusal_retry_after};
  if (queue_->waiting() >= options_.runs_waiting_max)
    return start_refused{
      reason_type::busy, fmt::format("the waiting room is full: {} runs wait (runs_waiting_max)", queue_->waiting()),
      options_.refusal_retry_after};
  if (unsettled_->load() >= options_.starts_unsettled_max)
    return start_refused{
      reason_type::busy,
      fmt::format("{} starts are on their way to the database (starts_unsettled_max)", unsettled_->load()),
      options_.refusal_retry_after};
  return why_database_is_behind(tenant);
}

std::optional<start_refused> dispatcher_state::why_database_is_behind(const tenant_id& tenant) {
  if (!environment_->append_pressure_now)
    return std::nullopt;
  const auto pressure = environment_->append_pressure_now();
  if (!pressure.database_answers || pressure.waiting < options_.congestion_appends_min)
    return std::nullopt;
  const bool all = pressure.wait > options_.append_wait_max;
  if (
    !all &&
    (pressure.wait <= options_.append_wait_fair_max || !shares_.starts_too_much(tenant, environment_->steady())))
    return std::nullopt;
  const auto waited = std::chrono::ceil<std::chrono::milliseconds>(pressure.wait);
  return start_refused{
    start_refused::reason_type::busy,
    fmt::format(
      "the database is behind: {} appends wait for it, the oldest for {} ({})", pressure.waiting, span_text(waited),
      all ? "append_wait_max" : "append_wait_fair_max, for tenants that start much more than others"),
    // By then about so much is written as waits now.
    std::min(std::max(waited, options_.congestion_retry_after_min), options_.refusal_retry_after)};
}

std::string dispatcher_state::next_run_number(timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  auto& block = numbers_.front();
  auto text = fmt::format(
    "ORCH-{:04}{:02}{:02}-{:08}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), block.next++);
  if (block.next == block.end)
    numbers_.pop_front();
  fetch_numbers();
  return text;
}

void dispatcher_state::fetch_numbers() {
  int64_t left = 0;
  for (const auto& each : numbers_)
    left += each.end - each.next;
  if (numbers_asked_ || !admitting_ || left > numbers_came_ / numbers_reserve_divisor)
    return;
  numbers_asked_ = true;
  self_->send(lease_keeper_, reserve_numbers{});
}

void dispatcher_state::numbers(const numbers_reserved& x) {
  numbers_asked_ = false;
  numbers_came_ = x.count;
  if (!admitting_) {
    self_->send(lease_keeper_, numbers_unused{x.first, x.first + x.count});
    return;
  }
  if (!numbers_.empty() && numbers_.back().end == x.first)
    numbers_.back().end += x.count;
  else
    numbers_.push_back({x.first, x.first + x.count});
  start_numberless();
}

bool dispatcher_state::awaits_number(start_run& x) {
  // The very first numbers may be long in coming: until then the node is not ready.
  const bool soon = numbers_.empty() && numbers_asked_ && numbers_came_ > 0;
  if (!soon || !admitting_ || ready_.empty() || numberless_.size() >= options_.starts_unsettled_max)
    return false;
  numberless_.push_back({std::move(x)});
  return true;
}

void dispatcher_state::start_numberless() {
  for (auto& each : std::exchange(numberless_, {})) {
    const bool can_be_kept = each.is_promised && admitting_ && !ready_.empty();
    if (can_be_kept && !numbers_.empty())
      take(each.start);
    else if (can_be_kept && numbers_asked_)
      numberless_.push_back(std::move(each));
    else
      start(each.start);
  }
}

void dispatcher_state::stop_admitting() {
  admitting_ = false;
  start_numberless();
  // The newest first: only what was reserved last can go back.
  for (; !numbers_.empty(); numbers_.pop_back())
    self_->send(lease_keeper_, numbers_unused{numbers_.back().next, numbers_.back().end});
}

run_plan dispatcher_state::plan_of(start_request& request) {
  const auto time = environment_->now();
  const auto& shard = ready_[next_shard_++ % ready_.size()];
  run_plan plan;
  plan.run = make_run_id(time, environment_->entropy(), shard.shard);
  plan.run_number = next_run_number(time);
  plan.tenant = request.tenant;
  plan.workflow = request.workflow->name;
  plan.workflow_version = request.workflow->version;
  plan.run_type = std::move(request.run_type);
  plan.priority = std::move(request.priority);
  plan.triggered_by = std::move(request.triggered_by);
  plan.input = std::move(request.input);
  plan.metadata = std::move(request.metadata);
  return plan;
}

receiver<start_outcome> dispatcher_state::counted(receiver<start_outcome> tell) {
  // Counted down when the receiver goes, told or not: a run's actor may die before it knows.
  unsettled_->fetch_add(1);
  std::shared_ptr<void> one(nullptr, [unsettled = unsettled_](void*) { unsettled->fetch_sub(1); });
  return [one = std::move(one), tell = std::move(tell)](start_outcome outcome) { tell(std::move(outcome)); };
}

void dispatcher_state::start(start_run& x) {
  if (awaits_number(x))
    return;
  auto refused = why_not_now(x.request.tenant);
  if (!refused)
    refused = why_memory_is_full({&x, 1});
  if (refused)
    x.outcome(std::move(*refused));
  else
    take(x);
}

std::optional<start_refused> dispatcher_state::why_memory_is_full(std::span<const start_run> starts) const {
  const auto* memory = environment_->run_memory.get();
  if (memory == nullptr)
    return std::nullopt;
  uint64_t bytes = 0;
  uint64_t expected = 0;
  for (const auto& [request, outcome] : starts) {
    bytes += bytes_of(request);
    expected += memory->expected(*request.workflow, bytes_of(request));
  }
  if (memory->has_room(expected))
    return std::nullopt;
  return start_refused{
    start_refused::reason_type::busy,
    fmt::format(
      "the live runs take {} bytes of memory; with {}, which {} {} and may come to {}, they would take more than {} "
      "(runs_bytes_max)",
      memory->bytes(), starts.size() == 1 ? "this one" : fmt::format("these {}", starts.size()),
      starts.size() == 1 ? "has" : "have", bytes, expected, memory->bytes_max()),
    options_.refusal_retry_after};
}

run_bytes dispatcher_state::memory_for(const workflow_definition& workflow, const run_plan& plan) const {
  const auto& memory = environment_->run_memory;
  return memory ? run_bytes(memory, memory->expected(workflow, bytes_of(plan))) : run_bytes();
}

std::optional<start_refused> dispatcher_state::why_not_all(const start_runs& x) {
  const auto count = x.starts.size();
  auto refused = why_not_now(x.starts.front().request.tenant);
  // Numbers that are on their way are waited for.
  const bool only_numbers = refused && numbers_.empty() && numbers_asked_ && numbers_came_ > 0 && admitting_ &&
                            !ready_.empty() && refused->reason == start_refused::reason_type::not_ready;
  if (refused && !only_numbers)
    return refused;
  const auto no_room = [&](size_t taken, size_t max, const char* limit) {
    return start_refused{
      start_refused::reason_type::busy,
      fmt::format("there is room for {} of {} starts ({})", max - std::min(max, taken), count, limit),
      options_.refusal_retry_after};
  };
  if (queue_->waiting() + count > options_.runs_waiting_max)
    return no_room(queue_->waiting(), options_.runs_waiting_max, "runs_waiting_max");
  if (unsettled_->load() + numberless_.size() + count > options_.starts_unsettled_max)
    return no_room(unsettled_->load() + numberless_.size(), options_.starts_unsettled_max, "starts_unsettled_max");
  return why_memory_is_full(x.starts);
}

void dispatcher_state::start_all(start_runs& x) {
  if (auto refused = why_not_all(x)) {
    x.refused(std::move(*refused));
    return;
  }
  for (auto& each : x.starts)
    if (numbers_.empty())
      numberless_.push_back({std::move(each), true});
    else
      take(each);
}

void dispatcher_state::take(start_run& x) {
  auto& request = x.request;
  run_beginning how;
  if (request.idempotency_key)
    how.key = start_key_of(request);
  how.workflow = std::move(request.workflow);
  request.workflow = how.workflow;
  how.plan = plan_of(request);
  how.admitted = queue_->try_begin(how.plan.tenant);
  how.outcome = counted(std::move(x.outcome));
  const auto tenant = how.plan.tenant;
  const auto id = how.plan.run;
  const auto cost = static_cast<int64_t>(how.workflow->steps.size());
  const auto priority = parse_run_priority(how.plan.priority).value_or(run_priority::normal);
  how.memory = memory_for(*how.workflow, how.plan);
  const bool admitted = how.admitted;
  shares_.count(tenant, environment_->steady());
  spawn_run(tenant, admitted, std::move(how));
  if (!admitted) {
    queue_->push(id, tenant, priority, cost, environment_->steady());
    begin_waiting();
  }
}

} // namespace levain
