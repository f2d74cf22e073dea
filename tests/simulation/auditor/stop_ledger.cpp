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
    requests_[x.request] = x.run;
}

void stop_ledger::told(const wish_told& x) {
  const auto asked = requests_.find(x.request);
  if (asked != requests_.end() && x.granted)
    stops_[asked->second].granted = true;
}

void stop_ledger::written(const run_written& x) {
  for (const auto& event : x.events)
    if (event.kind == event_kind::cancel_requested)
      stops_[x.run].by = x.by;
}

const stop_ledger::stop* stop_ledger::stop_by(const run_id& run, const place& node) const {
  const auto found = stops_.find(run);
  return found != stops_.end() && found->second.by == node ? &found->second : nullptr;
}

void stop_ledger::made(const call_made& x) {
  if (x.undo)
    return;
  const bool first = made_.insert({x.run, x.idempotency_key, x.attempt}).second;
  // What earlier events began was called by the time these had been written.
  const auto* stop = stop_by(x.run, x.from);
  if (first && stop != nullptr && stop->written_settled)
    accuse_(
      rule::stop_begins_nothing, x.run,
      to_string(x.from) + " calls " + x.step + ", attempt " + std::to_string(x.attempt) +
        ", whose run it has cancelled");
}

void stop_ledger::give(const place& node, const word_passed& x) {
  const call_name name{x.key, x.attempt};
  const auto run = run_of(x.key);
  if (!run)
    return;
  const bool first = given_.insert(name).second;
  const auto* stop = stop_by(*run, node);
  if (first && !is_undoing(x.key) && stop != nullptr && stop->granted_settled)
    accuse_(rule::stop_begins_nothing, *run, to_string(node) + " gives " + x.key + " away, whose run it has cancelled");
  auto& seated = seats_[x.connection];
  auto& lost = lost_[{node, name}];
  if (seated.held.erase(name) > 0)
    lost -= std::min<size_t>(lost, 1); // Its worker had been away, and is back.
  else if (lost >= deliveries_max && !refused_.contains(*run))
    accuse_(
      rule::deliveries_bounded, *run,
      to_string(node) + " gives " + x.key + ", attempt " + std::to_string(x.attempt) + " away after " +
        std::to_string(lost) + " workers were lost with it");
  out_[node][x.number] = {x.connection, name, *run, false};
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
          !call.cancelled && !is_undoing(call.name.first) && stop != nullptr && stop->granted_settled) {
        call.cancelled = true; // Once is enough.
        accuse_(
          rule::cancel_reaches_work, call.run,
          to_string(node) + " has cancelled the run, and lets the worker that has " + call.name.first + " go on");
      }
  }
}

} // namespace levain::simulation
