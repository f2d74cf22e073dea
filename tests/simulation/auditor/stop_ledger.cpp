#include "tests/simulation/auditor/stop_ledger.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

/// What the nodes of a world are told.
constexpr size_t deliveries_max = 2;

std::optional<run_id> run_of(const std::string& key) {
  const auto id = uuid::parse(key.substr(0, key.find('/')));
  return id ? std::optional(run_id{*id}) : std::nullopt;
}

} // namespace

void stop_ledger::changed(const process_changed& x) {
  if (x.change == process_change::killed)
    out_.erase(x.who);
  else if (x.change == process_change::paused)
    still_.insert(x.who);
  else if (x.change == process_change::resumed)
    still_.erase(x.who);
}

void stop_ledger::changed(const link_changed& x) {
  if (!x.at_node)
    return;
  auto& out = out_[x.node];
  const auto before = seats_.find(x.connection);
  const bool leaving = before != seats_.end() && before->second.leaving;
  // One who says hello again is no other than before.
  const bool lost = !x.up && !leaving;
  for (auto each = out.begin(); each != out.end();) {
    if (each->second.connection != x.connection) {
      ++each;
      continue;
    }
    if (lost)
      ++lost_[{x.node, each->second.name}];
    each = out.erase(each);
  }
  seats_.erase(x.connection);
  if (!x.up)
    return;
  auto& seated = seats_[x.connection];
  seated.node = x.node;
  for (const auto& each : x.held)
    seated.held.insert({each.key, each.attempt});
}

void stop_ledger::asked(const wish_asked& x) {
  if (x.kind == wish_kind::cancel)
    requests_[x.request] = {x.run, std::nullopt};
  else if (x.kind == wish_kind::terminate)
    requests_[x.request] = {x.run, rule::terminate_is_final};
  else if (x.kind == wish_kind::resolve)
    requests_[x.request] = {x.run, rule::resolved_is_settled};
}

void stop_ledger::told(const wish_told& x) {
  const auto asked = requests_.find(x.request);
  if (asked == requests_.end() || !x.granted)
    return;
  const auto& [run, over] = asked->second;
  if (auto& stop = stops_[run]; stop.over == over)
    stop.granted = true;
}

void stop_ledger::written(const run_written& x) {
  for (const auto& event : x.events)
    switch (event.kind) {
    case event_kind::cancel_requested:
      stopped(x, std::nullopt);
      break;
    case event_kind::terminate_requested:
      stopped(x, rule::terminate_is_final);
      break;
    case event_kind::attention_resolved:
      stopped(x, rule::resolved_is_settled);
      break;
    case event_kind::run_retried:
      stops_.erase(x.run);
      break;
    default:
      break;
    }
  note_losses(x);
}

void stop_ledger::stopped(const run_written& x, std::optional<rule> over) {
  stops_[x.run] = {over, x.by, false, false, false};
}

void stop_ledger::note_losses(const run_written& x) {
  for (const auto& event : x.events)
    switch (event.kind) {
    case event_kind::delivery_lost:
      ++lost_on_disk_[x.run][{event.step, static_cast<uint32_t>(event.attempt)}];
      break;
    case event_kind::attempt_withdrawn:
      lost_on_disk_[x.run].erase({event.step, static_cast<uint32_t>(event.attempt)});
      break;
    case event_kind::compensation_started:
      lost_on_disk_.erase(x.run);
      undoing_.insert(x.run);
      break;
    case event_kind::run_retried:
      lost_on_disk_.erase(x.run);
      undoing_.erase(x.run);
      break;
    default:
      break;
    }
}

size_t stop_ledger::lost_on_disk(const run_id& run, const word_passed& x) const {
  const auto of_run = lost_on_disk_.find(run);
  if (of_run == lost_on_disk_.end() || is_undoing(x.key) != undoing_.contains(run))
    return 0;
  // run/step, and what stands behind it.
  const auto begin = x.key.find('/') + 1;
  const auto found = of_run->second.find({x.key.substr(begin, x.key.find('/', begin) - begin), x.attempt});
  return found == of_run->second.end() ? 0 : found->second;
}

