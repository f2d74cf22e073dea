// How a run's events and its row get to the writer.
#include <algorithm>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/run.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

/// Between two projections of a run lie at least so many times what an append waits for the database: at most about a
/// tenth of the rows that are written are in between.
constexpr int projection_waits = 10;

} // namespace

// ---- events -----------------------------------------------------------------

void run_actor_state::remember(const std::vector<event>& facts, bool may_wait) {
  if (!may_wait || appends_out_ == 0 || one_by_one_) {
    append(facts);
    return;
  }
  // While one append is out, another would not be written before it: what nothing waits for goes with what comes next.
  for (const auto& fact : facts)
    held_back_.push_back(encode_event(fact, *run_.workflow));
}

void run_actor_state::append_held_back() {
  if (!leaving_ && appends_out_ == 0 && !held_back_.empty())
    append({});
}

void run_actor_state::append(const std::vector<event>& facts, std::optional<start_key> key) {
  auto x = new_append();
  x.append.events = std::exchange(held_back_, {});
  x.append.events.reserve(x.append.events.size() + facts.size());
  for (const auto& fact : facts)
    x.append.events.push_back(encode_event(fact, *run_.workflow));
  const bool first = x.append.events.front().seq == 1;
  const auto time = steady();
  // A run that had ended is going on again: recovery looks for it by its row, so the row may not lag behind.
  const bool reopened =
    std::any_of(facts.begin(), facts.end(), [](const event& fact) { return fact.kind == event_kind::run_retried; });
  if (first || reopened || run_.phase == run_phase::ended || time - projected_at_ >= projection_interval()) {
    (first ? x.append.insert : x.append.update) = audit_of(run_);
    projected_seq_ = run_.seq;
    projected_at_ = time;
  }
  x.append.key = std::move(key);
  if (!unsettled_since_)
    unsettled_since_ = time;
  send_append(std::move(x));
}

append_events run_actor_state::new_append() {
  append_events x;
  x.after_rejection = std::exchange(after_rejection_, false);
  x.tenant = run_.plan.tenant;
  x.append.run = run_.plan.run;
  x.append.epoch = epoch_;
  return x;
}

void run_actor_state::send_append(append_events x) {
  if (spdlog::should_log(spdlog::level::debug))
    for (const auto& each : x.append.events)
      spdlog::debug(
        "run_event run={} seq={} kind={} step={} attempt={}", to_string(run_.plan.run), each.seq, to_string(each.kind),
        log_quoted(each.step), each.attempt);
  ++appends_out_;
  self_->send(environment_->writer_of(run_.plan.run), std::move(x));
}

// ---- the row ----------------------------------------------------------------

duration run_actor_state::projection_interval() const {
  // While the database is behind, rows that are soon overwritten would put it further behind.
  const auto wait = environment_->append_pressure_now ? environment_->append_pressure_now().wait : duration(0);
  return std::max(environment_->run.projection_interval, projection_waits * wait);
}

void run_actor_state::project_if_due() {
  const auto time = steady();
  // A start that is not settled may turn out to be none: then there is no row to bring up to date. And the row may not
  // say what the journal is not even asked to hold.
  if (
    durable_seq_ == 0 || projected_seq_ >= run_.seq || !held_back_.empty() || run_.phase == run_phase::ended ||
    time - projected_at_ < projection_interval())
    return;
  project();
}

void run_actor_state::project() {
  auto x = new_append();
  x.append.update = audit_of(run_);
  projected_seq_ = run_.seq;
  projected_at_ = steady();
  send_append(std::move(x));
}

} // namespace levain
