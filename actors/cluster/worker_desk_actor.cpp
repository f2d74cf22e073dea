#include "actors/cluster/worker_desk_actor.hpp"

#include <algorithm>

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/cluster/peer_checks.hpp"
#include "actors/cluster/wire_connections.hpp"
#include "actors/cluster/worker_checks.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

/// Runs that the line on a lost worker names.
constexpr size_t lost_runs_shown_max = 10;

} // namespace

worker_desk_state::worker_desk_state(caf::event_based_actor* self)
  : self_(self) {}

worker_desk_state::~worker_desk_state() {
  if (desk_)
    desk_->close();
}

void worker_desk_state::begin(std::shared_ptr<worker_desk> desk, std::string name) {
  desk_ = std::move(desk);
  name_ = std::move(name);
  desk_->on_word_out([to = caf::actor_cast<caf::actor>(self_)] { caf::anon_send(to, words_wait{}); });
}

void worker_desk_state::know(const cluster_known& x) {
  node_ = x.self;
  std::vector<std::string> gates;
  for (const auto& each : x.view->nodes)
    if (each.alive && !each.cluster_address.empty())
      gates.push_back(each.cluster_address);
  if (gates == gates_)
    return;
  gates_ = std::move(gates);
  for (const auto& [number, to] : workers_)
    self_->send(to.worker, gates_known{gates_});
}

void worker_desk_state::greet(const worker_hello& x) {
  // The promise takes the sender with it.
  const auto from = self_->current_sender();
  if (!from)
    return;
  if (const auto fault = fault_in(x))
    return cut_off_sender(*fault);
  auto promise = self_->make_response_promise();
  const auto refuse = [&](std::string why) {
    spdlog::warn("worker_refused worker={} reason={}", to_string(x.worker), log_quoted(why));
    promise.deliver(wire_refused{std::move(why)});
  };
  const auto protocol = protocol_of_both(x.protocol_min, x.protocol_max);
  if (!protocol)
    return refuse(fmt::format(
      "node '{}' speaks protocol {} to {}, the worker {} to {}", name_, wire_protocol_min, wire_protocol_max,
      x.protocol_min, x.protocol_max));
  const auto who = caf::actor_cast<caf::actor_addr>(from);
  // One who says hello again has lost what it was given before.
  unseat(who);
  auto joined = desk_->join(x);
  if (auto* why = std::get_if<std::string>(&joined)) {
    refuse(std::move(*why));
    return send_words();
  }
  seat_at(who, std::get<seat>(joined), {caf::actor_cast<caf::actor>(from), *protocol});
  spdlog::info(
    "worker_joined worker={} name={} host={} kinds={}", to_string(x.worker),
    log_quoted(desk_->name_of(std::get<seat>(joined))), log_quoted(x.host), x.offers.size());
  promise.deliver(worker_welcome{node_, name_, *protocol, gates_});
  send_words();
}

void worker_desk_state::seat_at(const caf::actor_addr& who, seat number, line_out to) {
  // The same worker may have come by another way before: that seat is empty now.
  std::erase_if(seats_, [&](const auto& each) { return desk_->name_of(each.second).empty(); });
  std::erase_if(workers_, [&](const auto& each) { return desk_->name_of(each.first).empty(); });
  seats_[who] = number;
  self_->monitor(to.worker);
  workers_[number] = std::move(to);
}

template <class Word>
void worker_desk_state::hear(const Word& x) {
  const auto seated = seats_.find(caf::actor_cast<caf::actor_addr>(self_->current_sender()));
  if (seated == seats_.end())
    return cut_off_sender("it speaks of calls and is no worker that has joined");
  const auto fault = desk_->take(seated->second, x);
  if (!fault.empty())
    return cut_off_sender(fault);
  send_words();
}

void worker_desk_state::cut_off_sender(const std::string& reason) {
  const auto from = self_->current_sender();
  if (!from)
    return;
  const auto who = caf::actor_cast<caf::actor_addr>(from);
  const auto seated = seats_.find(who);
  const auto worker = seated == seats_.end() ? std::string("unknown") : desk_->name_of(seated->second);
  spdlog::warn(
    "peer_cut_off worker={} program={} reason={}", log_quoted(worker), caf::to_string(from->node()),
    log_quoted(reason));
  if (seated != seats_.end())
    log_lost_runs(seated->second);
  unseat(who);
  cut_off(from);
  // Its calls are others' now.
  send_words();
}

void worker_desk_state::gone(const caf::actor_addr& who) {
  const auto seated = seats_.find(who);
  if (seated == seats_.end())
    return;
  spdlog::info("worker_gone name={}", log_quoted(desk_->name_of(seated->second)));
  log_lost_runs(seated->second);
  unseat(who);
  send_words();
}

/// A worker that goes in order has no call any more.
void worker_desk_state::log_lost_runs(worker_desk::seat who) const {
  const auto runs = desk_->runs_with(who);
  if (runs.empty())
    return;
  std::string shown;
  for (size_t i = 0; i < std::min(runs.size(), lost_runs_shown_max); ++i)
    shown += (i == 0 ? "" : ",") + to_string(runs[i]);
  spdlog::warn("worker_lost name={} runs={} first={}", log_quoted(desk_->name_of(who)), runs.size(), shown);
}

