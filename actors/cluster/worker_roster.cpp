#include "actors/cluster/worker_roster.hpp"

#include <algorithm>
#include <cassert>
#include <tuple>

#include <fmt/format.h>

#include "actors/run_machine/plain_line.hpp"

namespace levain {

namespace {

/// Of one worker.
constexpr size_t dropped_calls_max = 10'000;

} // namespace

worker_roster::worker_roster(worker_roster_options options)
  : options_(std::move(options)) {}

// ---- workers ----------------------------------------------------------------

std::variant<worker_roster::seat, std::string> worker_roster::join(const worker_hello& who, timestamp now) {
  const auto before = seat_of(who.worker);
  if (!before && workers_.size() >= options_.workers_max)
    return fmt::format("this node has workers_max, which is {}, workers already", options_.workers_max);
  std::set<std::string> kinds;
  std::set<uint64_t> returned;
  if (before) {
    // Its calls go to it again when it says that it holds them, so nobody is served before that.
    returned = workers_[*before].calls;
    for (const auto& number : returned) {
      kinds.insert(calls_.at(number).kind);
      take_back(number);
      calls_.at(number).may_have_begun = true;
    }
    stop_offering(*before);
    workers_.erase(*before);
  }
  const auto number = ++last_seat_;
  auto& seated = workers_[number];
  seated.id = who.worker;
  seated.name = plain_line(who.name, wire_name_bytes_max);
  seated.host = plain_line(who.host, wire_host_bytes_max);
  seated.version = plain_line(who.version, wire_version_bytes_max);
  seated.since = now;
  for (const auto& offer : who.offers) {
    seated.rooms[offer.kind] = {offer.at_once, offer.at_once, 0};
    lines_[offer.kind].offered_by.insert(number);
    kinds.insert(offer.kind);
  }
  hold(number, who.held, now);
  for (const auto each : returned)
    end_if_given_up(each);
  for (const auto& kind : kinds)
    serve(kind, now);
  return number;
}

void worker_roster::leave(seat who, timestamp now) {
  const auto found = workers_.find(who);
  if (found == workers_.end())
    return;
  std::set<std::string> kinds;
  const auto returned = found->second.calls;
  for (const auto number : returned) {
    kinds.insert(calls_.at(number).kind);
    take_back(number);
    lose_delivery(number, found->second);
  }
  stop_offering(who);
  workers_.erase(found);
  for (const auto number : returned)
    if (calls_.contains(number) && !give_to_holder(number, now))
      end_if_given_up(number);
  for (const auto& kind : kinds)
    serve(kind, now);
}

std::optional<worker_roster::seat> worker_roster::seat_of(const uuid& worker) const {
  const auto found =
    std::find_if(workers_.begin(), workers_.end(), [&](const auto& each) { return each.second.id == worker; });
  return found == workers_.end() ? std::nullopt : std::optional(found->first);
}

std::string worker_roster::name_of(seat who) const {
  const auto found = workers_.find(who);
  return found == workers_.end() ? std::string() : found->second.name;
}

std::vector<run_id> worker_roster::runs_with(seat who) const {
  const auto found = workers_.find(who);
  if (found == workers_.end())
    return {};
  std::set<run_id> runs;
  for (const auto number : found->second.calls)
    runs.insert(calls_.at(number).request.run);
  return {runs.begin(), runs.end()};
}

/// Nothing is given to it from now on.
void worker_roster::stop_offering(seat who) {
  auto& worker = workers_.at(who);
  worker.leaving = true;
  for (const auto& [kind, room] : worker.rooms) {
    auto& line = lines_[kind];
    line.offered_by.erase(who);
    if (line.offered_by.empty() && line.waiting.empty())
      lines_.erase(kind);
  }
  for (const auto& [place, name] : worker.held)
    if (const auto held = held_by_.find(name);
        held != held_by_.end() && held->second.erase(who) && held->second.empty())
      held_by_.erase(held);
  worker.held.clear();
  worker.held_at.clear();
}

// ---- calls ------------------------------------------------------------------

std::variant<uint64_t, std::string> worker_roster::add(call_request request, timestamp now) {
  const auto& asked = std::get<worker_call>(request.call);
  if (waiting_ >= options_.calls_waiting_max)
    return fmt::format(
      "was not made: worker_calls_waiting_max, which is {}, calls wait for a worker already",
      options_.calls_waiting_max);
  const auto number = ++last_number_;
  call added;
  added.kind = asked.kind;
  added.heartbeat = asked.heartbeat;
  added.lost_workers = request.lost_workers;
  added.may_have_begun = request.made_before || !request.lost_workers.empty();
  added.to_holder_only = request.to_holder_only;
  const call_name name{request.idempotency_key, request.attempt};
  added.request = std::move(request);
  const auto kind = added.kind;
  const bool in_line = !added.to_holder_only;
  calls_.emplace(number, std::move(added));
  by_name_[name] = number;
  if (in_line)
    lines_[kind].waiting.insert(number);
  ++waiting_;
  if (!give_to_holder(number, now))
    serve(kind, now);
  return number;
}

/// A call that waits goes to who holds it, whether there is room or not. False when that is nobody.
bool worker_roster::give_to_holder(uint64_t number, timestamp now) {
  const auto& waiting = calls_.at(number);
  const auto held = held_by_.find({waiting.request.idempotency_key, waiting.request.attempt});
  if (held == held_by_.end())
    return false;
  // Who said so last.
  const auto holder = *held->second.rbegin();
  if (!workers_.at(holder).rooms.contains(waiting.kind))
    return false;
  give(number, holder, true, now);
  return true;
}

std::optional<worker_roster::seat> worker_roster::drop(uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end())
    return std::nullopt;
  const auto with = found->second.with;
  if (with) {
    auto& worker = workers_.at(*with);
    remember_dropped(worker, number, found->second);
    arrived(worker, found->second);
  }
  erase(number);
  return with;
}

