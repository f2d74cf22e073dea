#include "actors/worker/worker_link.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "actors/cluster/wire_connections.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/worker/call_checks.hpp"
#include "actors/worker/worker_limits.hpp"
#include "actors/worker/worker_log.hpp"
#include "persistence/log_quoted.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

using tick_atom = caf::atom_constant<caf::atom("tick")>;
using room_atom = caf::atom_constant<caf::atom("room")>;

constexpr size_t name_bytes_shown = 100;
constexpr size_t reason_bytes_shown = 300;

std::string shown(const std::string& strangers_text, size_t bytes_max = reason_bytes_shown) {
  return plain_line(strangers_text, bytes_max);
}

} // namespace

worker_link_state::worker_link_state(worker_link_options given)
  : options(std::move(given))
  , bench(options.result_kept_max)
  , book(options.nodes, options.wait, gate_refused_pause) {
  for (const auto& [kind, at_once] : options.offers)
    bench.offer(kind, at_once);
}

void worker_link_state::begin(caf::event_based_actor* with) {
  self = with;
  self->set_down_handler([this](const caf::down_msg& down) {
    for (const auto& [number, link] : gates)
      if (link.gate.address() == down.source || (link.desk && link.desk.address() == down.source)) {
        lost(number, why_down(self->system(), down));
        break;
      }
    settle();
  });
  self->set_default_handler([this](caf::scheduled_actor*, const caf::message_view&) -> caf::result<caf::message> {
    cut_off_sender("it sent a message that no node sends a worker");
    settle();
    return caf::sec::unexpected_message;
  });
  settle();
}

// ---- connections --------------------------------------------------------------

void worker_link_state::connect_due() {
  for (const auto& each : book.due(now()))
    options.around.connect(
      self, each, gate_connect_timeout,
      [this, each](caf::actor gate) {
        connected(each, gate);
        settle();
      },
      [this, each](const std::string& reason) {
        unreachable(each, reason);
        settle();
      });
}

void worker_link_state::connected(const wire_address& at, const caf::actor& gate) {
  if (gone)
    return;
  for (auto& [number, link] : gates) {
    if (link.gate != gate)
      continue;
    // Another name of the same place.
    link.addresses.push_back(at);
    if (link.desk)
      book.opened(at, number);
    return;
  }
  const auto number = ++last_gate;
  gates[number] = {.gate = gate, .addresses = {at}};
  self->monitor(gate);
  introduce(number);
}

void worker_link_state::introduce(gate_number number) {
  auto held = bench.held(now());
  held.resize(std::min(held.size(), held_calls_told_max));
  const auto told = held.size();
  const worker_hello hello{
    .worker = options.id,
    .name = options.name,
    .host = options.host,
    .version = LEVAIN_VERSION,
    .protocol_min = wire_protocol_min,
    .protocol_max = wire_protocol_max,
    .offers = bench.offers(),
    .held = std::move(held)};
  const auto asked = self->request(gates.at(number).gate, gate_hello_timeout, hello).id();
  // Two answers are possible, which `then` cannot tell apart.
  self->add_multiplexed_response_handler(
    asked, caf::behavior{
             [this, number, told](const worker_welcome& welcome) {
               welcomed(number, told, welcome);
               settle();
             },
             [this, number](const wire_refused& refused) {
               not_welcomed(number, refused.reason, true);
               settle();
             },
             [this, number](const caf::error& why) {
               not_welcomed(number, "no answer to the introduction: " + self->system().render(why), false);
               settle();
             }});
}

void worker_link_state::welcomed(gate_number number, size_t told, const worker_welcome& welcome) {
  const auto found = gates.find(number);
  if (found == gates.end())
    return;
  auto& link = found->second;
  if (welcome.protocol < wire_protocol_min || welcome.protocol > wire_protocol_max) {
    not_welcomed(number, fmt::format("it chose protocol {}, which was not offered", welcome.protocol), true);
    return;
  }
  unanswered.erase(link.gate.node());
  link.name = shown(welcome.node_name, name_bytes_shown);
  link.desk = caf::actor_cast<caf::actor>(self->current_sender());
  if (!link.desk)
    link.desk = link.gate;
  if (link.desk != link.gate)
    self->monitor(link.desk);
  for (const auto& at : link.addresses)
    book.opened(at, number);
  worker_log()->info(
    "node_connected node={} name={} address={}", to_string(welcome.node), log_quoted(link.name),
    to_string(link.addresses.front()));
  bench.gate_opened(number, told, now());
  list(number, welcome.gates);
  show();
}

