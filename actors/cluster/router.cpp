#include "actors/cluster/router.hpp"

#include <algorithm>
#include <cstdlib>

#include <caf/send.hpp>
#include <fmt/format.h>

#include "actors/cluster/peer_words.hpp"

namespace levain {

namespace {

/// A started run is one slot less, as far as is known until the next view.
uint64_t room_of(const node_view& node, const std::map<uuid, uint64_t>& started) {
  const auto found = started.find(node.id);
  const auto taken = found == started.end() ? 0 : found->second;
  return node.figures.slots_free - std::min(node.figures.slots_free, taken);
}

} // namespace

router_state::router_state(router_actor::pointer self)
  : self_(self) {}

router_state::~router_state() {
  for (auto& [number, each] : wishes_)
    each.asked.outcome(wish_refused{wish_refused::reason_type::unavailable, "the node is shutting down"});
}

void router_state::begin(router_beginning how) {
  with_ = std::move(how);
}

void router_state::know(const cluster_known& x) {
  view_ = x.view;
  node_ = x.self;
  started_.clear();
  follow_clock();
}

void router_state::follow_clock() {
  const auto now = with_.now();
  for (auto& [number, each] : wishes_) {
    each.until = std::min(each.until, now + with_.options.route_time_max);
    if (!each.again || *each.again <= now + with_.options.route_interval)
      continue;
    each.again = now + with_.options.route_interval;
    self_->send(with_.timekeeper, wake_at{*each.again});
  }
}

const node_view* router_state::owner_of(const run_id& run) const {
  if (!view_)
    return nullptr;
  const auto& owner = view_->owners[shard_of(run)];
  if (!owner || *owner == node_)
    return nullptr;
  const auto found = std::find_if(
    view_->nodes.begin(), view_->nodes.end(), [&](const node_view& node) { return node.id == *owner && node.alive; });
  return found == view_->nodes.end() || found->cluster_address.empty() ? nullptr : &*found;
}

// ---- starts -----------------------------------------------------------------

const node_view* router_state::roomiest_peer() const {
  const node_view* best = nullptr;
  if (!view_ || !may_send())
    return best;
  for (const auto& each : view_->nodes) {
    const bool takes =
      each.alive && !each.draining && each.figures.lacks.empty() && each.shards > 0 && !each.cluster_address.empty();
    if (takes && each.id != node_ && (best == nullptr || room_of(each, started_) > room_of(*best, started_)))
      best = &each;
  }
  return best;
}

std::shared_ptr<void> router_state::on_its_way() {
  on_their_way_->fetch_add(1);
  return {nullptr, [count = on_their_way_](void*) { count->fetch_sub(1); }};
}

void router_state::start(start_run& x) {
  const auto* other = roomiest_peer();
  if (other == nullptr) {
    self_->send(with_.dispatcher, std::move(x));
    return;
  }
  const auto self =
    std::find_if(view_->nodes.begin(), view_->nodes.end(), [&](const node_view& node) { return node.id == node_; });
  const bool known = self != view_->nodes.end();
  if (known && room_of(*other, started_) >= room_of(*self, started_) + with_.options.imbalance_max)
    start_there(other->id, std::make_shared<routed_start>(std::move(x)), std::nullopt);
  else
    start_here_first(x, other->id);
}

void router_state::start_here_first(start_run& x, const uuid& other) {
  ++started_[node_];
  const auto kept = std::make_shared<routed_start>(start_run{x.request, std::move(x.outcome)});
  start_run here{std::move(x.request), [kept, other, to = router_actor(self_)](start_outcome outcome) {
                   auto* refused = std::get_if<start_refused>(&outcome);
                   // Only who cannot take any run sends it on: a database that is behind is behind for all.
                   const bool not_here = refused != nullptr && !refused->may_have_started &&
                                         refused->reason == start_refused::reason_type::not_ready;
                   if (!not_here)
                     return kept->tell(std::move(outcome));
                   caf::anon_send(to, start_elsewhere{kept, other, std::move(*refused)});
                 }};
  self_->send(with_.dispatcher, std::move(here));
}

void router_state::start_not_here(start_elsewhere& x) {
  start_there(x.node, x.start, std::move(x.why_not_here));
}

void router_state::start_there(
  const uuid& node, const std::shared_ptr<routed_start>& x, std::optional<start_refused> why_not_here) {
  ++started_[node];
  const auto there = std::ranges::find(view_->nodes, node, &node_view::id);
  const auto protocol_max = there == view_->nodes.end() ? wire_protocol_min : there->protocol_max;
  with_.links->ask(
    node, to_wire(x->request(), protocol_max), with_.options.route_time_max,
    [x, why_not_here = std::move(why_not_here), here = with_.dispatcher,
     counted = on_its_way()](const peer_answer& answer) {
      if (const auto* started = std::get_if<wire_started>(&answer)) {
        auto outcome = outcome_of(*started);
        const auto* refused = std::get_if<start_refused>(&outcome);
        const bool conflict = refused != nullptr && refused->reason == start_refused::reason_type::key_conflict;
        // An older node takes the version that was sent with it for one that the caller named.
        if (conflict && !x->request().version_named)
          return caf::anon_send(here, x->take());
        return x->tell(std::move(outcome));
      }
      const auto* none = std::get_if<no_answer>(&answer);
      if (none != nullptr && none->sent)
        return x->tell(start_refused{
          start_refused::reason_type::not_ready,
          fmt::format(
            "it was sent to another node, which did not say whether it started the run: {}; ask again with the same "
            "idempotency key",
            none->reason),
          std::nullopt, true});
      if (why_not_here)
        return x->tell(*why_not_here);
      caf::anon_send(here, x->take());
    });
}

// ---- wishes -----------------------------------------------------------------

void router_state::change(change_run& x) {
  if (wishes_.size() >= with_.options.routed_max) {
    x.outcome(wish_refused{
      wish_refused::reason_type::unavailable,
      fmt::format("{} wishes are on their way to their runs (routed_max); ask again", wishes_.size())});
    return;
  }
  const auto number = ++wish_number_;
  auto& routed = wishes_[number];
  routed.asked = std::move(x);
  routed.until = with_.now() + with_.options.route_time_max;
  try_wish(number, routed);
}

void router_state::try_wish(uint64_t number, routed_wish& routed) {
  routed.again.reset();
  if (const auto* owner = owner_of(routed.asked.run))
    ask_there(*owner, number, routed.asked, routed.until);
  else
    ask_here(number, routed.asked);
}

void router_state::ask_there(const node_view& owner, uint64_t number, const change_run& asked, timestamp until) {
  with_.links->ask(
    owner.id, to_wire(asked.run, asked.tenant, asked.asked), until - with_.now(),
    [number, to = router_actor(self_)](const peer_answer& answer) {
      wish_answered x{number, no_answer{"the other node answered something else", true}};
      if (const auto* changed = std::get_if<wire_changed>(&answer))
        x.outcome = outcome_of(*changed);
      else if (const auto* none = std::get_if<no_answer>(&answer))
        x.outcome = *none;
      caf::anon_send(to, std::move(x));
    });
}

void router_state::ask_here(uint64_t number, const change_run& asked) {
  self_->send(
    with_.dispatcher,
    change_run{asked.run, asked.tenant, asked.asked, [number, to = router_actor(self_)](wish_outcome outcome) {
                 caf::anon_send(to, wish_answered{number, std::move(outcome)});
               }});
}

void router_state::answered(wish_answered& x) {
  const auto found = wishes_.find(x.number);
  if (found == wishes_.end())
    return;
  auto& routed = found->second;
  if (const auto* none = std::get_if<no_answer>(&x.outcome)) {
    if (none->sent) {
      const auto tell = std::move(routed.asked.outcome);
      wishes_.erase(found);
      tell(wish_refused{
        wish_refused::reason_type::unavailable,
        fmt::format("the run's node did not say whether it granted the wish: {}; look at the run", none->reason)});
      return;
    }
    routed.refusal = {wish_refused::reason_type::elsewhere, none->reason};
    try_later_or_refuse(x.number);
    return;
  }
  auto& outcome = std::get<wish_outcome>(x.outcome);
  auto* refused = std::get_if<wish_refused>(&outcome);
  if (refused == nullptr || refused->reason != wish_refused::reason_type::elsewhere) {
    const auto tell = std::move(routed.asked.outcome);
    wishes_.erase(found);
    tell(std::move(outcome));
    return;
  }
  routed.refusal = std::move(*refused);
  try_later_or_refuse(x.number);
}

void router_state::try_later_or_refuse(uint64_t number) {
  const auto found = wishes_.find(number);
  auto& routed = found->second;
  const auto again = with_.now() + with_.options.route_interval;
  if (again < routed.until) {
    routed.again = again;
    self_->send(with_.timekeeper, wake_at{again});
    return;
  }
  refuse(number);
}

void router_state::refuse(uint64_t number) {
  const auto found = wishes_.find(number);
  auto& routed = found->second;
  auto refusal = std::move(routed.refusal);
  refusal.message = fmt::format(
    "shard {} of run {} is changing hands, and nobody took the wish in time ({}); ask again",
    shard_of(routed.asked.run), to_string(routed.asked.run), refusal.message);
  const auto tell = std::move(routed.asked.outcome);
  wishes_.erase(found);
  tell(std::move(refusal));
}

void router_state::woken() {
  const auto now = with_.now();
  std::vector<uint64_t> too_late;
  for (auto& [number, each] : wishes_)
    if (each.again && now >= each.until)
      too_late.push_back(number);
    else if (each.again && *each.again <= now)
      try_wish(number, each);
  for (const auto each : too_late)
    refuse(each);
}

// ---- explanations -----------------------------------------------------------

void router_state::explain(explain_run& x) {
  const auto* owner = owner_of(x.run);
  if (owner == nullptr || !may_send()) {
    self_->send(with_.dispatcher, std::move(x));
    return;
  }
  const auto asked = std::make_shared<explain_run>(std::move(x));
  with_.links->ask(
    owner->id, wire_explain{asked->run.value, asked->tenant.value}, with_.options.route_time_max,
    [asked, here = with_.dispatcher, counted = on_its_way()](const peer_answer& answer) {
      if (const auto* told = std::get_if<wire_explained>(&answer))
        return asked->outcome(outcome_of(*told));
      // The journal says what it can, here as there.
      caf::anon_send(here, std::move(*asked));
    });
}

// ---- for other nodes --------------------------------------------------------

void router_state::serve(peer_asked& x) {
  if (const auto* change = std::get_if<wire_change>(&x.request)) {
    self_->send(
      with_.dispatcher,
      change_run{
        {change->run}, {change->tenant}, wish_of(*change), [tell = std::move(x.outcome)](wish_outcome outcome) {
          tell(to_wire(outcome));
        }});
  } else if (const auto* explain = std::get_if<wire_explain>(&x.request)) {
    self_->send(
      with_.dispatcher,
      explain_run{{explain->run}, {explain->tenant}, [tell = std::move(x.outcome)](const explain_outcome& outcome) {
                    tell(to_wire(outcome));
                  }});
  } else {
    serve_start(std::get<wire_start>(x.request), std::move(x.outcome));
  }
}

void router_state::serve_start(const wire_start& x, receiver<peer_answer> outcome) {
  find_workflow wanted{x.workflow, std::abs(x.version), {}};
  wanted.outcome = [x, tell = std::move(outcome),
                    here = with_.dispatcher](const std::variant<workflow_ptr, std::string>& found) {
    const auto* workflow = std::get_if<workflow_ptr>(&found);
    if (workflow == nullptr || !*workflow) {
      const auto why =
        workflow == nullptr
          ? std::get<std::string>(found)
          : fmt::format("there is no version {} of a workflow '{}' here", std::abs(x.version), x.workflow);
      tell(to_wire(start_outcome(start_refused{start_refused::reason_type::not_ready, why, std::nullopt})));
      return;
    }
    auto request = request_of(x);
    request.workflow = *workflow;
    caf::anon_send(here, start_run{std::move(request), [tell](const start_outcome& told) { tell(to_wire(told)); }});
  };
  self_->send(with_.definitions, std::move(wanted));
}

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self, router_beginning how) {
  self->state.begin(std::move(how));
  return {
    [self](start_run& x) { self->state.start(x); },
    [self](change_run& x) { self->state.change(x); },
    [self](explain_run& x) { self->state.explain(x); },
    [self](peer_asked& x) { self->state.serve(x); },
    [self](const cluster_known& x) { self->state.know(x); },
    [self](wish_answered& x) { self->state.answered(x); },
    [self](start_elsewhere& x) { self->state.start_not_here(x); },
    [self](const wake&) { self->state.woken(); },
  };
}

} // namespace levain