std::optional<worker_roster::seat> worker_roster::withdraw(uint64_t number, withdraw_reason why) {
  const auto found = calls_.find(number);
  if (found == calls_.end())
    return std::nullopt;
  auto& call = found->second;
  const bool stops = why != withdraw_reason::paused;
  if (call.with) {
    call.to_holder_only = call.to_holder_only || stops;
    return call.with;
  }
  if (!call.may_have_begun) {
    end(number, {call_failure::kind_type::withdrawn, "no worker was given it", std::nullopt});
  } else if (stops) {
    call.to_holder_only = true;
    end_if_given_up(number);
  }
  return std::nullopt;
}

/// The call has ended, and nobody was asked.
void worker_roster::end(uint64_t number, call_failure why) {
  erase(number);
  ended_.push_back({number, std::move(why)});
}

/// A call that waits although no further worker is to have it: what its last one did is not known.
void worker_roster::end_if_given_up(uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end() || found->second.with || !found->second.to_holder_only)
    return;
  if (!found->second.may_have_begun)
    return end(number, {call_failure::kind_type::withdrawn, "no worker was given it", std::nullopt});
  const auto& lost = found->second.lost_workers;
  const auto what =
    lost.empty() ? std::string("no worker has it any more") : fmt::format("worker '{}' was lost with it", lost.back());
  end(
    number, {call_failure::kind_type::abandoned, what + ", and its run has stopped, so no other is given it",
             std::nullopt, true});
}

/// A worker is gone that had the call.
void worker_roster::lose_delivery(uint64_t number, const worker& whose) {
  auto& call = calls_.at(number);
  call.may_have_begun = true;
  if (whose.leaving)
    return; // It ended in order, and gave up what it could not end.
  call.lost_workers.push_back(whose.name);
  moved_.push_back({number, {call_news::kind_type::delivery_lost, whose.name}});
  if (call.lost_workers.size() < options_.deliveries_max)
    return;
  std::string names;
  for (const auto& each : call.lost_workers)
    names += (names.empty() ? "'" : ", '") + each + "'";
  auto why = plain_line(fmt::format(
    "{} workers were lost with it in hand (deliveries_max is {}): {}", call.lost_workers.size(),
    options_.deliveries_max, names));
  end(number, {call_failure::kind_type::retryable, std::move(why), std::nullopt, true});
}

