#include "tests/simulation/auditor/desk_ledger.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

/// Timers are no more exact than that.
constexpr duration slack = std::chrono::milliseconds(1);

std::string shown(const std::pair<std::string, uint32_t>& name) {
  return name.first + ", attempt " + std::to_string(name.second);
}

} // namespace

size_t desk_ledger::count_open(const desk& at, const call_name& name) {
  return static_cast<size_t>(
    std::count_if(at.open.begin(), at.open.end(), [&](const auto& each) { return each.second.name == name; }));
}

size_t desk_ledger::count_out(const desk& at, const call_name& name) {
  return static_cast<size_t>(
    std::count_if(at.out.begin(), at.out.end(), [&](const auto& each) { return each.second.name == name; }));
}

// ---- who is there -----------------------------------------------------------

void desk_ledger::changed(const process_changed& x) {
  if (x.change == process_change::killed)
    desks_.erase(x.who);
  else if (x.change == process_change::paused || x.change == process_change::resumed)
    desks_[x.who].stands_still = x.change == process_change::paused;
}

void desk_ledger::lose(desk& at, uint64_t connection) {
  at.seats.erase(connection);
  std::erase_if(at.out, [&](const auto& each) { return each.second.connection == connection; });
}

void desk_ledger::changed(const link_changed& x) {
  if (!x.at_node)
    return;
  auto& at = desks_[x.node];
  lose(at, x.connection);
  if (!x.up)
    return;
  connections_[x.connection] = x.node;
  auto& seated = at.seats[x.connection];
  for (const auto& each : x.offers)
    seated.room[each.kind] = seated.offers[each.kind] = each.at_once;
  for (const auto& each : x.held)
    seated.held.try_emplace({each.key, each.attempt}, x.at);
}

// ---- the engine's side ------------------------------------------------------

void desk_ledger::made(const call_made& x) {
  if (x.kind.empty())
    return;
  callers_[x.call] = x.from;
  desks_[x.from].open[x.call] = {{x.idempotency_key, x.attempt}, x.kind, x.run, x.undo};
}

void desk_ledger::let_go(const call_let_go& x) {
  if (const auto from = callers_.find(x.call); from != callers_.end())
    desks_[from->second].open.erase(x.call);
}

void desk_ledger::told(const call_told& x) {
  const auto from = callers_.find(x.call);
  if (from == callers_.end())
    return;
  auto& at = desks_[from->second];
  auto extracted = at.open.extract(x.call);
  if (extracted.empty())
    return;
  const auto& call = extracted.mapped();
  const auto who = to_string(from->second);
  if (x.message == "the node is shutting down" || x.message.starts_with("was not made"))
    return;
  // What became of it nobody tells: it was taken back, or is given to no further worker.
  if (
    x.failure == "withdrawn" || x.failure == "abandoned" ||
    x.message.find("workers were lost with it in hand") != std::string::npos)
    return;
  if (x.message.starts_with("no heartbeat within")) {
    const auto silent = std::find_if(at.out.begin(), at.out.end(), [&](const auto& each) {
      const auto& given = each.second;
      return given.name == call.name && given.heartbeat > duration(0) && given.begun &&
             given.heard_at + given.heartbeat <= x.at + slack;
    });
    if (silent == at.out.end() && !owners_.clock_moved(from->second, timestamp::min()))
      accuse_(rule::silence_ends, call.run, who + " hears no heartbeat of " + shown(call.name) + " and there were");
    return;
  }
  const auto ended = std::exchange(at.ended, std::nullopt);
  const bool same = ended && at.ended_name == call.name && ended->succeeded == x.output.has_value() &&
                    (!x.output || *x.output == ended->result);
  if (!same)
    accuse_(
      rule::answer_of_holder, call.run,
      who + " takes an answer to " + shown(call.name) +
        " that whoever has the call did not give: " + x.output.value_or(x.message).substr(0, 100));
}

// ---- words ------------------------------------------------------------------

void desk_ledger::passed(const word_passed& x) {
  const auto found = connections_.find(x.connection);
  if (found == connections_.end())
    return;
  const auto at = desks_.find(found->second);
  if (at == desks_.end())
    return;
  if (x.what == word_kind::cancelled)
    return;
  const bool by_node = x.what == word_kind::given || x.what == word_kind::dropped;
  if (by_node && !x.heard)
    said(found->second, at->second, x);
  else if (!by_node && x.heard)
    heard(at->second, x);
}

void desk_ledger::said(const place& who, desk& at, const word_passed& x) {
  if (x.what == word_kind::given) {
    give(who, at, x);
    return;
  }
  auto given = at.out.extract(x.number);
  if (given.empty())
    return;
  if (const auto seated = at.seats.find(x.connection);
      seated != at.seats.end() && !given.mapped().begun && given.mapped().takes_room)
    --seated->second.unanswered[given.mapped().kind];
}

