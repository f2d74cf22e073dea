#include "tests/support/peer_net.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/cluster/lease_messages.hpp"
#include "actors/cluster/peer_checks.hpp"
#include "actors/definitions.hpp"
#include "actors/timekeeper.hpp"
#include "tests/support/cluster_watch.hpp"

namespace levain::test {

class peer_net::links : public peer_links {
public:
  links(peer_net& net, size_t from)
    : net_(net)
    , from_(from) {}

  void ask(const uuid& node, peer_request request, duration time_max, receiver<peer_answer> outcome) override {
    BOOST_TEST((time_max > duration(0)), "a request has no time");
    ++net_.asked_;
    net_.sent_.push_back({from_, node, std::move(request), std::move(outcome)});
  }

private:
  peer_net& net_;
  size_t from_;
};

peer_net::~peer_net() {
  sent_.clear();
  for (auto& each : nodes_) {
    caf::anon_send_exit(each->route, caf::exit_reason::kill);
    caf::anon_send_exit(each->define, caf::exit_reason::kill);
    caf::anon_send_exit(each->timekeeping, caf::exit_reason::kill);
    each->route = nullptr;
    each->define = nullptr;
    each->timekeeping = nullptr;
    each->place.settle();
  }
}

actor_world& peer_net::add(const actor_world::options& how, const router_options& routing, const duration* offset) {
  const auto number = nodes_.size();
  auto& place = world.add(how);
  nodes_.push_back(std::make_unique<routed_node>(place));
  auto& node = *nodes_.back();
  node.id = living_node(world, number).id;
  node.define = place.system().spawn(definitions, place.workflows, place.environment()->now);
  const auto now = [&place, offset] { return place.now() + (offset == nullptr ? duration(0) : *offset); };
  node.timekeeping = place.system().spawn(timekeeper, now);
  node.route = place.system().spawn(
    router, router_beginning{
              now, node.timekeeping, place.dispatch, node.define, std::make_shared<links>(*this, number), routing});
  caf::anon_send(place.lease_keeper_handle, announce_gate{"node-" + std::to_string(number) + ":1", 1, 1});
  place.workflows->put(two_steps(), place.now());
  return place;
}

void peer_net::know(const std::function<void(cluster_view&)>& change) {
  auto view = view_of(world);
  change(view);
  const auto shown = std::make_shared<const cluster_view>(std::move(view));
  for (auto& each : nodes_)
    if (each->route)
      caf::anon_send(each->route, cluster_known{shown, each->id});
  settle();
}

template <class Outcome>
receiver<Outcome> peer_net::teller(const told<Outcome>& to) {
  return [to](Outcome outcome) {
    BOOST_TEST(!to->has_value(), "a caller is told twice");
    *to = std::move(outcome);
  };
}

peer_net::told<start_outcome> peer_net::start(size_t at, const std::function<void(start_request&)>& change) {
  start_request request;
  request.tenant = actor_world::tenant;
  request.workflow = two_steps();
  change(request);
  const auto outcome = std::make_shared<std::optional<start_outcome>>();
  caf::anon_send(nodes_.at(at)->route, start_run{std::move(request), teller<start_outcome>(outcome)});
  settle();
  return outcome;
}

peer_net::told<wish_outcome> peer_net::change(size_t at, const run_id& run, wish asked) {
  const auto outcome = std::make_shared<std::optional<wish_outcome>>();
  caf::anon_send(
    nodes_.at(at)->route, change_run{run, actor_world::tenant, std::move(asked), teller<wish_outcome>(outcome)});
  settle();
  return outcome;
}

peer_net::told<explain_outcome> peer_net::explain(size_t at, const run_id& run, const tenant_id& tenant) {
  const auto outcome = std::make_shared<std::optional<explain_outcome>>();
  caf::anon_send(nodes_.at(at)->route, explain_run{run, tenant, teller<explain_outcome>(outcome)});
  settle();
  return outcome;
}

void peer_net::end_router(size_t at) {
  caf::anon_send_exit(nodes_.at(at)->route, caf::exit_reason::user_shutdown);
  settle();
}

void peer_net::ask_links(size_t from, const uuid& to, peer_request request, receiver<peer_answer> outcome) {
  sent_.push_back({from, to, std::move(request), std::move(outcome)});
  settle();
}

void peer_net::carry(sent_request x) {
  const auto to =
    std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& each) { return each->id == x.to; }) - nodes_.begin();
  const std::pair way{x.from, static_cast<size_t>(to)};
  if (way.second == nodes_.size() || cut_.contains(way) || !nodes_[way.second]->route)
    return x.outcome(no_answer{"this node has no connection with it", false});
  std::visit(
    [](const auto& what) {
      const auto fault = fault_in(what);
      BOOST_TEST(!fault.has_value(), "a node sends nonsense: " << fault.value_or(""));
    },
    x.what);
  caf::anon_send(
    nodes_[way.second]->route,
    peer_asked{std::move(x.what), [this, way, tell = std::move(x.outcome)](peer_answer answer) {
                 if (losing_.contains(way))
                   tell(no_answer{"the connection was lost", true});
                 else
                   tell(std::move(answer));
               }});
}

void peer_net::settle() {
  // What one node says may give another one something to do.
  for (size_t i = 0; i < 2 * nodes_.size() + 2; ++i) {
    for (auto& each : nodes_)
      each->place.settle();
    while (!holds_requests && !sent_.empty()) {
      auto next = std::move(sent_.front());
      sent_.pop_front();
      carry(std::move(next));
      for (auto& each : nodes_)
        each->place.settle();
    }
  }
}

void peer_net::advance(duration span) {
  settle();
  for (; span > duration(0); span -= shared_world::step) {
    world.advance(shared_world::step);
    settle();
  }
}

} // namespace levain::test