call_given worker_roster::message_of(uint64_t number, timestamp now) const {
  const auto& given = calls_.at(number);
  const auto& request = given.request;
  const auto millis = [](duration span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span).count(); };
  call_given message;
  message.number = number;
  message.epoch = request.epoch;
  message.run = request.run.value;
  message.run_number = request.run_number;
  message.tenant = request.tenant.value;
  message.step = request.step;
  message.kind = given.kind;
  message.attempt = request.attempt;
  message.undo = request.undo;
  message.key = request.idempotency_key;
  // One that is nearly over has the shortest time that can be told.
  message.time_left = std::max<int64_t>(millis(given.deadline - now), 1);
  message.heartbeat = millis(given.heartbeat);
  if (request.body.size() <= call_whole_bytes_max)
    message.body = request.body;
  return message;
}

const std::string* worker_roster::body_of(uint64_t number) const {
  const auto found = calls_.find(number);
  return found == calls_.end() ? nullptr : &found->second.request.body;
}

/// Who is to have the first call of a line.
std::optional<worker_roster::seat> worker_roster::choose(const line& from) const {
  std::optional<seat> best;
  std::tuple<bool, bool, uint32_t, uint64_t> best_rank;
  assert(!from.waiting.empty());
  const auto& first = calls_.at(*from.waiting.begin());
  for (const auto who : from.offered_by) {
    const auto& worker = workers_.at(who);
    const auto free = worker.rooms.at(first.kind).free;
    if (free == 0)
      continue;
    const bool is_near = !options_.host.empty() && worker.host == options_.host;
    const bool is_new_to_it = !worker.dropped_keys.contains(first.request.idempotency_key);
    const std::tuple rank{is_new_to_it, is_near, free, ~worker.last_gift};
    if (!best || rank > best_rank) {
      best = who;
      best_rank = rank;
    }
  }
  return best;
}

/// Gives the calls of a kind away while somebody has room.
void worker_roster::serve(const std::string& kind, timestamp now) {
  const auto found = lines_.find(kind);
  if (found == lines_.end())
    return;
  while (!found->second.waiting.empty()) {
    const auto to = choose(found->second);
    if (!to)
      return;
    give(*found->second.waiting.begin(), *to, false, now);
  }
}

void worker_roster::give(uint64_t number, seat to, bool held, timestamp now) {
  auto& given = calls_.at(number);
  auto& worker = workers_.at(to);
  if (const auto in = lines_.find(given.kind); in != lines_.end())
    in->second.waiting.erase(number);
  --waiting_;
  auto& room = worker.rooms.at(given.kind);
  given.takes_room = !held;
  if (given.takes_room) {
    --room.free;
    ++room.on_the_way;
  }
  worker.calls.insert(number);
  worker.last_gift = ++gifts_ever_;
  forget_held({given.request.idempotency_key, given.request.attempt});
  given.with = to;
  given.given_at = now;
  given.deadline = now + given.request.timeout;
  given.begun = false;
  ++given.deliveries;
  // A connection was lost, not the worker.
  if (held && !given.lost_workers.empty() && given.lost_workers.back() == worker.name)
    given.lost_workers.pop_back();
  gifts_.push_back({to, number});
  moved_.push_back({number, {call_news::kind_type::in_flight, worker.name}});
}

/// The call waits again, in its old place.
void worker_roster::take_back(uint64_t number) {
  auto& returned = calls_.at(number);
  auto& worker = workers_.at(*returned.with);
  unwatch(number, returned);
  worker.calls.erase(number);
  returned.with.reset();
  returned.progress.clear();
  returned.progress_at.reset();
  if (!returned.to_holder_only)
    lines_[returned.kind].waiting.insert(number);
  ++waiting_;
  moved_.push_back({number, {call_news::kind_type::waits}});
}

void worker_roster::erase(uint64_t number) {
  const auto found = calls_.find(number);
  auto& ended = found->second;
  if (ended.with) {
    unwatch(number, ended);
    workers_.at(*ended.with).calls.erase(number);
  } else {
    --waiting_;
    if (const auto in = lines_.find(ended.kind); in != lines_.end()) {
      in->second.waiting.erase(number);
      if (in->second.waiting.empty() && in->second.offered_by.empty())
        lines_.erase(in);
    }
  }
  const auto named = by_name_.find({ended.request.idempotency_key, ended.request.attempt});
  // The same attempt may be out anew already.
  if (named != by_name_.end() && named->second == number)
    by_name_.erase(named);
  calls_.erase(found);
}

