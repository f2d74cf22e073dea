#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "actors/cluster/peer_links.hpp"
#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// What a life does with what others say to it.
struct link_end {
  std::function<void(peer_request, receiver<peer_answer>)> serve;
  /// Another node has released shards.
  std::function<void()> shards_freed;
  /// Another node is gone.
  std::function<void()> peer_died;
};

/// The links between the nodes of a world. Every request and every answer is on its way for a while, those between the
/// same two in order; links are cut as the plan has it, and what a process that dies had sent or was to hear is lost.
/// What a node that stands still is asked it serves when it goes on, whether anybody waits for the answer or not.
class links {
public:
  explicit links(ground& under);

  /// Through which the router of this life asks others.
  std::shared_ptr<peer_links> port_of(const life_ptr& of);
  /// The life can be asked from now on.
  void open(const life_ptr& of, link_end end);
  /// The life has released shards.
  void shards_freed_by(const life& of);
  /// The process is gone.
  void forget(const life& of);
  /// From now on nobody is late.
  void calm_down() { calm_ = true; }

private:
  class port;
  struct request {
    life_ptr from;
    life_ptr to;
    peer_request what;
    /// Empty when it was told, or when nobody is there any more to be told.
    receiver<peer_answer> outcome;
  };
  using request_ptr = std::shared_ptr<request>;
  /// From whom to whom.
  using way = std::pair<place, place>;

  void ask(const life_ptr& from, const uuid& node, peer_request what, duration time_max, receiver<peer_answer> outcome);
  void arrive(const request_ptr& x);
  void answered(const request_ptr& x, const peer_answer& answer);
  void tell(const request_ptr& x, const peer_answer& answer);
  timestamp arrival(const life& from, const life& to);
  void tell_others(const life& of, std::function<void()> link_end::*what);
  void complain_of(const life& of, const std::optional<std::string>& fault);
  const link_end* end_of(const life& of) const;

  ground& under_;
  chance luck_;
  bool calm_ = false;
  std::map<place, std::pair<life_ptr, link_end>> ends_;
  std::vector<request_ptr> open_;
  std::map<way, timestamp> last_arrivals_;
};

} // namespace levain::simulation
