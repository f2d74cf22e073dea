#include "actors/cluster/gate.hpp"

#include <algorithm>
#include <functional>

#include <caf/send.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/cluster/peer_checks.hpp"
#include "actors/cluster/wire_connections.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/cluster/wire_system.hpp"
#include "actors/overloaded.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

/// A node that sent nonsense is let in again after so long, in case that it was mended.
constexpr auto ban = std::chrono::minutes(1);

/// A node that stood still, or whose peer did, notices within so long that the connection was lost.
constexpr auto former_time = std::chrono::minutes(1);

/// What such a node is told. It introduces itself again then.
constexpr std::string_view unknown_again = "the connection was lost meanwhile: introduce yourself again";

/// The place, among `peer_request`s, of what is answered by this.
constexpr size_t kind_of_answer(const wire_changed& /*x*/) {
  return 0;
}
constexpr size_t kind_of_answer(const wire_explained& /*x*/) {
  return 1;
}
constexpr size_t kind_of_answer(const wire_started& /*x*/) {
  return 2;
}

} // namespace

gate_state::gate_state(caf::event_based_actor* self)
  : self_(self) {}

void gate_state::begin(gate_beginning how) {
  with_ = std::move(how);
}

// ---- who is there -----------------------------------------------------------

const node_view* gate_state::view_of(const uuid& node) const {
  if (!view_)
    return nullptr;
  const auto found =
    std::find_if(view_->nodes.begin(), view_->nodes.end(), [&](const node_view& each) { return each.id == node; });
  return found == view_->nodes.end() ? nullptr : &*found;
}

bool gate_state::is_banned(const uuid& node) {
  const auto found = banned_.find(node);
  if (found == banned_.end())
    return false;
  if (std::chrono::steady_clock::now() < found->second)
    return true;
  banned_.erase(found);
  return false;
}

void gate_state::know(const cluster_known& x) {
  view_ = x.view;
  if (node_ != x.self) {
    // It joined anew, under another id: the youngest introduces itself to all others.
    node_ = x.self;
    connecting_.clear();
    for (auto& [node, each] : peers_)
      each.knows_this = false;
  }
  std::erase_if(failures_, [&](const auto& each) { return view_of(each.first) == nullptr; });
  std::erase_if(banned_, [&](const auto& each) { return view_of(each.first) == nullptr; });
  // The oldest come first: whoever stands before this node is connected with by it, whoever stands behind connects.
  for (const auto& each : view_->nodes) {
    if (each.id == node_)
      break;
    // An earlier life of this very node may be listed still, at the same address.
    const bool there = each.alive && !each.cluster_address.empty() && each.cluster_address != address_;
    if (!there || is_banned(each.id))
      continue;
    const auto peer = peers_.find(each.id);
    if (peer == peers_.end())
      connect(each);
    else if (!peer->second.knows_this && connecting_.emplace(each.id, each.cluster_address).second)
      introduce(each.id, peer->second.gate);
  }
  self_->send(with_.doors.workers, x);
}

void gate_state::connect(const node_view& node) {
  const auto address = parse_wire_address(node.cluster_address);
  if (!address || !connecting_.emplace(node.id, node.cluster_address).second)
    return;
  connect_to_gate(
    self_, *address, with_.options.connect_time_max,
    [this, id = node.id](const caf::actor& gate) { introduce(id, gate); },
    [this, id = node.id](const std::string& why) { connect_failed(id, why); });
}

void gate_state::introduce(const uuid& node, const caf::actor& gate) {
  const node_hello hello{node_, with_.name, address_, wire_protocol_min, wire_protocol_max, caf::actor(self_)};
  const auto asked = self_->request(gate, with_.options.connect_time_max, hello);
  self_->add_multiplexed_response_handler(
    asked.id(), caf::behavior{
                  [this, node, gate](const node_welcome& welcome) {
                    if (const auto fault = fault_in(welcome)) {
                      refuse_nonsense(caf::actor_cast<caf::strong_actor_ptr>(gate), *fault);
                      connect_failed(node, *fault);
                    } else if (welcome.node == node) {
                      const auto address = connecting_.find(node);
                      add_peer(
                        node, plain_line(welcome.name, wire_name_bytes_max),
                        address == connecting_.end() ? "" : address->second, gate);
                    } else {
                      connect_failed(node, fmt::format("node {} answers there", to_string(welcome.node)));
                    }
                  },
                  [this, node](const wire_refused& refused) { connect_failed(node, refused.reason); },
                  [this, node](const caf::error& why) { connect_failed(node, self_->system().render(why)); }});
}

void gate_state::connect_failed(const uuid& node, const std::string& why) {
  connecting_.erase(node);
  auto& said = failures_[node];
  if (said != why)
    spdlog::warn("peer_unreachable node={} reason={}", to_string(node), log_quoted(why));
  said = why;
}