/// It has answered, or nobody waits for its answer.
void worker_roster::arrived(worker& whose, call& x) {
  if (auto* room = find_room(whose, x.kind); room && std::exchange(x.takes_room, false) && room->on_the_way > 0)
    --room->on_the_way;
}

void worker_roster::remember_dropped(worker& whose, uint64_t number, const call& dropped) {
  const auto& key = dropped.request.idempotency_key;
  whose.dropped.emplace(number, dropped_call{dropped.kind, key});
  whose.dropped_keys.insert(key);
  if (whose.dropped.size() <= dropped_calls_max)
    return;
  whose.forgotten_up_to = std::max(whose.forgotten_up_to, whose.dropped.begin()->first);
  forget_dropped(whose, whose.dropped.begin());
}

void worker_roster::forget_dropped(worker& whose, std::map<uint64_t, dropped_call>::iterator dropped) {
  whose.dropped_keys.erase(whose.dropped_keys.find(dropped->second.key));
  whose.dropped.erase(dropped);
}

// ---- calls that are held ----------------------------------------------------

void worker_roster::hold(seat who, const std::vector<held_call>& held, timestamp now) {
  auto& worker = workers_.at(who);
  for (const auto& each : held) {
    const call_name name{each.key, each.attempt};
    if (const auto [place, is_new] = worker.held_at.emplace(name, worker.held_ever + 1); is_new) {
      worker.held.emplace(++worker.held_ever, name);
      held_by_[name].insert(who);
      // The oldest were taken back elsewhere long ago, or have ended.
      if (worker.held.size() > held_calls_max)
        let_go(who, call_name(worker.held.begin()->second));
    }
    const auto found = by_name_.find(name);
    if (found == by_name_.end())
      continue;
    const auto& call = calls_.at(found->second);
    if (!call.with && worker.rooms.contains(call.kind))
      give(found->second, who, true, now);
  }
}

/// This worker is not asked for it any more.
void worker_roster::let_go(seat who, const call_name& name) {
  auto& worker = workers_.at(who);
  const auto place = worker.held_at.find(name);
  worker.held.erase(place->second);
  worker.held_at.erase(place);
  const auto holders = held_by_.find(name);
  if (holders->second.erase(who) && holders->second.empty())
    held_by_.erase(holders);
}

void worker_roster::forget_held(const call_name& name) {
  const auto held = held_by_.find(name);
  if (held == held_by_.end())
    return;
  // Whoever else said so is not asked any more: the call is being done.
  for (const auto each : std::set<seat>(held->second))
    let_go(each, name);
}

// ---- for people -------------------------------------------------------------

std::optional<worker_call_view> worker_roster::look(const std::string& key, uint32_t attempt) const {
  const auto found = by_name_.find({key, attempt});
  if (found == by_name_.end())
    return std::nullopt;
  const auto& call = calls_.at(found->second);
  worker_call_view view;
  view.waiting = !call.with;
  if (call.with) {
    view.offered = true;
    view.worker = name_of(*call.with);
    view.given_at = call.given_at;
    view.progress = call.progress;
    view.progress_at = call.progress_at;
  } else {
    const auto in = lines_.find(call.kind);
    view.offered = in != lines_.end() && !in->second.offered_by.empty();
  }
  view.deliveries = call.deliveries;
  view.lost_workers = call.lost_workers;
  return view;
}

worker_figures worker_roster::figures() const {
  return {workers_.size(), calls_.size() - waiting_, waiting_};
}

std::vector<worker_view> worker_roster::list() const {
  std::vector<worker_view> all;
  for (const auto& [number, worker] : workers_) {
    worker_view view;
    view.id = worker.id;
    view.name = worker.name;
    view.host = worker.host;
    view.version = worker.version;
    for (const auto& [kind, room] : worker.rooms)
      view.kinds.push_back({kind, room.at_once, worker.leaving ? 0 : room.free});
    view.calls_out = worker.calls.size();
    view.connected_since = worker.since;
    view.leaving = worker.leaving;
    all.push_back(std::move(view));
  }
  return all;
}

} // namespace levain