void desk_ledger::give(const place& who, desk& at, const word_passed& x) {
  const call_name name{x.key, x.attempt};
  const auto wrong = [&](const std::string& why) {
    accuse_(rule::call_given_once, std::nullopt, to_string(who) + " gives " + shown(name) + " away, " + why);
  };
  const auto found = at.seats.find(x.connection);
  if (found == at.seats.end())
    return wrong("to somebody who is not connected");
  auto& seated = found->second;
  // Who gets a call is settled when it is made or comes back, and told in the next turn of who speaks with the workers:
  // what is heard in that very turn comes too late.
  const auto before = [&](timestamp since) { return since < x.at; };
  if (seated.leaving && before(*seated.leaving))
    wrong("to somebody who leaves");
  if (!seated.offers.contains(x.kind))
    wrong("to somebody who does not offer " + x.kind);
  if (at.out.contains(x.number))
    wrong("and somebody has it");
  // What is dropped in this very moment may still be on its way to be given.
  const auto waiting = count_open(at, name);
  if (waiting > 0 && waiting <= count_out(at, name))
    wrong("which somebody else does");
  if (!seated.held.contains(name))
    for (const auto& [other, each] : at.seats)
      if (const auto held = each.held.find(name); other != x.connection && !each.leaving && held != each.held.end() &&
                                                  before(held->second) && each.offers.contains(x.kind))
        accuse_(
          rule::holder_is_asked, std::nullopt,
          to_string(who) + " gives " + shown(name) + " to somebody else than who holds it");
  const bool takes_room = !seated.held.contains(name);
  if (takes_room) {
    --seated.room[x.kind];
    ++seated.unanswered[x.kind];
  }
  for (auto& each : at.seats)
    each.second.held.erase(name);
  at.kinds[x.number] = x.kind;
  at.out[x.number] = {x.connection, name, x.kind, x.heartbeat, x.at, false, takes_room};
}

void desk_ledger::heard(desk& at, const word_passed& x) {
  const auto found = at.seats.find(x.connection);
  if (found == at.seats.end())
    return;
  auto& seated = found->second;
  const auto given = at.out.find(x.number);
  const bool has_it = given != at.out.end() && given->second.connection == x.connection;
  const auto answered = [&] {
    if (has_it && !given->second.begun && given->second.takes_room)
      --seated.unanswered[given->second.kind];
  };
  switch (x.what) {
  case word_kind::begun:
    answered();
    if (has_it) {
      given->second.begun = true;
      given->second.heard_at = x.at;
    }
    break;
  case word_kind::declined:
    answered();
    if (const auto kind = at.kinds.find(x.number); kind != at.kinds.end())
      seated.room[kind->second] = 0;
    if (has_it)
      at.out.erase(given);
    break;
  case word_kind::room:
    seated.room[x.kind] = static_cast<int64_t>(x.room) - seated.unanswered[x.kind];
    break;
  case word_kind::beat:
    if (has_it)
      given->second.heard_at = x.at;
    break;
  case word_kind::ended:
    answered();
    at.ended.reset();
    if (has_it) {
      at.ended = x;
      at.ended_name = given->second.name;
      at.out.erase(given);
    }
    break;
  case word_kind::held:
    if (!seated.leaving)
      for (const auto& each : x.held)
        seated.held.try_emplace({each.key, each.attempt}, x.at);
    break;
  case word_kind::leaving:
    seated.leaving = x.at;
    seated.held.clear();
    break;
  case word_kind::given:
  case word_kind::dropped:
  case word_kind::cancelled:
    break;
  }
}

// ---- when nothing happens ---------------------------------------------------

void desk_ledger::rest(timestamp at) {
  for (const auto& [who, each] : desks_) {
    if (each.stands_still)
      continue;
    judge_silence(who, each, at);
    judge_room(who, each);
  }
}

void desk_ledger::judge_silence(const place& who, const desk& at, timestamp now) const {
  for (const auto& [number, given] : at.out)
    if (
      given.heartbeat > duration(0) && given.begun && now > given.heard_at + given.heartbeat + slack &&
      count_open(at, given.name) > 0 && !owners_.clock_moved(who, timestamp::min()))
      accuse_(
        rule::silence_ends, std::nullopt,
        to_string(who) + " waits for " + shown(given.name) + ", of which it heard nothing since " +
          to_rfc3339(given.heard_at));
}

void desk_ledger::judge_room(const place& who, const desk& at) const {
  for (const auto& [call, open] : at.open) {
    if (count_open(at, open.name) <= count_out(at, open.name))
      continue;
    // Only who has it already may do more of a run that stops.
    if (!open.undo && is_stopping_(open.run))
      continue;
    for (const auto& [connection, seated] : at.seats)
      if (const auto room = seated.room.find(open.kind);
          !seated.leaving && room != seated.room.end() && room->second > 0)
        accuse_(
          rule::room_is_used, open.run,
          to_string(who) + " lets " + shown(open.name) + " wait, and connection " + std::to_string(connection) +
            " has room for " + std::to_string(room->second) + " of " + open.kind);
  }
}

} // namespace levain::simulation