void gate_state::add_peer(const uuid& node, std::string name, std::string address, const caf::actor& gate) {
  connecting_.erase(node);
  failures_.erase(node);
  // A node that joined anew has another id at the same gate.
  if (const auto before = by_gate_.find(gate.address()); before != by_gate_.end())
    peers_.erase(before->second);
  else
    self_->monitor(gate);
  by_gate_[gate.address()] = node;
  spdlog::info("peer_connected node={} name={} address={}", to_string(node), log_quoted(name), address);
  peers_[node] = {gate, std::move(name), std::move(address), true};
}

void gate_state::greet(node_hello& x, const caf::strong_actor_ptr& from, caf::response_promise promise) {
  if (const auto fault = fault_in(x))
    return refuse_nonsense(from, *fault);
  if (!from || x.gate.node() != from->node())
    return refuse_nonsense(from, "gate: is another program's");
  const auto protocol = protocol_of_both(x.protocol_min, x.protocol_max);
  if (!protocol) {
    promise.deliver(wire_refused{fmt::format(
      "node '{}' speaks protocol {} to {}, node '{}' {} to {}", with_.name, wire_protocol_min, wire_protocol_max,
      x.name, x.protocol_min, x.protocol_max)});
    return;
  }
  if (is_banned(x.node)) {
    promise.deliver(wire_refused{fmt::format("node {} sent nonsense less than a minute ago", to_string(x.node))});
    return;
  }
  if (view_of(x.node) == nullptr || x.node == node_) {
    // It may have joined a moment ago: it asks again.
    promise.deliver(wire_refused{fmt::format("the database knows no node {} (yet)", to_string(x.node))});
    return;
  }
  add_peer(x.node, plain_line(x.name, wire_name_bytes_max), x.cluster_address, x.gate);
  promise.deliver(node_welcome{node_, with_.name, *protocol});
}

const uuid* gate_state::peer_at(const caf::strong_actor_ptr& who) const {
  if (!who)
    return nullptr;
  const auto found = by_gate_.find(caf::actor_cast<caf::actor_addr>(who));
  return found == by_gate_.end() ? nullptr : &found->second;
}

bool gate_state::was_peer(const caf::strong_actor_ptr& who) {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(former_, [&](const auto& each) { return each.second <= now; });
  return who && former_.contains(who->node());
}

void gate_state::introduce_again(const uuid& node) {
  const auto found = peers_.find(node);
  if (found == peers_.end())
    return;
  found->second.knows_this = false;
  const auto* known = view_of(node);
  if (known != nullptr && connecting_.emplace(node, known->cluster_address).second)
    introduce(node, found->second.gate);
}

void gate_state::lost(const caf::down_msg& down) {
  const auto found = by_gate_.find(down.source);
  if (found == by_gate_.end())
    return;
  const auto node = found->second;
  spdlog::warn(
    "peer_lost node={} name={} reason={}", to_string(node), log_quoted(peers_[node].name),
    log_quoted(why_down(self_->system(), down)));
  by_gate_.erase(found);
  peers_.erase(node);
  if (!is_banned(node))
    former_[down.source.node()] = std::chrono::steady_clock::now() + former_time;
  // A connection says nothing of a lease: only the database does.
  with_.doors.peer_died();
}

void gate_state::refuse_nonsense(const caf::strong_actor_ptr& from, const std::string& fault) {
  const auto* peer = peer_at(from);
  spdlog::warn(
    "peer_cut_off node={} program={} reason={}", peer ? to_string(*peer) : "unknown",
    from ? caf::to_string(from->node()) : "none", log_quoted(fault));
  if (peer)
    banned_[*peer] = std::chrono::steady_clock::now() + ban;
  cut_off(from);
}

// ---- what others ask --------------------------------------------------------

template <class Request>
void gate_state::serve(Request& x, const caf::strong_actor_ptr& from, caf::response_promise promise) {
  if (peer_at(from) == nullptr) {
    if (!was_peer(from))
      return refuse_nonsense(from, "it asks before it has introduced itself");
    spdlog::info("peer_asks_after_a_loss program={}", caf::to_string(from->node()));
    return promise.deliver(wire_refused{std::string(unknown_again)});
  }
  if (const auto fault = fault_in(x))
    return refuse_nonsense(from, *fault);
  const auto number = ++serving_number_;
  serving_.emplace(number, std::move(promise));
  with_.doors.serve(std::move(x), [number, to = caf::actor(self_)](peer_answer answer) {
    caf::anon_send(to, peer_served{number, std::move(answer)});
  });
}

void gate_state::served(peer_served& x) {
  auto found = serving_.extract(x.number);
  if (found.empty())
    return;
  auto& promise = found.mapped();
  std::visit(
    overloaded{
      [&](no_answer& none) { promise.deliver(wire_refused{std::move(none.reason)}); },
      [&](auto& answer) { promise.deliver(std::move(answer)); },
    },
    x.answer);
}