void worker_desk_state::unseat(const caf::actor_addr& who) {
  const auto seated = seats_.find(who);
  if (seated == seats_.end())
    return;
  self_->demonitor(who);
  desk_->leave(seated->second);
  workers_.erase(seated->second);
  seats_.erase(seated);
}

void worker_desk_state::send_words() {
  for (auto& each : desk_->take_out()) {
    const auto to = workers_.find(each.to);
    if (to == workers_.end())
      continue; // It left after this was said to it; its calls are others' by now.
    if (auto* given = std::get_if<call_given>(&each.word)) {
      send_call(to->second, std::move(*given));
      continue;
    }
    if (const auto* cancelled = std::get_if<call_cancelled>(&each.word)) {
      send_cancelled(to->second, *cancelled);
      continue;
    }
    const auto& dropped = std::get<call_dropped>(each.word);
    to->second.feed.drop(dropped.number);
    self_->send(to->second.worker, dropped);
  }
  const auto due = desk_->next_due();
  if (!due || (armed_ && *armed_ <= *due))
    return;
  armed_ = due;
  self_->delayed_send(self_, std::max(*due - desk_->now(), duration(0)), listen_for_silence{++timer_});
}

void worker_desk_state::send_cancelled(const line_out& to, const call_cancelled& x) {
  // An older worker would not know the word; what it does is awaited all the same.
  if (to.protocol >= cancel_protocol_min)
    self_->send(to.worker, x);
}

void worker_desk_state::send_call(line_out& to, call_given given) {
  if (!given.body.empty())
    return self_->send(to.worker, std::move(given));
  const auto number = given.number;
  const auto bytes = desk_->body_bytes(number);
  if (bytes == 0)
    return; // Nobody waits for it any more.
  if (to.protocol >= call_parts_protocol_min) {
    self_->send(to.worker, call_announced{std::move(given), bytes});
    to.feed.begin(number, bytes);
    return send_parts(to);
  }
  if (auto body = desk_->body_part(number, 0, bytes)) {
    given.body = std::move(*body);
    self_->send(to.worker, std::move(given));
  }
}

void worker_desk_state::send_parts(line_out& to) {
  while (const auto part = to.feed.next()) {
    auto text = desk_->body_part(part->number, part->offset, part->bytes);
    if (text) {
      self_->send(to.worker, call_part{part->number, part->offset, std::move(*text)});
    } else {
      to.feed.confirm(part->bytes);
      to.feed.drop(part->number);
    }
  }
}

void worker_desk_state::hear_declined(const call_declined& x) {
  const auto seated = seats_.find(caf::actor_cast<caf::actor_addr>(self_->current_sender()));
  if (seated != seats_.end())
    workers_[seated->second].feed.drop(x.number);
  hear(x);
}

void worker_desk_state::hear_part_taken(const call_part_taken& x) {
  const auto seated = seats_.find(caf::actor_cast<caf::actor_addr>(self_->current_sender()));
  if (seated == seats_.end())
    return cut_off_sender("it speaks of calls and is no worker that has joined");
  auto& to = workers_[seated->second];
  if (!to.feed.confirm(x.bytes))
    return cut_off_sender(fmt::format(
      "it confirms {} bytes of call {}, and {} are on their way to it", x.bytes, x.number, to.feed.bytes_on_the_way()));
  send_parts(to);
}

void worker_desk_state::listen(const listen_for_silence& x) {
  if (x.timer != timer_)
    return;
  armed_.reset();
  desk_->end_silent_calls();
  send_words();
}

caf::behavior worker_desk_actor(
  caf::stateful_actor<worker_desk_state, wire_facing_actor>* self, std::shared_ptr<worker_desk> desk,
  std::string name) {
  self->state.begin(std::move(desk), std::move(name));
  self->set_down_handler([self](const caf::down_msg& x) { self->state.gone(x.source); });
  self->set_default_handler([self](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    self->state.cut_off_sender("it sends what is not for this node's desk");
    return caf::sec::unexpected_message;
  });
  return {
    [self](const close_wire&) { self->quit(caf::exit_reason::user_shutdown); },
    [self](const worker_hello& x) { self->state.greet(x); },
    [self](const cluster_known& x) { self->state.know(x); },
    [self](const words_wait&) { self->state.send_words(); },
    [self](const listen_for_silence& x) { self->state.listen(x); },
    [self](const call_begun& x) { self->state.hear(x); },
    [self](const call_declined& x) { self->state.hear_declined(x); },
    [self](const call_part_taken& x) { self->state.hear_part_taken(x); },
    [self](const room_made& x) { self->state.hear(x); },
    [self](const call_heartbeat& x) { self->state.hear(x); },
    [self](const call_ended& x) { self->state.hear(x); },
    [self](const calls_held& x) { self->state.hear(x); },
    [self](const worker_leaving& x) { self->state.hear(x); },
  };
}

} // namespace levain
