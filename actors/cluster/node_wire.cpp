#include "actors/cluster/node_wire.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/cluster/lease_messages.hpp"
#include "actors/cluster/wire_host.hpp"
#include "actors/cluster/worker_desk_actor.hpp"

namespace levain {

node_wire::node_wire(const cluster_options& options, const std::string& name, const std::function<timestamp()>& now)
  : now_(now)
  , name_(name)
  , routing_(options.router)
  , wire_(std::make_shared<cluster_wire>(options, name))
  , desk_(std::make_shared<worker_desk>(worker_roster_options{.host = host_name()}, now)) {}

node_wire::~node_wire() {
  stop();
}

void node_wire::open(engine with) {
  router_ = with.system->spawn(
    levain::router, router_beginning{now_, with.timekeeper, with.dispatcher, with.definitions, wire_, routing_});
  desk_actor_ = wire_->system().spawn(worker_desk_actor, desk_, name_);
  const auto tell_death = [died = with.died](const char* what) {
    return [died, what](const caf::error& reason) { died(std::string(what) + " died: " + caf::to_string(reason)); };
  };
  desk_actor_->attach_functor(tell_death("the desk of the workers"));
  router_->attach_functor(tell_death("the router"));
  wire_->open({
    [to = router_](peer_request request, receiver<peer_answer> outcome) {
      caf::anon_send(to, peer_asked{std::move(request), std::move(outcome)});
    },
    [to = with.lease_keeper] { caf::anon_send(to, look_closely{}); },
    [to = with.lease_keeper] { caf::anon_send(to, shards_freed_elsewhere{}); },
    tell_death("the gate"),
    desk_actor_,
  });
  caf::anon_send(with.lease_keeper, announce_gate{wire_->address(), wire_protocol_min, wire_protocol_max});
}

void node_wire::know(const cluster_view& view, const uuid& self) {
  const cluster_known known{std::make_shared<const cluster_view>(view), self};
  caf::anon_send(router_, known);
  wire_->know(known);
}

void node_wire::released() {
  wire_->tell_shards_freed_to_all();
}

void node_wire::stop() {
  wire_->stop();
  desk_->close();
  if (desk_actor_)
    caf::anon_send(std::exchange(desk_actor_, nullptr), close_wire{});
  if (!router_)
    return;
  // It shares the wire, whose own threads must not be the ones to end it.
  caf::scoped_actor self{router_.home_system()};
  self->send_exit(caf::actor_cast<caf::actor>(router_), caf::exit_reason::user_shutdown);
  self->wait_for(router_);
  router_ = nullptr;
}

} // namespace levain
