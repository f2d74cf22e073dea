#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <caf/actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/message_id.hpp>

#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// Where the workers of a world find a node's gate, HOST:PORT, and on which machine a node or worker is.
std::string gate_address(int node);
std::string host_of(int number);

/// What CAF's BASP is to nodes and workers: carries messages between their actors, in order each way and each in its
/// time, and tells both sides when a connection is gone. Either side sees a proxy in the other's place. Connections are
/// cut as the plan has it. What a process that dies had said comes or is lost; what it was to hear is lost; one that
/// stands still hears it all when it goes on, and by then may be given up.
class worker_wire {
public:
  explicit worker_wire(ground& under);
  ~worker_wire();

  /// A life of a node lets workers in; `desk` greets them.
  void open(const life_ptr& node, caf::actor_system& system, const caf::actor& desk);
  /// The gate of a node closes in order.
  void close(const life& node);
  /// A life of a worker can connect; `link` speaks for it.
  void join(const life_ptr& worker, caf::actor_system& system, const caf::actor& link);
  /// The process is gone.
  void forget(const life& of);

  /// What came of a try to connect: what stands for the gate, or why there is none. Told when it is known, from
  /// anywhere.
  using connect_outcome = std::function<void(std::variant<caf::actor, std::string>)>;
  void connect(const life_ptr& worker, const std::string& host, connect_outcome outcome);

  /// A node's desk, or what speaks for a worker, is about to handle this.
  void heard_at_node(const life& node, const caf::mailbox_element& x);
  void heard_at_worker(const life& worker, const caf::mailbox_element& x);

  /// Somebody stands still or goes on, or a cut begins or ends.
  void look();
  /// From now on nobody is late.
  void calm_down() { calm_ = true; }

private:
  class proxy;
  struct connection;
  struct carried;
  struct node_end;
  struct worker_end;
  using connection_ptr = std::shared_ptr<connection>;

  void say(const connection_ptr& on, bool to_node, caf::message_id id, caf::message content);
  void arrive(const connection_ptr& on, const carried& what);
  void hand_over(const connection_ptr& on, const carried& what);
  void lose(const connection_ptr& on);
  void hear_of_loss(const connection_ptr& on, bool at_node);
  timestamp arrival(connection& on, bool to_node);
  bool is_silent(const connection& on) const;
  connection_ptr make_connection(const life_ptr& worker, const life_ptr& node);
  connection_ptr between(const life& worker, const life& node) const;
  connection_ptr of_loss(const caf::mailbox_element& x) const;
  void tell_link(const connection& on, bool at_node, bool up);
  void saw_word(const connection& on, bool heard, const caf::type_erased_tuple& content);
  void count(const word_passed& x);

  ground& under_;
  chance luck_;
  bool calm_ = false;
  uint64_t connections_made_ = 0;
  std::map<place, node_end> nodes_;
  std::map<place, worker_end> workers_;
  std::vector<connection_ptr> connections_;
  /// How often an attempt was given away.
  std::map<std::pair<std::string, uint32_t>, int> given_;
};

} // namespace levain::simulation