void gate_state::shards_freed_by(const shards_freed& /*whose is of no matter*/) {
  const auto from = self_->current_sender();
  // Looking once more harms nobody; a stranger could have it done all the time.
  if (peer_at(from) == nullptr && !was_peer(from))
    return refuse_nonsense(from, "it tells before it has introduced itself");
  with_.doors.shards_freed();
}

// ---- what is asked of others ------------------------------------------------

void gate_state::ask(ask_peer& x) {
  const auto found = peers_.find(x.node);
  if (found == peers_.end()) {
    const auto* known = view_of(x.node);
    x.outcome(no_answer{
      fmt::format(
        "this node has no connection with node {}{}", to_string(x.node),
        known ? fmt::format(" '{}' at {}", known->name, known->cluster_address) : ""),
      false});
    return;
  }
  const auto gate = found->second.gate;
  const auto name = found->second.name;
  const auto* change = std::get_if<wire_change>(&x.request);
  const auto* known = view_of(x.node);
  // An older program would take the word for nonsense.
  if (change != nullptr && change->asked > wire_wish::retry && known && known->protocol_max < int(cancel_protocol_min))
    return x.outcome(no_answer{
      fmt::format("node '{}' runs an older program, which does not know this command; upgrade it", name), false});
  const auto asked =
    std::visit([&](auto& request) { return self_->request(gate, x.time_max, std::move(request)).id(); }, x.request);
  const auto tell = std::make_shared<receiver<peer_answer>>(std::move(x.outcome));
  const auto asked_for = x.request.index();
  const auto answered = [this, gate, name, tell, asked_for](auto& answer) {
    auto fault = fault_in(answer);
    if (kind_of_answer(answer) != asked_for)
      fault = "it answers what was not asked";
    if (fault) {
      refuse_nonsense(caf::actor_cast<caf::strong_actor_ptr>(gate), *fault);
      (*tell)(no_answer{fmt::format("node '{}' answered nonsense: {}", name, *fault), true});
    } else {
      (*tell)(std::move(answer));
    }
  };
  self_->add_multiplexed_response_handler(
    asked,
    caf::behavior{
      [answered](wire_changed& answer) { answered(answer); }, [answered](wire_explained& answer) { answered(answer); },
      [answered](wire_started& answer) { answered(answer); },
      [this, node = x.node, name, tell](const wire_refused& refused) {
        if (refused.reason == unknown_again)
          introduce_again(node);
        (*tell)(no_answer{fmt::format("node '{}' refuses: {}", name, refused.reason), false});
      },
      [this, name, tell](const caf::error& why) {
        (*tell)(no_answer{fmt::format("node '{}' does not answer: {}", name, self_->system().render(why)), true});
      }});
}

void gate_state::tell_all() {
  for (const auto& [node, each] : peers_)
    self_->send(each.gate, shards_freed{node_});
}

namespace {

using gate_actor = caf::stateful_actor<gate_state, wire_facing_actor>;

/// Lets the state answer a request, now or later.
template <class Request>
caf::response_promise answer(
  gate_actor* self, Request& x,
  void (gate_state::*how)(Request&, const caf::strong_actor_ptr&, caf::response_promise)) {
  // The promise takes the sender with it.
  const auto from = self->current_sender();
  auto promise = self->make_response_promise();
  std::invoke(how, self->state, x, from, promise);
  return promise;
}

} // namespace

caf::behavior gate(caf::stateful_actor<gate_state, wire_facing_actor>* self, gate_beginning how) {
  const auto workers = how.doors.workers;
  self->state.begin(std::move(how));
  self->set_down_handler([self](const caf::down_msg& down) { self->state.lost(down); });
  self->set_default_handler([self](caf::scheduled_actor* /*self*/, caf::message_view& x) -> caf::result<caf::message> {
    self->state.refuse_nonsense(
      self->current_sender(), "a gate takes no " + caf::to_string(x.move_content_to_message()).substr(0, 100));
    return caf::sec::unexpected_message;
  });
  caf::message_handler wire{
    [=](node_hello& x) { return answer(self, x, &gate_state::greet); },
    [=](wire_change& x) { return answer(self, x, &gate_state::serve<wire_change>); },
    [=](wire_explain& x) { return answer(self, x, &gate_state::serve<wire_explain>); },
    [=](wire_start& x) { return answer(self, x, &gate_state::serve<wire_start>); },
    [=](const shards_freed& x) { self->state.shards_freed_by(x); },
    // The desk answers, so that the answer and all calls come from one actor.
    [=](worker_hello& x) { self->delegate(workers, std::move(x)); },
  };
  caf::message_handler inside{
    [=](const close_wire&) { self->quit(caf::exit_reason::user_shutdown); },
    [=](const gate_bound& x) { self->state.bound(x); },
    [=](const cluster_known& x) { self->state.know(x); },
    [=](ask_peer& x) { self->state.ask(x); },
    [=](peer_served& x) { self->state.served(x); },
    [=](const tell_shards_freed&) { self->state.tell_all(); },
  };
  return wire.or_else(inside);
}

} // namespace levain