const stop_ledger::stop* stop_ledger::stop_by(const run_id& run, const place& node) const {
  const auto found = stops_.find(run);
  return found != stops_.end() && found->second.by == node ? &found->second : nullptr;
}

void stop_ledger::made(const call_made& x) {
  const bool first = made_.insert({x.run, x.idempotency_key, x.attempt}).second;
  // What earlier events began was called by the time these had been written.
  const auto* stop = stop_by(x.run, x.from);
  if (stop == nullptr || !stop->written_settled || (!stop->over && (x.undo || !first)))
    return;
  accuse_(
    stop->over.value_or(rule::stop_begins_nothing), x.run,
    to_string(x.from) + " calls " + x.step + (x.undo ? " to undo it" : "") + ", attempt " + std::to_string(x.attempt) +
      ", whose run it has stopped");
}

void stop_ledger::give(const place& node, const word_passed& x) {
  const call_name name{x.key, x.attempt};
  const auto run = run_of(x.key);
  if (!run)
    return;
  const bool first = given_.insert(name).second;
  const bool taken_up = given_by_[node].insert(name).second;
  const auto* stop = stop_by(*run, node);
  if (stop != nullptr && stop->granted_settled && (stop->over || (first && !is_undoing(x.key))))
    accuse_(
      stop->over.value_or(rule::stop_begins_nothing), *run,
      to_string(node) + " gives " + x.key + " away, whose run it has stopped");
  auto& seated = seats_[x.connection];
  auto& lost = lost_[{node, name}];
  // Whoever takes a run up counts on, and may ask one worker before it can know that there were too many.
  if (taken_up)
    lost = lost_on_disk(*run, x);
  if (seated.held.erase(name) > 0)
    lost -= std::min<size_t>(lost, 1); // Its worker had been away, and is back.
  else if (!taken_up && lost >= deliveries_max && !refused_.contains(*run))
    accuse_(
      rule::deliveries_bounded, *run,
      to_string(node) + " gives " + x.key + ", attempt " + std::to_string(x.attempt) + " away after " +
        std::to_string(lost) + " workers were lost with it");
  out_[node][x.number] = {x.connection, name, *run, false, false};
}

void stop_ledger::passed(const word_passed& x) {
  const auto found = seats_.find(x.connection);
  if (found == seats_.end())
    return;
  auto& out = out_[found->second.node];
  const bool by_node = x.what == word_kind::given || x.what == word_kind::dropped || x.what == word_kind::cancelled;
  if (by_node == x.heard)
    return;
  const auto given = out.find(x.number);
  switch (x.what) {
  case word_kind::given:
    give(found->second.node, x);
    break;
  case word_kind::cancelled:
    if (given != out.end())
      given->second.cancelled = true;
    break;
  case word_kind::dropped:
  case word_kind::declined:
  case word_kind::ended:
    if (given != out.end() && given->second.connection == x.connection)
      out.erase(given);
    break;
  case word_kind::held:
    for (const auto& each : x.held)
      found->second.held.insert({each.key, each.attempt});
    break;
  case word_kind::leaving:
    found->second.leaving = true;
    break;
  default:
    break;
  }
}

void stop_ledger::rest() {
  for (auto& [run, stop] : stops_) {
    if (!stop.by || still_.contains(*stop.by))
      continue;
    stop.written_settled = true;
    stop.granted_settled = stop.granted;
  }
  for (auto& [node, calls] : out_) {
    if (still_.contains(node))
      continue;
    for (auto& [number, call] : calls)
      if (const auto* stop = stop_by(call.run, node);
          stop != nullptr && stop->granted_settled &&
          (stop->over ? !call.accused : !call.cancelled && !is_undoing(call.name.first))) {
        call.cancelled = call.accused = true; // Once is enough.
        accuse_(
          stop->over.value_or(rule::cancel_reaches_work), call.run,
          to_string(node) + " has stopped the run, and lets the worker that has " + call.name.first + " go on");
      }
  }
}

} // namespace levain::simulation