void worker_link_state::not_welcomed(gate_number number, const std::string& reason, bool slowly) {
  const auto found = gates.find(number);
  if (found == gates.end())
    return;
  const auto link = std::move(found->second);
  gates.erase(found);
  self->demonitor(link.gate);
  if (!slowly && unanswered.size() < gates_known_max)
    unanswered.insert(link.gate.node());
  for (const auto& at : link.addresses) {
    if (!slowly) {
      unreachable(at, reason);
      continue;
    }
    book.refused(at, now(), random());
    worker_log()->warn(
      "node_refused address={} reason={} again_in={}s", to_string(at), log_quoted(shown(reason)),
      std::chrono::duration_cast<std::chrono::seconds>(gate_refused_pause).count());
  }
}

void worker_link_state::unreachable(const wire_address& at, const std::string& reason) {
  // The address is said already.
  const auto lead = to_string(at) + ": ";
  const auto why = shown(reason.starts_with(lead) ? reason.substr(lead.size()) : reason);
  const auto tries = book.failed(at, now(), random());
  if (tries == 0)
    worker_log()->info(
      "node_forgotten address={} reason=\"no node lists it any more, and it does not answer\"", to_string(at));
  else if (std::has_single_bit(tries))
    worker_log()->warn("node_unreachable address={} tries={} reason={}", to_string(at), tries, log_quoted(why));
}

void worker_link_state::lost(gate_number number, const std::string& reason, bool slowly) {
  const auto found = gates.find(number);
  if (found == gates.end())
    return;
  const auto link = std::move(found->second);
  gates.erase(found);
  self->demonitor(link.gate);
  if (!link.desk) {
    for (const auto& at : link.addresses)
      unreachable(at, reason);
    return;
  }
  if (link.desk != link.gate)
    self->demonitor(link.desk);
  worker_log()->warn(
    "node_lost name={} address={} reason={}", log_quoted(link.name), to_string(link.addresses.front()),
    log_quoted(shown(reason)));
  book.lost(number, now(), random(), slowly);
  arrivals.lose(number);
  bench.gate_lost(number, now());
  show();
}

void worker_link_state::list(gate_number from, const std::vector<std::string>& gates_listed) {
  auto checked = check_gates(gates_listed);
  if (const auto* wrong = std::get_if<nonsense>(&checked)) {
    cut_off_sender(wrong->reason);
    return;
  }
  book.list(from, std::get<std::vector<wire_address>>(checked), now());
}

worker_link_state::links::iterator worker_link_state::sender() {
  const auto& from = self->current_sender();
  if (!from)
    return gates.end();
  const auto same_actor = [&from](const auto& each) {
    return each.second.desk && each.second.desk.address() == from->address();
  };
  const auto same_program = [&from](const auto& each) {
    return each.second.desk && each.second.gate.node() == from->node();
  };
  if (const auto at = std::find_if(gates.begin(), gates.end(), same_actor); at != gates.end())
    return at;
  return std::find_if(gates.begin(), gates.end(), same_program);
}

bool worker_link_state::is_being_introduced() const {
  const auto& from = self->current_sender();
  if (!from)
    return false;
  return unanswered.contains(from->node()) || std::any_of(gates.begin(), gates.end(), [&from](const auto& each) {
           return !each.second.desk && each.second.gate.node() == from->node();
         });
}

void worker_link_state::cut_off_sender(const std::string& reason) {
  const auto from = self->current_sender();
  if (!from || from->node() == self->node())
    return;
  if (const auto at = sender(); at != gates.end())
    return cut_off_gate(at->first, reason);
  worker_log()->warn("peer_cut_off name=\"\" reason={}", log_quoted(shown(reason)));
  options.around.cut_off(from);
}

void worker_link_state::cut_off_gate(gate_number gate, const std::string& reason) {
  const auto& link = gates.at(gate);
  worker_log()->warn("peer_cut_off name={} reason={}", log_quoted(link.name), log_quoted(shown(reason)));
  options.around.cut_off(caf::actor_cast<caf::strong_actor_ptr>(link.desk));
  lost(gate, "it was cut off", true);
}

// ---- calls: how they arrive is in `worker_link_calls.cpp` --------------------

void worker_link_state::drop_call(const call_dropped& dropped) {
  const auto from = sender();
  if (from == gates.end())
    return;
  if (const auto head = arrivals.drop(from->first, dropped.number))
    bench.withdraw(from->first, *head);
  else
    bench.drop(from->first, dropped.number, dropped.moves);
}

void worker_link_state::cancel_call(const call_cancelled& cancelled) {
  const auto from = sender();
  if (from == gates.end())
    return;
  // A call whose body is still on its way has not begun, and does not.
  if (const auto head = arrivals.drop(from->first, cancelled.number))
    bench.withdraw(from->first, *head);
  else
    bench.cancel(from->first, cancelled.number);
}

void worker_link_state::take_news() {
  for (auto& each : options.inbox->take())
    std::visit([this](auto& news) { take_one(news); }, each);
}

void worker_link_state::take_one(const work_beat& news) {
  bench.beat(news.work, news.progress, now());
}

void worker_link_state::take_one(const work_done& news) {
  at_work.erase(news.work);
  bench.finish(news.work, news.result, now());
  show();
}

void worker_link_state::take_one(const leave_asked& /*news*/) {
  bench.leave();
  {
    std::lock_guard lock(options.sight->mutex);
    options.sight->leaving = true;
  }
  show();
}

void worker_link_state::take_one(const cancel_asked_of_all& /*news*/) {
  bench.cancel_all();
}

void worker_link_state::take_one(const go_asked& /*news*/) {
  gone = true;
  self->quit();
}

// ---- what the workbench wants -------------------------------------------------

/// After everything that may have changed something.
void worker_link_state::settle() {
  if (gone)
    return;
  bench.pass(now());
  perform();
  // What is in the mailbox by now is handled before this, so a crowd of calls changes the room once.
  if (bench.room_moved() && !std::exchange(telling, true))
    self->send(self, room_atom::value);
  connect_due();
  arm();
}

void worker_link_state::perform() {
  for (auto& effect : bench.take_effects())
    std::visit([this](auto& each) { act(each); }, effect);
}

void worker_link_state::tell_room() {
  telling = false;
  bench.tell_room();
  perform();
}

void worker_link_state::act(const say_to_gate& effect) {
  const auto found = gates.find(effect.gate);
  if (found == gates.end() || !found->second.desk)
    return;
  const auto& desk = found->second.desk;
  std::visit([this, &desk](const auto& word) { self->send(desk, word); }, effect.word);
}

void worker_link_state::act(begin_work& effect) {
  const auto inbox = options.inbox;
  const auto work = effect.work;
  const auto given = effect.call.given;
  auto step = std::make_shared<step_at_work>(
    std::move(effect.call), effect.deadline, options.around.now, [inbox, work](std::string words) {
      inbox->post(work_beat{work, std::move(words)});
    });
  at_work[work] = step;
  show();
  try {
    options.around.begin(work, given, step);
  } catch (const std::system_error& wrong) {
    inbox->post(work_done{work, failed_by_exception(wrong.what())});
  }
}

void worker_link_state::act(const extend_work& effect) {
  if (const auto found = at_work.find(effect.work); found != at_work.end())
    found->second->extend(effect.deadline);
}

void worker_link_state::act(const cancel_work& effect) {
  if (const auto found = at_work.find(effect.work); found != at_work.end())
    found->second->cancel();
}

/// One tick is on its way whenever something waits for time.
void worker_link_state::arm() {
  auto due = book.next_due();
  if (const auto other = bench.next_due(); other && (!due || *other < *due))
    due = other;
  if (!due || (armed && *armed <= *due))
    return;
  armed = due;
  const auto wait = std::max(*due - now(), worker_moment::duration::zero());
  self->delayed_send(self, std::chrono::ceil<std::chrono::milliseconds>(wait), tick_atom::value);
}

void worker_link_state::show() {
  size_t connected = 0;
  for (const auto& [number, link] : gates)
    connected += link.desk ? 1 : 0;
  {
    std::lock_guard lock(options.sight->mutex);
    options.sight->connected = connected;
    options.sight->being_done = bench.being_done();
  }
  options.sight->changed.notify_all();
}

// ---- the actor ----------------------------------------------------------------

caf::behavior worker_link(wire_facing_actor* self, worker_link_options options) {
  const auto sight = options.sight;
  const auto state = std::make_shared<worker_link_state>(std::move(options));
  // What is asked in the turn in which it quits is answered still, when its behavior is gone.
  self->attach_functor([sight, state](const caf::error&) {
    {
      std::lock_guard lock(sight->mutex);
      sight->ended = true;
    }
    sight->changed.notify_all();
  });
  state->begin(self);
  return {
    [state](news_atom) {
      state->take_news();
      state->settle();
    },
    [state](room_atom) { state->tell_room(); },
    [state](tick_atom) {
      state->armed.reset();
      state->settle();
    },
    [state](const call_given& call) {
      state->take_call(call);
      state->settle();
    },
    [state](const call_announced& announced) {
      state->announce_call(announced);
      state->settle();
    },
    [state](const call_part& part) {
      state->take_part(part);
      state->settle();
    },
    [state](const call_dropped& dropped) {
      state->drop_call(dropped);
      state->settle();
    },
    [state](const call_cancelled& cancelled) {
      state->cancel_call(cancelled);
      state->settle();
    },
    [state](const gates_known& known) {
      if (const auto from = state->sender(); from != state->gates.end())
        state->list(from->first, known.gates);
      state->settle();
    },
  };
}

} // namespace levain
